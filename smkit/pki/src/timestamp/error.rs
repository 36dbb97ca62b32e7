//! Why a time stamp was refused.

use super::TimeStampFailure;
use crate::{
    CmsError, FormError, PathError,
    reasons::{self, Reason, speak},
};

/// Why a time stamp was refused, or could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeStampError {
    /// The bytes are no request, response or token.
    Form(FormError),
    /// The authority granted none.
    Refused {
        /// Why, if it said so in a way known here.
        failure: Option<TimeStampFailure>,
    },
    /// The token is over something else than what was sent.
    Imprint,
    /// The nonce is not the one sent: an old token, or another's.
    Nonce,
    /// The policy is not the one asked for.
    Policy,
    /// The token does not say, by SM3, which certificate signed it, or names another.
    SigningCertificate,
    /// The token says to be of somebody else than who signed it.
    Authority,
    /// The signature is refused.
    Signature(CmsError),
    /// The authority's certificate is refused, at the time the token states.
    Path(PathError),
    /// The time cannot be written: before 1970 or after 9999, or an accuracy out of range.
    Time,
}

impl TimeStampError {
    /// Code, kind and sentences of this refusal.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::Form(error) => error.reason(),
            Self::Refused { .. } => reasons::TIME_STAMP_REFUSED,
            Self::Imprint => reasons::TIME_STAMP_IMPRINT,
            Self::Nonce => reasons::TIME_STAMP_NONCE,
            Self::Policy => reasons::TIME_STAMP_POLICY,
            Self::SigningCertificate => reasons::TIME_STAMP_SIGNING_CERTIFICATE,
            Self::Authority => reasons::TIME_STAMP_AUTHORITY,
            Self::Signature(error) => error.reason(),
            Self::Path(error) => error.reason(),
            Self::Time => reasons::TIME_STAMP_TIME,
        }
    }

    fn facts(&self) -> Vec<String> {
        match self {
            Self::Form(error) => error.facts(),
            Self::Signature(error) => error.facts(),
            Self::Path(error) => error.facts(),
            Self::Refused { failure } => {
                vec![failure.map_or("-", TimeStampFailure::name).to_owned()]
            }
            Self::Imprint
            | Self::Nonce
            | Self::Policy
            | Self::SigningCertificate
            | Self::Authority
            | Self::Time => Vec::new(),
        }
    }
}

speak!(TimeStampError);

impl From<FormError> for TimeStampError {
    fn from(error: FormError) -> Self {
        Self::Form(error)
    }
}

impl From<CmsError> for TimeStampError {
    fn from(error: CmsError) -> Self {
        match error {
            CmsError::Form(error) => Self::Form(error),
            CmsError::Path(error) => Self::Path(error),
            other => Self::Signature(other),
        }
    }
}
