//! Alerts (GB/T 38636-2020 §6.4.3, RFC 5246 §7.2).

use std::fmt;

use crate::peer::PeerAlert;

/// What an alert says. An open set: peers send codes of their own.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AlertDescription(pub u8);

/// How an alert ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertLevel {
    /// The connection goes on.
    Warning,
    /// The connection is over.
    Fatal,
}

impl AlertLevel {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Warning => 1,
            Self::Fatal => 2,
        }
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Warning),
            2 => Some(Self::Fatal),
            _ => None,
        }
    }
}

macro_rules! alerts {
    ($($name:ident = $code:literal, $text:literal, $doc:literal;)*) => {
        impl AlertDescription {
            $(#[doc = $doc] pub const $name: Self = Self($code);)*

            /// The standard's name; `None` for a code it does not know.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

alerts! {
    CLOSE_NOTIFY = 0, "close_notify", "The sender sends no more.";
    UNEXPECTED_MESSAGE = 10, "unexpected_message", "A message out of its place.";
    BAD_RECORD_MAC = 20, "bad_record_mac", "A record that is not authentic.";
    DECRYPTION_FAILED = 21, "decryption_failed", "Never sent: it would tell padding from MAC.";
    RECORD_OVERFLOW = 22, "record_overflow", "A record longer than allowed.";
    DECOMPRESSION_FAILURE = 30, "decompression_failure", "Never sent: nothing is compressed.";
    HANDSHAKE_FAILURE = 40, "handshake_failure", "Nothing both sides accept.";
    BAD_CERTIFICATE = 42, "bad_certificate", "A malformed certificate or a bad signature on it.";
    UNSUPPORTED_CERTIFICATE = 43, "unsupported_certificate", "A certificate of the wrong kind.";
    CERTIFICATE_REVOKED = 44, "certificate_revoked", "A revoked certificate.";
    CERTIFICATE_EXPIRED = 45, "certificate_expired", "A certificate outside its validity.";
    CERTIFICATE_UNKNOWN = 46, "certificate_unknown", "A certificate refused for another reason.";
    ILLEGAL_PARAMETER = 47, "illegal_parameter", "A field that contradicts another.";
    UNKNOWN_CA = 48, "unknown_ca", "No path to a trusted authority.";
    ACCESS_DENIED = 49, "access_denied", "A good certificate whose subject may not come in.";
    DECODE_ERROR = 50, "decode_error", "A malformed message.";
    DECRYPT_ERROR = 51, "decrypt_error", "A signature or Finished that is wrong.";
    PROTOCOL_VERSION = 70, "protocol_version", "Another version than 1.1 of TLCP.";
    INSUFFICIENT_SECURITY = 71, "insufficient_security", "Offers too weak for the server.";
    INTERNAL_ERROR = 80, "internal_error", "A failure that is not the peer's.";
    USER_CANCELED = 90, "user_canceled", "Called off by a person.";
    NO_RENEGOTIATION = 100, "no_renegotiation", "A second handshake is refused.";
    UNSUPPORTED_EXTENSION = 110, "unsupported_extension", "An extension nobody asked for.";
    UNRECOGNIZED_NAME = 112, "unrecognized_name", "A server name unknown here.";
    NO_APPLICATION_PROTOCOL = 120, "no_application_protocol", "No application protocol in common.";
    UNSUPPORTED_SITE2SITE = 200, "unsupported_site2site", "No site-to-site mode.";
    NO_AREA = 201, "no_area", "Identity-based suites: no such area.";
    UNSUPPORTED_AREATYPE = 202, "unsupported_areatype", "Identity-based suites: unknown kind of area.";
    BAD_IBCPARAM = 203, "bad_ibcparam", "Identity-based suites: bad parameters.";
    UNSUPPORTED_IBCPARAM = 204, "unsupported_ibcparam", "Identity-based suites: unsupported parameters.";
    IDENTITY_NEED = 205, "identity_need", "Identity-based suites: an identity is missing.";
}

impl fmt::Debug for AlertDescription {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for AlertDescription {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(out, "{name} ({})", self.0),
            None => write!(out, "alert {}", self.0),
        }
    }
}

impl From<PeerAlert> for AlertDescription {
    fn from(alert: PeerAlert) -> Self {
        match alert {
            PeerAlert::BadCertificate => Self::BAD_CERTIFICATE,
            PeerAlert::UnsupportedCertificate => Self::UNSUPPORTED_CERTIFICATE,
            PeerAlert::CertificateRevoked => Self::CERTIFICATE_REVOKED,
            PeerAlert::CertificateExpired => Self::CERTIFICATE_EXPIRED,
            PeerAlert::CertificateUnknown => Self::CERTIFICATE_UNKNOWN,
            PeerAlert::UnknownCa => Self::UNKNOWN_CA,
            PeerAlert::AccessDenied => Self::ACCESS_DENIED,
        }
    }
}
