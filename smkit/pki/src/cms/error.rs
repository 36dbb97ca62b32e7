//! Why a message was refused.

use crate::{
    FormError, PathError,
    reasons::{self, Reason, speak},
};

/// Why a message was refused, or could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CmsError {
    /// The bytes are no message of the kind asked for.
    Form(FormError),
    /// The content is neither in the message nor given beside it, or both and different.
    Content,
    /// No certificate of a signer is in the message or known.
    NoCertificate {
        /// The signer's serial number.
        serial: String,
    },
    /// The digest among the signed attributes is not that of the content.
    Digest,
    /// The signature is not the signer's.
    Signature,
    /// The signer's certificate is refused.
    Path(PathError),
    /// The signature covers content that has the form of signed attributes: made from a signature over attributes, or
    /// meant to become one.
    Disguised,
    /// The envelope is not for this certificate and key, or was altered; there is deliberately one reason only.
    Envelope,
    /// The random source failed, or a key could not be encrypted.
    Encrypt,
}

impl CmsError {
    /// Code, kind and sentences of this refusal.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::Form(error) => error.reason(),
            Self::Content => reasons::CMS_CONTENT,
            Self::NoCertificate { .. } => reasons::CMS_NO_CERTIFICATE,
            Self::Digest => reasons::CMS_DIGEST,
            Self::Signature => reasons::CMS_SIGNATURE,
            Self::Path(error) => error.reason(),
            Self::Disguised => reasons::CMS_DISGUISED,
            Self::Envelope => reasons::CMS_ENVELOPE,
            Self::Encrypt => reasons::CMS_ENCRYPT,
        }
    }

    pub(crate) fn facts(&self) -> Vec<String> {
        match self {
            Self::Form(error) => error.facts(),
            Self::Path(error) => error.facts(),
            Self::NoCertificate { serial } => vec![serial.clone()],
            Self::Content
            | Self::Digest
            | Self::Signature
            | Self::Disguised
            | Self::Envelope
            | Self::Encrypt => Vec::new(),
        }
    }
}

speak!(CmsError);

impl From<FormError> for CmsError {
    fn from(error: FormError) -> Self {
        Self::Form(error)
    }
}

impl From<PathError> for CmsError {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}
