//! What an unauthenticated peer may cost.

use std::time::Duration;

/// Bounds of handshakes; the defaults suit a public port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte expected to the last one of the handshake. Default: 10 s.
    pub handshake_deadline: Duration,
    /// Bytes that a peer may send before its handshake is over. Default: 64 KiB, ten times a chain of four certificates.
    pub handshake_bytes_max: usize,
    /// Handshakes of one acceptor at a time; one more drops the oldest. Default: 1,024.
    pub half_open_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_deadline: Duration::from_secs(10),
            handshake_bytes_max: 64 * 1024,
            half_open_max: 1024,
        }
    }
}
