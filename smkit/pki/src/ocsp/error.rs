//! Why a response was refused.

use super::OcspFailure;
use crate::{
    FormError, PathError,
    reasons::{self, Reason, speak},
};

/// Why a response was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OcspError {
    /// The bytes are no request or response, or a response cannot be made.
    Form(FormError),
    /// The responder gave no answer.
    Failure(OcspFailure),
    /// Neither the issuer nor a responder certified by it is named as the signer.
    Responder,
    /// The responder's own certificate may not answer for the issuer.
    ResponderCertificate(PathError),
    /// The signature is not the responder's.
    Signature,
    /// The nonce is not the one sent: an old answer, or another's.
    Nonce,
    /// A certificate that was asked about has no answer.
    Unanswered,
}

impl OcspError {
    /// Code, kind and sentences of this refusal.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::Form(error) => error.reason(),
            Self::Failure(_) => reasons::OCSP_FAILURE,
            Self::Responder => reasons::OCSP_RESPONDER,
            Self::ResponderCertificate(_) => reasons::OCSP_RESPONDER_CERTIFICATE,
            Self::Signature => reasons::OCSP_SIGNATURE,
            Self::Nonce => reasons::OCSP_NONCE,
            Self::Unanswered => reasons::OCSP_UNANSWERED,
        }
    }

    fn facts(&self) -> Vec<String> {
        match self {
            Self::Form(error) => error.facts(),
            Self::Failure(failure) => vec![failure.name().to_owned()],
            Self::ResponderCertificate(error) => vec![error.to_string()],
            Self::Responder | Self::Signature | Self::Nonce | Self::Unanswered => Vec::new(),
        }
    }
}

speak!(OcspError);

impl From<FormError> for OcspError {
    fn from(error: FormError) -> Self {
        Self::Form(error)
    }
}
