//! A certificate authority: a CA certificate and its private key.

use std::fmt;

use der::{
    Encode,
    asn1::{BitString, PrintableStringRef},
};
use smkit::{
    Random, RandomError,
    sm2::{PrivateKey, PublicKey, SignerId, SigningKey},
    sm3,
};
use x509_cert::name::RdnSequence;

use crate::{
    Certificate, CertificateError, FormError, SerialNumber, Subject, SubjectError,
    asn1::{self, SignedCertificate, TbsCertificate},
    extensions::{self, Extensions},
};

use profile::Half;
pub use profile::Profile;
pub use terms::{Terms, Validity};

/// A CA that can issue. Holds a private key: `Debug` shows the certificate only.
pub struct Authority {
    certificate: Certificate,
    private: PrivateKey,
    signing: SigningKey,
}

impl Authority {
    /// Joins a CA certificate and its key, as read from disk.
    ///
    /// # Errors
    /// The key does not belong to the certificate, or the certificate may not sign certificates.
    pub fn new(certificate: Certificate, private: PrivateKey) -> Result<Self, AuthorityError> {
        if certificate.public_key() != private.public_key() {
            return Err(AuthorityError::KeyMismatch);
        }
        if !certificate.is_ca() || !certificate.key_usage().key_cert_sign() {
            return Err(AuthorityError::NotACa);
        }
        let signing = signing_key(&private)?;
        Ok(Self { certificate, private, signing })
    }

    /// Makes a new key and a self-signed root without a path length.
    ///
    /// # Errors
    /// See [`AuthorityError`].
    pub fn create_root(
        subject: &Subject,
        validity: Validity,
        random: &mut dyn Random,
    ) -> Result<Self, AuthorityError> {
        let private = PrivateKey::generate(random)?;
        let signing = signing_key(&private)?;
        let profile = Profile::RootCa { path_length: None };
        let terms = Terms::new(subject.try_into()?, private.public_key(), profile, validity);
        let issuer = Issuer { name: &terms.subject.0, key_id: Some(key_id(terms.key)) };
        let certificate = issuer.sign(&terms, Half::Signing, &signing, random)?;
        Ok(Self { certificate, private, signing })
    }

    /// Issues a certificate for somebody else's key. The proof that they hold the private key is the caller's matter.
    ///
    /// `organisation_code` (统一社会信用代码) goes into extension 1.2.156.10260.4.1.4.
    ///
    /// # Errors
    /// See [`AuthorityError`].
    pub fn issue(
        &self,
        subject: &Subject,
        key: &PublicKey,
        profile: Profile,
        validity: Validity,
        organisation_code: Option<&str>,
        random: &mut dyn Random,
    ) -> Result<Certificate, AuthorityError> {
        let subject = subject.try_into()?;
        let terms = Terms { organisation_code, ..Terms::new(subject, key, profile, validity) };
        self.issue_on(&terms, random)
    }

    /// Issues a certificate on these terms, with a random serial number.
    ///
    /// # Errors
    /// See [`AuthorityError`].
    pub fn issue_on(
        &self,
        terms: &Terms<'_>,
        random: &mut dyn Random,
    ) -> Result<Certificate, AuthorityError> {
        self.issue_half(terms, Half::Signing, random)
    }

    /// Issues the two certificates of one subject (双证书): signing first, on these terms; then encryption, alike but for
    /// `encryption_key` and its key usage.
    ///
    /// # Errors
    /// [`AuthorityError::NoPair`], or as [`Authority::issue_on`].
    pub fn issue_pair(
        &self,
        terms: &Terms<'_>,
        encryption_key: &PublicKey,
        random: &mut dyn Random,
    ) -> Result<(Certificate, Certificate), AuthorityError> {
        if !terms.profile.has_pair() || terms.key == encryption_key {
            return Err(AuthorityError::NoPair);
        }
        let signing = self.issue_half(terms, Half::Signing, random)?;
        let encryption = Terms { key: encryption_key, ..terms.clone() };
        Ok((signing, self.issue_half(&encryption, Half::Encryption, random)?))
    }

