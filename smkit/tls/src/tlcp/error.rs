//! Why a connection ended, and with which alert the peer is told.

use smkit::RandomError;
use smkit_pki::CertificateError;

use crate::{
    peer::PeerRefusal,
    tlcp::{
        alert::{AlertDescription, AlertLevel},
        messages::MessageKind,
    },
};

/// Why a connection failed. The connection is over; the peer was told by [`TlcpError::alert`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlcpError {
    /// The peer ended the connection with a fatal alert, or with `close_notify` before the handshake was complete.
    #[error("the peer sent the alert {description}")]
    AlertReceived {
        /// What the peer said.
        description: AlertDescription,
    },
    /// A record of a type that does not exist.
    #[error("record of unknown type {code}")]
    UnknownContentType {
        /// Its code.
        code: u8,
    },
    /// An alert or `ChangeCipherSpec` of the wrong form, or an empty record where none may be.
    #[error("malformed record: {reason}")]
    MalformedRecord {
        /// What is wrong.
        reason: &'static str,
    },
    /// A record longer than the standard allows.
    #[error("a record of {bytes} bytes, at most {bytes_max} are allowed")]
    RecordOverflow {
        /// Length received.
        bytes: usize,
        /// Bound.
        bytes_max: usize,
    },
    /// A record that is not authentic; deliberately without detail.
    #[error("a record is not authentic")]
    BadRecordMac,
    /// Too many records without content in a row.
    #[error("too many empty records")]
    TooManyEmptyRecords,
    /// Too many alerts of level warning.
    #[error("too many warnings")]
    TooManyWarnings,
    /// A message whose structure is wrong, or whose length its content contradicts.
    #[error("malformed {message}")]
    Malformed {
        /// Which message.
        message: MessageKind,
    },
    /// A handshake message of a kind that does not exist.
    #[error("handshake message of unknown kind {kind}")]
    UnknownMessage {
        /// Its code.
        kind: u8,
    },
    /// A handshake message above its bound.
    #[error("{message} of {bytes} bytes, at most {bytes_max} are allowed")]
    Oversized {
        /// Which message.
        message: MessageKind,
        /// Length announced, without the header.
        bytes: usize,
        /// Bound.
        bytes_max: usize,
    },
    /// A message out of its place: reordered, repeated, or missing its predecessor.
    #[error("received {received}, expected {expected}")]
    UnexpectedMessage {
        /// What came.
        received: &'static str,
        /// What may come here.
        expected: &'static str,
    },
    /// A record of another protocol than TLCP 1.1: what a TLS client sends first, for one.
    #[error("a record of protocol version {major}.{minor}, which is not TLCP 1.1")]
    ForeignRecord {
        /// Major number received.
        major: u8,
        /// Minor number received.
        minor: u8,
    },
    /// A hello with another protocol version than 1.1 of TLCP.
    #[error("protocol version {major}.{minor} is not TLCP 1.1")]
    ProtocolVersion {
        /// Major number received.
        major: u8,
        /// Minor number received.
        minor: u8,
    },
    /// The client offers no cipher suite that this server may use with it.
    #[error("no cipher suite in common")]
    NoSharedSuite,
    /// The server chose a cipher suite that was not offered, or changed that of a resumed session.
    #[error("the server chose cipher suite {id:#06x}")]
    WrongSuite {
        /// Identifier received.
        id: u16,
    },
    /// A field with a value that is not allowed.
    #[error("illegal {field} in {message}")]
    IllegalParameter {
        /// Which message.
        message: MessageKind,
        /// Which field.
        field: &'static str,
    },
    /// An extension that occurs twice.
    #[error("extension {extension} occurs twice in {message}")]
    DuplicateExtension {
        /// Which message.
        message: MessageKind,
        /// Number of the extension.
        extension: u16,
    },
    /// The server answered an extension that was not sent.
    #[error("the server answered extension {extension}, which was not offered")]
    UnsolicitedExtension {
        /// Number of the extension.
        extension: u16,
    },
    /// Both sides name application protocols, but none in common.
    #[error("no application protocol in common")]
    NoApplicationProtocol,
    /// A certificate that cannot be read.
    #[error("certificate {index} of the peer")]
    Certificate {
        /// Its place in the message, from 0.
        index: usize,
        /// What is wrong with it.
        #[source]
        source: CertificateError,
    },
    /// More certificates than [`super::CHAIN_CERTIFICATES_MAX`].
    #[error("{count} certificates are too many")]
    TooManyCertificates {
        /// How many.
        count: usize,
    },
    /// No certificate where one is required.
    #[error("the peer sent no certificate")]
    NoCertificate,
    /// The pair lacks its encryption certificate (加密证书).
    #[error("the peer sent no encryption certificate")]
    NoEncryptionCertificate,
    /// The two certificates of the pair have different subjects.
    #[error("the peer's signing and encryption certificates have different subjects")]
    SubjectsDiffer,
    /// A certificate whose key usage does not allow what the protocol does with it.
    #[error("the peer's {half} certificate may not be used as one")]
    CertificateUsage {
        /// `signing` or `encryption`.
        half: &'static str,
    },
    /// The verifier refused the peer.
    #[error("the peer is refused")]
    Refused(#[from] PeerRefusal),
    /// The signature in `ServerKeyExchange` or `CertificateVerify` is not the peer's.
    #[error("the signature in {message} is invalid")]
    BadSignature {
        /// Which message.
        message: MessageKind,
    },
    /// The peer's Finished does not cover this handshake: somebody changed it, or the keys differ.
    #[error("the peer's Finished is wrong")]
    BadFinished,
    /// The peer's point of the SM2 key exchange cannot be used.
    #[error("the key exchange failed")]
    KeyExchange,
    /// The peer wants a second handshake.
    #[error("renegotiation is refused")]
    Renegotiation,
    /// The key has protected as many records as it may.
    #[error("the connection has used up its keys")]
    KeysExhausted,
    /// The random source failed.
    #[error("randomness")]
    Random(#[from] RandomError),
}

impl TlcpError {
    /// What the peer is told; `None` when it spoke last.
    #[must_use]
    pub fn alert(&self) -> Option<(AlertLevel, AlertDescription)> {
        let description = match self {
            Self::AlertReceived { .. } => return None,
            // RFC 5246 §7.2.2: this one is always a warning, even from one who then hangs up.
            Self::Renegotiation => {
                return Some((AlertLevel::Warning, AlertDescription::NO_RENEGOTIATION));
            }
            Self::KeysExhausted => {
                return Some((AlertLevel::Warning, AlertDescription::CLOSE_NOTIFY));
            }
            Self::RecordOverflow { .. } => AlertDescription::RECORD_OVERFLOW,
            Self::BadRecordMac => AlertDescription::BAD_RECORD_MAC,
            Self::MalformedRecord { .. } | Self::Malformed { .. } | Self::Oversized { .. } => {
                AlertDescription::DECODE_ERROR
            }
            Self::TooManyEmptyRecords
            | Self::TooManyWarnings
            | Self::UnknownContentType { .. }
            | Self::UnknownMessage { .. }
            | Self::UnexpectedMessage { .. } => AlertDescription::UNEXPECTED_MESSAGE,
            Self::ForeignRecord { .. } | Self::ProtocolVersion { .. } => {
                AlertDescription::PROTOCOL_VERSION
            }
            Self::NoSharedSuite | Self::NoCertificate => AlertDescription::HANDSHAKE_FAILURE,
            Self::WrongSuite { .. }
            | Self::IllegalParameter { .. }
            | Self::DuplicateExtension { .. }
            | Self::KeyExchange => AlertDescription::ILLEGAL_PARAMETER,
            Self::UnsolicitedExtension { .. } => AlertDescription::UNSUPPORTED_EXTENSION,
            Self::NoApplicationProtocol => AlertDescription::NO_APPLICATION_PROTOCOL,
            Self::Certificate { .. }
            | Self::TooManyCertificates { .. }
            | Self::NoEncryptionCertificate
            | Self::SubjectsDiffer => AlertDescription::BAD_CERTIFICATE,
            Self::CertificateUsage { .. } => AlertDescription::UNSUPPORTED_CERTIFICATE,
            Self::Refused(refusal) => refusal.alert.into(),
            Self::BadSignature { .. } | Self::BadFinished => AlertDescription::DECRYPT_ERROR,
            Self::Random(_) => AlertDescription::INTERNAL_ERROR,
        };
        Some((AlertLevel::Fatal, description))
    }

    pub(crate) const fn illegal(message: MessageKind, field: &'static str) -> Self {
        Self::IllegalParameter { message, field }
    }
}

/// Why a configuration cannot work; found before any peer is spoken to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A private key is not that of its certificate.
    #[error("the {half} key does not belong to its certificate")]
    KeyMismatch {
        /// `signing` or `encryption`.
        half: &'static str,
    },
    /// A certificate whose key usage does not allow its part.
    #[error("key usage of the {half} certificate does not allow it")]
    KeyUsage {
        /// `signing` or `encryption`.
        half: &'static str,
    },
    /// The two certificates have different subjects.
    #[error("signing and encryption certificates have different subjects")]
    SubjectsDiffer,
    /// More certificates, or longer ones, than a peer need accept.
    #[error("the certificates are too many or too long for one message")]
    ChainTooLong,
    /// No cipher suite left.
    #[error("no cipher suite is enabled")]
    NoSuite,
    /// A server that authenticates no client has only ECDHE suites, which need the client's certificates.
    #[error("ECDHE suites need client certificates")]
    EcdheWithoutClients,
    /// A protocol name is empty or longer than 255 bytes, or all together exceed a hello.
    #[error("an application protocol's name is empty or too long")]
    Alpn,
    /// A server name that cannot be dialled: empty, too long, or with characters that no DNS name has.
    #[error("not a server name")]
    ServerName,
    /// Sessions may live 1 second to a day.
    #[error("sessions may live 1 to 86400 seconds")]
    SessionLifetime,
}
