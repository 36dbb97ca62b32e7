//! Bounds of links, queues and calls; sizes in bytes, times in milliseconds.

use std::time::Duration;

use crate::kind::StreamKind;

/// Longest frame of the opening of a link: a serialized identity and fixed fields.
pub const HELLO_BYTES_MAX: usize = changbai_wire::limits::IDENTITY_BYTES_MAX + 512;
/// Longest payload of a call or of its answer.
pub const CALL_BYTES_MAX: usize = 4 << 20;
/// Longest text that explains a refused call.
pub const CALL_TEXT_BYTES_MAX: usize = 1_024;
/// Longest code of a refused call.
pub const CALL_CODE_BYTES_MAX: usize = 32;
/// Calls of one peer worked on at a time; further ones are answered "busy".
pub const CALLS_SERVED_MAX: usize = 256;
/// Calls to one peer under way at a time; further ones are refused here.
pub const CALLS_PENDING_MAX: usize = 1_024;
/// With so many bytes of answers waiting for a peer, its further calls are answered "busy".
pub const CALLS_ANSWERS_BYTES_MAX: usize = 8 << 20;
/// Longest time that a called node works on an answer.
pub const CALL_DEADLINE_MAX: Duration = Duration::from_secs(60);
/// Bytes made room for at a time while a frame arrives: what one record of TLS holds.
pub const READ_BYTES: usize = 16 << 10;
/// Bytes gathered before they are handed to TLS.
pub const WRITE_BATCH_BYTES: usize = 64 << 10;
/// Openings of links that wait for a peer's hello at a time, of one node.
pub const OPENINGS_MAX: usize = 512;
/// TLS handshakes under way at a time; one more drops the oldest.
pub const HANDSHAKES_MAX: usize = 512;
/// Peers of one channel that are linked at a time.
pub const PEERS_MAX: usize = changbai_channel::limits::PEERS_MAX;

/// How patient links are; the defaults suit machines of one city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From an accepted connection to the end of its TLS handshake. Default: 5 s.
    pub handshake_deadline: Duration,
    /// From there to the last message of the opening. Default: 5 s.
    pub hello_deadline: Duration,
    /// How long dialling waits for the other machine. Default: 2 s.
    pub connect_deadline: Duration,
    /// Every so often a link shows that it lives. Default: 1 s.
    pub ping: Duration,
    /// A link on which nothing was heard for so long is dead. Default: 6 s.
    pub silence: Duration,
    /// A link on which nothing was heard for so long makes room for another one of its peer. Default: 2.5 s.
    pub stale: Duration,
    /// A write that takes longer means that the peer does not read. Default: 10 s.
    pub write_stall: Duration,
    /// How long a link may wait for the others of its peer. Default: 15 s.
    pub incomplete: Duration,
    /// First wait before a failed dial is tried again; doubled each time. Default: 100 ms.
    pub retry_first: Duration,
    /// Longest such wait. Default: 2 s.
    pub retry_max: Duration,
    /// All certificates of links are judged anew this often, and whenever one of them expires or the
    /// configuration changes. Default: 60 s.
    pub judge: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake_deadline: Duration::from_secs(5),
            hello_deadline: Duration::from_secs(5),
            connect_deadline: Duration::from_secs(2),
            ping: Duration::from_secs(1),
            silence: Duration::from_secs(6),
            stale: Duration::from_millis(2_500),
            write_stall: Duration::from_secs(10),
            incomplete: Duration::from_secs(15),
            retry_first: Duration::from_millis(100),
            retry_max: Duration::from_secs(2),
            judge: Duration::from_secs(60),
        }
    }
}

/// Most messages and bytes that wait to be sent on a stream of one peer. One message always fits.
pub(crate) const fn queue_bounds(kind: StreamKind) -> (usize, usize) {
    match kind {
        StreamKind::Consensus => (4_096, 4 << 20),
        StreamKind::Bodies => (64, 16 << 20),
        StreamKind::Sync => (1_024, 16 << 20),
        StreamKind::Calls => (CALLS_PENDING_MAX * 2, 16 << 20),
    }
}

/// Bytes of messages read from a stream of one peer that wait for the ordering thread. One message
/// always fits; with more waiting the stream is not read.
pub(crate) const fn inbound_bytes(kind: StreamKind) -> usize {
    match kind {
        StreamKind::Consensus => 1 << 20,
        StreamKind::Bodies | StreamKind::Sync | StreamKind::Calls => 8 << 20,
    }
}