    fn issue_half(
        &self,
        terms: &Terms<'_>,
        half: Half,
        random: &mut dyn Random,
    ) -> Result<Certificate, AuthorityError> {
        let terms = Terms { profile: self.limit(terms.profile)?, ..terms.clone() };
        let key_id = self.certificate.subject_key_id().map(<[u8]>::to_vec);
        let issuer = Issuer { name: self.certificate.subject_name(), key_id };
        issuer.sign(&terms, half, &self.signing, random)
    }

    /// The CA's certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The CA's private key, for writing it to a protected file.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.private
    }

    pub(crate) const fn signing_key(&self) -> &SigningKey {
        &self.signing
    }

    /// A CA below a limited CA must have a lower limit, or no chain through it would ever verify.
    fn limit(&self, profile: Profile) -> Result<Profile, AuthorityError> {
        match (profile, self.certificate.path_length()) {
            (Profile::RootCa { path_length }, Some(limit)) => {
                let below = limit.checked_sub(1).ok_or(AuthorityError::PathLength { limit })?;
                let path_length = Some(path_length.map_or(below, |wanted| wanted.min(below)));
                Ok(Profile::RootCa { path_length })
            }
            (Profile::IntermediateCa, Some(0)) => Err(AuthorityError::PathLength { limit: 0 }),
            (profile, _) => Ok(profile),
        }
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Authority")
            .field("certificate", &self.certificate)
            .finish_non_exhaustive()
    }
}

