//! What an authority sends back for a request (GM/T 0092-2020 §8).

use std::fmt;

use der::{Decode, Encode, Sequence, asn1::Any};
use smkit::{
    Random,
    sm2::{EncryptError, EnvelopedKeyError, PrivateKey},
};

use crate::{
    Certificate, FormError,
    form::Form,
    limits::{RESPONSE_BYTES_MAX, RESPONSE_CERTIFICATES_MAX},
    reasons::{self, Reason, speak},
    unsorted::Unsorted,
};

/// The answer to a request (证书应答, `CSRResponse`): signing certificate, and in the dual-certificate scheme
/// (双证书) the encryption certificate with its private key, which the authority made, enveloped for the signing key.
///
/// The certificates are sets: authorities may stand beside them. Nothing here is verified up to an anchor, and the
/// envelope authenticates nobody: judge what [`CertificationResponse::open`] gives with
/// [`crate::Validator::verify_pair`].
#[derive(Clone, PartialEq, Eq)]
pub struct CertificationResponse {
    der: Vec<u8>,
    signing: Vec<Certificate>,
    enveloped_key: Option<Vec<u8>>,
    encryption: Vec<Certificate>,
}

/// What the holder of the signing key finds in an answer.
#[derive(Clone, Debug)]
pub struct IssuedIdentity {
    /// The certificate of the holder's own key.
    pub signing: Certificate,
    /// The encryption certificate and its private key.
    pub encryption: Option<(Certificate, PrivateKey)>,
    /// What else was sent along: authorities, if anything.
    pub authorities: Vec<Certificate>,
}

impl CertificationResponse {
    /// An answer with signing certificates alone: the one asked for, and authorities as wanted.
    ///
    /// # Errors
    /// None or too many certificates, or one twice.
    pub fn signing_only(signing: &[Certificate]) -> Result<Self, CertificationResponseError> {
        Self::build(signing, None, &[])
    }

    /// An answer with both certificates; `encryption_key` is enveloped for the key of `signing`.
    ///
    /// # Errors
    /// The key is not that of `encryption`, or the random source failed.
    pub fn pair(
        signing: &Certificate,
        encryption: &Certificate,
        encryption_key: &PrivateKey,
        authorities: &[Certificate],
        random: &mut dyn Random,
    ) -> Result<Self, CertificationResponseError> {
        if encryption_key.public_key() != encryption.public_key() {
            return Err(CertificationResponseError::Key);
        }
        let enveloped = encryption_key
            .to_enveloped_der(signing.public_key(), random)
            .map_err(|_: EncryptError| CertificationResponseError::Envelope)?;
        let signing = [std::slice::from_ref(signing), authorities].concat();
        Self::build(&signing, Some(&enveloped), std::slice::from_ref(encryption))
    }

    fn build(
        signing: &[Certificate],
        enveloped_key: Option<&[u8]>,
        encryption: &[Certificate],
    ) -> Result<Self, CertificationResponseError> {
        let encoded = || {
            let response = Response {
                signing: to_set(signing)?,
                enveloped_key: enveloped_key.map(Any::from_der).transpose()?,
                encryption: (!encryption.is_empty()).then(|| to_set(encryption)).transpose()?,
            };
            response.to_der()
        };
        Self::from_der(&encoded().map_err(|error| FORM.der(&error))?)
    }

    /// Parses DER strictly.
    ///
    /// # Errors
    /// [`CertificationResponseError::Form`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificationResponseError> {
        let parsed: Response = FORM.read(der, RESPONSE_BYTES_MAX)?;
        let signing = from_set(&parsed.signing)?;
        let encryption = parsed.encryption.as_ref().map(from_set).transpose()?;
        if encryption.is_some() != parsed.enveloped_key.is_some() {
            return Err(FORM.malformed("an encryption certificate without its key").into());
        }
        let enveloped_key = parsed.enveloped_key.map(|key| key.to_der()).transpose();
        Ok(Self {
            der: der.to_vec(),
            signing,
            enveloped_key: enveloped_key.map_err(|error| FORM.der(&error))?,
            encryption: encryption.unwrap_or_default(),
        })
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Finds the certificate of the holder's key, opens the envelope, and finds the certificate of what was inside.
    ///
    /// # Errors
    /// No certificate for a key, or an envelope for another key.
    pub fn open(&self, holder: &PrivateKey) -> Result<IssuedIdentity, CertificationResponseError> {
        let of = |list: &[Certificate], key: &PrivateKey| {
            let found = list.iter().find(|found| found.public_key() == key.public_key());
            found.cloned().ok_or(CertificationResponseError::Key)
        };
        let signing = of(&self.signing, holder)?;
        let encryption = match &self.enveloped_key {
            Some(enveloped) => {
                let key = holder
                    .open_enveloped_der(enveloped)
                    .map_err(|_: EnvelopedKeyError| CertificationResponseError::Envelope)?;
                Some((of(&self.encryption, &key)?, key))
            }
            None => None,
        };
        let own = |found: &&Certificate| {
            **found != signing && encryption.as_ref().is_none_or(|(known, _)| **found != *known)
        };
        let authorities =
            self.signing.iter().chain(&self.encryption).filter(own).cloned().collect();
        Ok(IssuedIdentity { signing, encryption, authorities })
    }
}

impl fmt::Debug for CertificationResponse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CertificationResponse")
            .field("signing", &self.signing)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

/// Why an answer was refused, or could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificationResponseError {
    /// The bytes are no answer.
    Form(FormError),
    /// There is no certificate for a key.
    Key,
    /// The private key could not be enveloped, or the envelope is for another key or altered.
    Envelope,
}

impl CertificationResponseError {
    /// Code, kind and sentences of this refusal.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::Form(error) => error.reason(),
            Self::Key => reasons::RESPONSE_KEY,
            Self::Envelope => reasons::RESPONSE_ENVELOPE,
        }
    }

    fn facts(&self) -> Vec<String> {
        match self {
            Self::Form(error) => error.facts(),
            Self::Key | Self::Envelope => Vec::new(),
        }
    }
}

speak!(CertificationResponseError);

impl From<FormError> for CertificationResponseError {
    fn from(error: FormError) -> Self {
        Self::Form(error)
    }
}

/// `CSRResponse` (GM/T 0092-2020 appendix A). The standard's text was not at hand; the tags are those of the
/// implementations that exist: the key explicit, the set of certificates implicit.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Response {
    signing: Unsorted<Any>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    enveloped_key: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    encryption: Option<Unsorted<Any>>,
}

fn to_set(certificates: &[Certificate]) -> der::Result<Unsorted<Any>> {
    let parsed = certificates.iter().map(|found| Any::from_der(found.der()));
    Unsorted::sorted(parsed.collect::<der::Result<Vec<_>>>()?)
}

fn from_set(set: &Unsorted<Any>) -> Result<Vec<Certificate>, FormError> {
    if set.0.is_empty() {
        return Err(FORM.malformed("an empty set of certificates"));
    }
    if set.0.len() > RESPONSE_CERTIFICATES_MAX {
        return Err(FORM.too_large(set.0.len()));
    }
    if set.0.iter().enumerate().any(|(index, one)| set.0.iter().take(index).any(|e| e == one)) {
        return Err(FORM.malformed("a certificate twice"));
    }
    set.0
        .iter()
        .map(|found| {
            let der = found.to_der().map_err(|error| FORM.der(&error))?;
            Ok(Certificate::from_der(&der)?)
        })
        .collect()
}

const FORM: Form = Form("certification response");

#[cfg(test)]
mod tests;
