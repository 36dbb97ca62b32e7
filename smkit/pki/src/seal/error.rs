//! Why a seal, or a signature with one, was refused.

use crate::{
    FormError, PathError, TimeStampError,
    reasons::{self, Reason, speak},
};

/// Why a seal, or a signature with one, was refused or could not be made; each step of the check has its own code.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// The bytes are no seal, or no signature with one.
    Form(FormError),
    /// The maker's signature on the seal is wrong.
    MakerSignature,
    /// The seal says to be made after the moment at which it is judged, or outside the maker's certificate.
    Created {
        /// Seconds since 1970.
        created: i64,
    },
    /// The maker's certificate is refused.
    Maker(PathError),
    /// The seal is not valid at that moment.
    Validity {
        /// Seconds since 1970.
        at: i64,
    },
    /// The time stamp of the seal is wrong, or earlier than the seal.
    SealTimeStamp(TimeStampError),
    /// The signature is not the signer's.
    Signature,
    /// The signer's certificate is not among those the seal is for.
    NotListed,
    /// The signer's certificate is refused.
    Signer(PathError),
    /// It is dated in the future.
    Future {
        /// Seconds since 1970.
        at: i64,
    },
    /// The time stamp over the signature is wrong.
    TimeStamp(TimeStampError),
    /// What was signed is something else.
    Data,
    /// The key is not the certificate's, or the certificate is not for seals.
    Key,
}

impl SealError {
    /// Code, kind and sentences of this refusal.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::Form(error) => error.reason(),
            Self::MakerSignature => reasons::SEAL_MAKER_SIGNATURE,
            Self::Created { .. } => reasons::SEAL_CREATED,
            Self::Maker(_) => reasons::SEAL_MAKER,
            Self::Validity { .. } => reasons::SEAL_VALIDITY,
            Self::SealTimeStamp(_) => reasons::SEAL_TIME_STAMP,
            Self::Signature => reasons::SEALED_SIGNATURE,
            Self::NotListed => reasons::SEALED_NOT_LISTED,
            Self::Signer(_) => reasons::SEALED_SIGNER,
            Self::Future { .. } => reasons::SEALED_FUTURE,
            Self::TimeStamp(_) => reasons::SEALED_TIME_STAMP,
            Self::Data => reasons::SEALED_DATA,
            Self::Key => reasons::SEALED_KEY,
        }
    }

    /// The certificate's refusal, where that is the reason.
    #[must_use]
    pub const fn path(&self) -> Option<&PathError> {
        match self {
            Self::Maker(error) | Self::Signer(error) => Some(error),
            _ => None,
        }
    }

    fn facts(&self) -> Vec<String> {
        match self {
            Self::Form(error) => error.facts(),
            Self::Created { created: at } | Self::Validity { at } | Self::Future { at } => {
                vec![at.to_string()]
            }
            Self::Maker(error) | Self::Signer(error) => vec![error.code().to_owned()],
            Self::SealTimeStamp(error) | Self::TimeStamp(error) => vec![error.code().to_owned()],
            Self::MakerSignature | Self::Signature | Self::NotListed | Self::Data | Self::Key => {
                Vec::new()
            }
        }
    }
}

speak!(SealError);

impl From<FormError> for SealError {
    fn from(error: FormError) -> Self {
        Self::Form(error)
    }
}