/// Why a CA could not be opened or would not issue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The private key is another certificate's.
    #[error("the private key does not belong to the certificate")]
    KeyMismatch,
    /// The certificate may not sign certificates.
    #[error("the certificate is not a certificate authority's")]
    NotACa,
    /// A CA with path length 0 issues no CA.
    #[error("path length {limit} allows no certificate authority below")]
    PathLength {
        /// The issuing CA's limit.
        limit: u8,
    },
    /// The validity is empty or outside 1970 to 9999.
    #[error("validity from {not_before} to {not_after} is empty or out of range")]
    Validity {
        /// First second asked for.
        not_before: i64,
        /// Last second asked for.
        not_after: i64,
    },
    /// The subject cannot stand in a certificate.
    #[error("subject")]
    Subject(#[from] SubjectError),
    /// The organisation code is not a non-empty `PrintableString` of at most 64 characters.
    #[error("the organisation code is not printable")]
    OrganisationCode,
    /// A server or node without a host would be refused by everybody who dials it.
    #[error("a server's certificate names no host")]
    NoHost,
    /// More than 8 URIs, or one that is none.
    #[error("not a URI, or too many")]
    Uri,
    /// The profile has no encryption certificate, or both keys are the same.
    #[error("this profile has no pair, or both keys are the same")]
    NoPair,
    /// The numbers of revocation lists are used up.
    #[error("no number is left for a revocation list")]
    ListNumber,
    /// No random bytes for key or serial number.
    #[error("random")]
    Random(#[from] RandomError),
    /// What was built did not pass our own parser; nothing was issued.
    #[error("encoding")]
    Encoding(#[from] CertificateError),
    /// What was built beside certificates did not pass our own parser; nothing was issued.
    #[error("encoding")]
    Form(#[from] FormError),
}

/// Who signs, as the certificate names it.
struct Issuer<'a> {
    name: &'a RdnSequence,
    key_id: Option<Vec<u8>>,
}

impl Issuer<'_> {
    fn sign(
        self,
        terms: &Terms<'_>,
        half: Half,
        signer: &SigningKey,
        random: &mut dyn Random,
    ) -> Result<Certificate, AuthorityError> {
        check(terms)?;
        let validity = terms.validity.to_asn1()?;
        let serial = SerialNumber::random(random)?;
        let tbs = self.build(terms, half, validity, serial).map_err(CertificateError::from)?;
        let signature = signer.sign(&tbs.to_der().map_err(CertificateError::from)?);
        let der = BitString::from_bytes(&signature.to_der())
            .and_then(|signature| {
                SignedCertificate { tbs, algorithm: asn1::sm2_with_sm3(), signature }.to_der()
            })
            .map_err(CertificateError::from)?;
        // The strict parser has the last word: what it would refuse is never issued.
        Ok(Certificate::from_der(&der)?)
    }

    fn build(
        self,
        terms: &Terms<'_>,
        half: Half,
        validity: x509_cert::time::Validity,
        serial: SerialNumber,
    ) -> der::Result<TbsCertificate> {
        let extensions = extensions::write(&Extensions {
            subject_key_id: Some(key_id(terms.key)),
            authority_key_id: self.key_id,
            organisation_code: terms.organisation_code.map(str::to_owned),
            alternative_names: (!terms.hosts.is_empty()).then(|| terms.hosts.clone()),
            crl_uris: terms.crl_uris.clone(),
            ocsp_uris: terms.ocsp_uris.clone(),
            ..terms.profile.extensions(half)
        })?;
        Ok(TbsCertificate {
            version: asn1::VERSION_3,
            serial_number: serial.to_asn1()?,
            signature: asn1::sm2_with_sm3(),
            issuer: self.name.clone(),
            validity,
            subject: terms.subject.0.clone(),
            subject_public_key_info: asn1::key_info(terms.key)?,
            extensions: Some(extensions),
        })
    }
}

fn check(terms: &Terms<'_>) -> Result<(), AuthorityError> {
    if terms.organisation_code.is_some_and(|code| !is_organisation_code(code)) {
        return Err(AuthorityError::OrganisationCode);
    }
    if terms.profile.needs_hosts() && terms.hosts.is_empty() {
        return Err(AuthorityError::NoHost);
    }
    let uris = terms.crl_uris.iter().chain(&terms.ocsp_uris);
    if uris.clone().count() > URIS_MAX || !uris.clone().all(|uri| is_uri(uri)) {
        return Err(AuthorityError::Uri);
    }
    Ok(())
}

/// Printable ASCII after a scheme; what is behind it is for whoever follows it.
fn is_uri(uri: &str) -> bool {
    uri.len() <= URI_CHARS_MAX
        && uri.bytes().all(|byte| byte.is_ascii_graphic())
        && uri
            .split_once("://")
            .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
}

impl Validity {
    /// `UTCTime` up to 2049, `GeneralizedTime` from 2050 (RFC 5280 §4.1.2.5).
    fn to_asn1(self) -> Result<x509_cert::time::Validity, AuthorityError> {
        let Self { not_before, not_after } = self;
        let refused = AuthorityError::Validity { not_before, not_after };
        match (asn1::to_time(not_before), asn1::to_time(not_after)) {
            (Some(first), Some(last)) if not_before < not_after => {
                Ok(x509_cert::time::Validity::new(first, last))
            }
            _ => Err(refused),
        }
    }
}

/// The leftmost 20 bytes of SM3 of the key's BIT STRING content (RFC 5280 §4.2.1.2 method 1 with SM3).
pub(crate) fn key_id(key: &PublicKey) -> Vec<u8> {
    sm3(key.as_sec1()).as_bytes().iter().take(KEY_ID_BYTES).copied().collect()
}

fn is_organisation_code(code: &str) -> bool {
    !code.is_empty()
        && code.len() <= ORGANISATION_CODE_CHARS_MAX
        && PrintableStringRef::new(code).is_ok()
}

fn signing_key(private: &PrivateKey) -> Result<SigningKey, AuthorityError> {
    SigningKey::new(private.clone(), SignerId::DEFAULT)
        .map_err(|_| CertificateError::malformed("signer identity").into())
}

const KEY_ID_BYTES: usize = 20;
const ORGANISATION_CODE_CHARS_MAX: usize = 64;
const URI_CHARS_MAX: usize = 512;
const URIS_MAX: usize = 8;

mod profile;
mod terms;
#[cfg(test)]
mod tests;
