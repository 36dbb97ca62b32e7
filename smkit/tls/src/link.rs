//! One acceptor and one connector for every wire: GM TLS over any stream of tokio's, and the peer's verified identity.
//!
//! # Model
//! [`Acceptor::accept`] reads the first three bytes, which differ between TLCP and TLS 1.3, finishes the handshake within
//! [`Limits`], and gives a [`Link`]: a stream with [`LinkInfo`] beside it. [`Connector::connect`] is the other end.
//! Both keep their [`Credentials`] behind one pointer: `reload` swaps it, running links and handshakes keep what they have.
//!
//! # Invariants
//! * A handshake ends by its deadline, within its bytes, or by making room: when [`Limits::half_open_max`] handshakes are
//!   under way, a new one drops the *oldest*. So a flood of connections that never finish costs bounded memory and still
//!   lets in everybody who finishes faster than the flood fills the room.
//! * A resumed session is judged again before it becomes a link: validity, revocation and admission as of now.
//! * Reloading ends resumption of everything before.

mod acceptor;
mod connector;
mod credentials;
mod error;
mod half_open;
mod limits;
mod metered;
mod sniff;
mod stream;
mod tlcp;
mod tls13;

pub use self::{
    acceptor::Acceptor,
    connector::Connector,
    credentials::{Credentials, KeyPair},
    error::{LinkError, alert_received},
    limits::Limits,
    sniff::{FIRST_BYTES, Sniffed, sniff},
    stream::{Link, LinkInfo, Protocol},
};
pub use crate::{
    rfc8998::{ClientAuth, ConfigError},
    tlcp::PeerQuirk,
};

#[cfg(test)]
mod tests;
