//! Every bound of a connection, in one place.

/// Type, version and length of a record (GB/T 38636-2020 §6.3.3).
pub(crate) const RECORD_HEADER_BYTES: usize = 5;
/// Longest plaintext of one record: 2^14 bytes.
pub const FRAGMENT_BYTES_MAX: usize = 1 << 14;
/// Longest protected record: a fragment and 2048 bytes.
pub(crate) const CIPHERTEXT_BYTES_MAX: usize = FRAGMENT_BYTES_MAX + 2048;
/// Longest Certificate message; a longer one is refused by its header, before it is gathered.
pub const CERTIFICATE_MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Longest message of any other kind.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;
/// Most certificates in one Certificate message: the pair and eight of authorities.
pub const CHAIN_CERTIFICATES_MAX: usize = 10;
/// Most extensions of one hello.
pub(crate) const EXTENSIONS_MAX: usize = 64;
/// Records without content in a row: each costs the receiver a decryption and carries nothing.
pub const EMPTY_RECORDS_MAX: u32 = 32;
/// Alerts of level warning in one connection.
pub const WARNINGS_MAX: u32 = 8;
/// Plaintext that waits for its reader; above this no record is taken from the transport.
pub const RECEIVED_BYTES_MAX: usize = FRAGMENT_BYTES_MAX;
/// Protected bytes that wait for the transport; from this on no plaintext is accepted. The last piece accepted may exceed it
/// by a fragment.
pub const SEND_BYTES_MAX: usize = 64 * 1024;
/// Records one key protects; the connection then ends, for TLCP has no way to change keys without a handshake. At 2^24
/// full records the distinguishing advantage against GCM is still below 2^−57 (the bound of RFC 9147 §4.5.3).
pub const RECORDS_MAX: u64 = 1 << 24;
/// Longest name of an application protocol (RFC 7301 §3.1).
pub const ALPN_BYTES_MAX: usize = 255;
/// Sessions a server remembers unless told otherwise.
pub const SERVER_SESSIONS: usize = 10_000;
/// Sessions a client remembers unless told otherwise, one for each server name.
pub const CLIENT_SESSIONS: usize = 256;
/// Life of a session in seconds unless told otherwise.
pub const SESSION_SECONDS: u32 = 3_600;
/// Longest permitted life of a session in seconds (RFC 5246 §F.1.4 suggests a day).
pub const SESSION_SECONDS_MAX: u32 = 24 * 3_600;
