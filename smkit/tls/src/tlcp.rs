//! TLCP 1.1, the transport protocol of GB/T 38636-2020, with SM2, SM3 and SM4.
//!
//! It is not a version of TLS, though its handshake is that of TLS 1.2 in outline: version 1.1, two certificates a side
//! (双证书: one signs, one receives secrets), suites of its own. It opens no sockets, trusts no certificate by itself (a
//! [`PeerVerifier`](crate::peer::PeerVerifier) decides), and never negotiates down to anything else.
//!
//! # Model
//! [`ServerConfig`] and [`ClientConfig`] are made once. Each [`ServerConnection`] or [`ClientConnection`] is a state
//! machine without I/O, in the manner of rustls; [`stream`] puts one over an asynchronous transport (feature `tokio`).
//! Every failure is a [`TlcpError`], ends the connection, and tells the peer by the alert that [`TlcpError::alert`] names.
//!
//! # Invariants
//! * No data flows before the peer's Finished was checked; a second handshake is refused.
//! * MACs, tags and Finished are compared in constant time; a CBC record takes the same work whatever its padding says.
//! * A `ClientKeyExchange` that cannot be decrypted leads to a wrong Finished, not to an answer of its own.
//! * A session is resumed only under the configuration that made it, before its certificates end.
//! * Memory of a connection is bounded; the bounds stand in `limits.rs`.
//! * Keys are wiped when dropped and stand in no error and no `Debug`.
//!
//! # Standards
//! GB/T 38636-2020 (GM/T 0024-2014, extensions of GM/T 0024-2023), GB/T 32918-2016, RFC 5246 where the standard follows it,
//! RFC 5746 (refusing), RFC 6066 §3, RFC 7301.

mod alert;
mod client;
mod codec;
mod config;
mod connection;
mod constant;
mod core;
mod credentials;
mod error;
mod keys;
mod limits;
mod messages;
mod name;
mod pair;
mod received;
mod record;
mod server;
mod session;
#[cfg(feature = "tokio")]
pub mod stream;
mod suite;
mod transcript;

use smkit::{Random, RandomError};

use codec::Put;

pub use alert::{AlertDescription, AlertLevel};
pub use client::ClientStartError;
pub use config::{
    ClientAuthentication, ClientConfig, Clock, PeerQuirk, ServerConfig, SessionLimits, SystemClock,
};
pub use connection::{ClientConnection, Connection, IoState, Reader, ServerConnection, Writer};
pub use credentials::Credentials;
pub use error::{ConfigError, TlcpError};
pub use limits::{
    ALPN_BYTES_MAX, CERTIFICATE_MESSAGE_BYTES_MAX, CHAIN_CERTIFICATES_MAX, CLIENT_SESSIONS,
    EMPTY_RECORDS_MAX, FRAGMENT_BYTES_MAX, MESSAGE_BYTES_MAX, RECEIVED_BYTES_MAX, RECORDS_MAX,
    SEND_BYTES_MAX, SERVER_SESSIONS, SESSION_SECONDS, SESSION_SECONDS_MAX, WARNINGS_MAX,
};
pub use messages::MessageKind;
pub use suite::CipherSuite;

/// The random of a hello: the time in 4 bytes, then 28 random ones (GB/T 38636-2020 §6.4.5.2.1).
fn hello_random(now: i64, random: &mut dyn Random) -> Result<[u8; 32], RandomError> {
    let mut out = [0; 32];
    random.fill(&mut out)?;
    let seconds = u32::try_from(now).unwrap_or(u32::MAX).to_be_bytes();
    out.iter_mut().zip(seconds).for_each(|(to, from)| *to = from);
    Ok(out)
}

/// The encryption certificate as `ServerKeyExchange` signs it with ECC: behind its length (GB/T 38636-2020 §6.4.5.4).
fn signed_certificate(der: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(der.len() + 3);
    out.put_u24(der.len());
    out.extend_from_slice(der);
    out
}

#[cfg(test)]
mod tests;
