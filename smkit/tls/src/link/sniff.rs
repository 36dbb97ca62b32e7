//! Which protocol a client speaks, from its first bytes.

use super::Protocol;

/// Bytes after which [`sniff`] always knows: a record's content type and version.
pub const FIRST_BYTES: usize = 3;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniffed {
    /// Not enough of them, and nothing wrong so far.
    Incomplete,
    /// A handshake record of this protocol.
    Is(Protocol),
    /// Neither; no answer can be made that such a peer would understand.
    Foreign,
}

/// Tells TLCP's record version 0x0101 (GB/T 38636-2020 §6.3.2) from TLS's 0x0301 and 0x0303 (RFC 8446 §5.1).
///
/// TLS 1.2 looks like TLS 1.3 here; it is refused inside the handshake, with an alert.
#[must_use]
pub const fn sniff(first: &[u8]) -> Sniffed {
    match first {
        [] | [HANDSHAKE] | [HANDSHAKE, 1 | 3] => Sniffed::Incomplete,
        [HANDSHAKE, 1, 1, ..] => Sniffed::Is(Protocol::Tlcp),
        [HANDSHAKE, 3, 1 | 3, ..] => Sniffed::Is(Protocol::Tls13),
        _ => Sniffed::Foreign,
    }
}

/// Content type of a handshake record in both protocols.
const HANDSHAKE: u8 = 22;
