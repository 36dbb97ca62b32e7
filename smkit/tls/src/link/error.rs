//! Why there is no link.

use std::io;

use super::{ConfigError, Protocol, metered::HandshakeTooLarge};
use crate::{peer::PeerRefusal, tlcp::TlcpError};

/// Why a handshake did not become a link.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The stream failed or ended.
    #[error("the connection failed: {0}")]
    Io(#[source] io::Error),
    /// The client speaks neither TLS nor TLCP.
    #[error("the first bytes {first:02x?} belong to neither TLS 1.3 nor TLCP")]
    Foreign {
        /// What it began with.
        first: Vec<u8>,
    },
    /// The credentials have no certificates for this protocol.
    #[error("{protocol} is not enabled here")]
    Disabled {
        /// What the client speaks, or was asked to.
        protocol: Protocol,
    },
    /// The handshake was not over in time.
    #[error("the handshake took longer than {deadline_ms} ms")]
    Deadline {
        /// The bound that was met.
        deadline_ms: u128,
    },
    /// The peer sent more than a handshake may have.
    #[error("the peer sent more than {bytes_max} bytes of handshake")]
    TooLarge {
        /// The bound that was met.
        bytes_max: usize,
    },
    /// Too many handshakes were under way, and this was the oldest.
    #[error("the handshake had to make room for newer ones")]
    Evicted,
    /// The peer's certificates were refused; the peer was told by the alert in the refusal.
    #[error("the peer was refused: {0}")]
    Refused(#[source] PeerRefusal),
    /// The peer broke the connection off with this alert (RFC 8446 §6).
    #[error("the peer answered with alert {number}")]
    Alert {
        /// `AlertDescription` of TLS, or of TLCP where they differ.
        number: u8,
    },
    /// TLS 1.3 was broken, by the peer or on the way.
    #[error("the handshake failed: {0}")]
    Tls(#[source] rustls::Error),
    /// TLCP was broken, by the peer or on the way.
    #[error("the handshake failed: {0}")]
    Tlcp(#[source] TlcpError),
    /// Not a name that a server can be dialled under.
    #[error("{name:?} is neither a DNS name nor an IP address")]
    Name {
        /// What was asked for.
        name: String,
    },
    /// The credentials do not fit together.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// The alert with which the peer ended a link, if that is why reading or writing it failed.
///
/// A TLS 1.3 client learns here, not from [`Connector::connect`](super::Connector::connect), that the server refuses its
/// certificate: the client's handshake is over before the server has seen it (RFC 8446 §4.4.2).
#[must_use]
pub fn alert_received(error: &io::Error) -> Option<u8> {
    let inner = error.get_ref()?;
    if let Some(rustls::Error::AlertReceived(alert)) = inner.downcast_ref() {
        return Some(u8::from(*alert));
    }
    match inner.downcast_ref() {
        Some(TlcpError::AlertReceived { description }) => Some(description.0),
        _ => None,
    }
}

impl LinkError {
    /// What came out of a handshake on tokio's side; `refusal` is the verifier's reason, if it refused.
    pub(super) fn from_handshake(
        error: io::Error,
        refusal: Option<PeerRefusal>,
        bytes_max: usize,
    ) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<HandshakeTooLarge>()) {
            return Self::TooLarge { bytes_max };
        }
        if let Some(number) = alert_received(&error) {
            return Self::Alert { number };
        }
        let Some(inner) = error.get_ref() else { return Self::Io(error) };
        if let Some(tls) = inner.downcast_ref() {
            return match (tls, refusal) {
                (rustls::Error::InvalidCertificate(_), Some(refusal)) => Self::Refused(refusal),
                (rustls::Error::NoCertificatesPresented, _) => {
                    Self::Refused(PeerRefusal::no_certificate())
                }
                (other, _) => Self::Tls(other.clone()),
            };
        }
        match inner.downcast_ref() {
            Some(TlcpError::Refused(refusal)) => Self::Refused(refusal.clone()),
            Some(TlcpError::Certificate { source, .. }) => {
                Self::Refused(PeerRefusal::unreadable(source))
            }
            Some(TlcpError::NoCertificate) => Self::Refused(PeerRefusal::no_certificate()),
            Some(other) => Self::Tlcp(other.clone()),
            None => Self::Io(error),
        }
    }
}

impl From<io::Error> for LinkError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
