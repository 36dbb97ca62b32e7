//! Why bytes are no certificate we work with.

use smkit::sm2::{PublicKeyError, SignatureError};

use crate::{
    algorithm,
    reasons::{self, Reason, speak},
};

/// Why bytes are no certificate we work with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not DER, not X.509 v3, or a field outside its rules.
    Malformed {
        /// Byte offset where decoding stopped, if known.
        offset: Option<u32>,
        /// What is wrong.
        reason: String,
    },
    /// The subject's key is not an SM2 key.
    KeyAlgorithm {
        /// The algorithm, or for elliptic-curve keys the curve.
        oid: String,
        /// What people call it.
        name: &'static str,
    },
    /// The certificate is not signed with SM2-with-SM3.
    SignatureAlgorithm {
        /// The algorithm found.
        oid: String,
        /// What people call it.
        name: &'static str,
    },
    /// The key bytes are no point of the SM2 curve.
    Key(PublicKeyError),
    /// The signature bytes are not in the DER form of an SM2 signature.
    Signature(SignatureError),
    /// More than [`crate::CERTIFICATE_BYTES_MAX`] bytes.
    TooLarge {
        /// Size received.
        bytes: usize,
    },
    /// The PEM text is not what was asked for.
    Pem {
        /// What is wrong.
        reason: &'static str,
    },
}

impl CertificateError {
    /// Code, kind and sentences of this refusal.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::Malformed { .. } => reasons::MALFORMED,
            Self::KeyAlgorithm { .. } => reasons::KEY_ALGORITHM,
            Self::SignatureAlgorithm { .. } => reasons::SIGNATURE_ALGORITHM,
            Self::Key(_) => reasons::KEY,
            Self::Signature(_) => reasons::SIGNATURE_FORM,
            Self::TooLarge { .. } => reasons::TOO_LARGE,
            Self::Pem { .. } => reasons::PEM,
        }
    }

    pub(crate) fn malformed(reason: &str) -> Self {
        Self::Malformed { offset: None, reason: reason.to_owned() }
    }

    pub(crate) fn key_algorithm(oid: &der::asn1::ObjectIdentifier) -> Self {
        Self::KeyAlgorithm { oid: oid.to_string(), name: algorithm::name(oid) }
    }

    pub(crate) fn signature_algorithm(oid: &der::asn1::ObjectIdentifier) -> Self {
        Self::SignatureAlgorithm { oid: oid.to_string(), name: algorithm::name(oid) }
    }

    pub(crate) fn facts(&self) -> Vec<String> {
        match self {
            Self::Malformed { offset: Some(offset), reason } => {
                vec![format!("{reason} (byte {offset})")]
            }
            Self::Malformed { offset: None, reason } => vec![reason.clone()],
            Self::KeyAlgorithm { oid, name } | Self::SignatureAlgorithm { oid, name } => {
                vec![oid.clone(), (*name).to_owned()]
            }
            Self::TooLarge { bytes } => vec![bytes.to_string()],
            Self::Pem { reason } => vec![(*reason).to_owned()],
            Self::Key(error) => vec![error.to_string()],
            Self::Signature(error) => vec![error.to_string()],
        }
    }
}

speak!(CertificateError);

impl From<PublicKeyError> for CertificateError {
    fn from(error: PublicKeyError) -> Self {
        Self::Key(error)
    }
}

impl From<SignatureError> for CertificateError {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl From<der::Error> for CertificateError {
    fn from(error: der::Error) -> Self {
        Self::Malformed {
            offset: error.position().map(u32::from),
            reason: error.kind().to_string(),
        }
    }
}
