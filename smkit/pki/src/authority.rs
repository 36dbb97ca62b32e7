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
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::name::RdnSequence;

use crate::{
    Certificate, CertificateError, FormError, KeyUsage, SerialNumber, Subject, SubjectError,
    asn1::{self, SignedCertificate, TbsCertificate},
    extensions::{self, Extensions},
};

/// What a certificate to be issued is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// A CA: basicConstraints cA, keyUsage keyCertSign and cRLSign. Self-signed by [`Authority::create_root`]; below
    /// another CA when passed to [`Authority::issue`].
    RootCa {
        /// Most intermediates below it; `None` is no limit.
        path_length: Option<u8>,
    },
    /// The signing half of a pair (双证书): keyUsage digitalSignature and nonRepudiation, critical.
    Signing,
}

/// First and last valid second, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First valid second.
    pub not_before: i64,
    /// Last valid second.
    pub not_after: i64,
}

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
        let name = subject.to_rdn_sequence()?;
        let key_id = key_id(private.public_key());
        let request = Request {
            issuer: name.clone(),
            issuer_key_id: Some(key_id),
            subject: name,
            key: private.public_key(),
            profile: Profile::RootCa { path_length: None },
            validity,
            organisation_code: None,
        };
        let certificate = request.sign(&signing, random)?;
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
        let request = Request {
            issuer: self.certificate.subject_name().clone(),
            issuer_key_id: self.certificate.subject_key_id().map(<[u8]>::to_vec),
            subject: subject.to_rdn_sequence()?,
            key,
            profile: self.limit(profile)?,
            validity,
            organisation_code,
        };
        request.sign(&self.signing, random)
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

/// Everything a certificate says, before it is signed.
struct Request<'a> {
    issuer: RdnSequence,
    issuer_key_id: Option<Vec<u8>>,
    subject: RdnSequence,
    key: &'a PublicKey,
    profile: Profile,
    validity: Validity,
    organisation_code: Option<&'a str>,
}

impl Request<'_> {
    fn sign(
        self,
        signer: &SigningKey,
        random: &mut dyn Random,
    ) -> Result<Certificate, AuthorityError> {
        if self.organisation_code.is_some_and(|code| !is_organisation_code(code)) {
            return Err(AuthorityError::OrganisationCode);
        }
        let validity = self.validity.to_asn1()?;
        let serial = SerialNumber::random(random)?;
        let tbs = self.build(validity, serial).map_err(CertificateError::from)?;
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
        validity: x509_cert::time::Validity,
        serial: SerialNumber,
    ) -> der::Result<TbsCertificate> {
        let (ca, path_length, key_usage) = match self.profile {
            Profile::RootCa { path_length } => {
                (true, path_length, KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN))
            }
            Profile::Signing => {
                (false, None, KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::NON_REPUDIATION))
            }
        };
        let extensions = extensions::write(&Extensions {
            ca,
            path_length,
            key_usage,
            subject_key_id: Some(key_id(self.key)),
            authority_key_id: self.issuer_key_id,
            organisation_code: self.organisation_code.map(str::to_owned),
            ..Extensions::default()
        })?;
        Ok(TbsCertificate {
            version: asn1::VERSION_3,
            serial_number: serial.to_asn1()?,
            signature: asn1::sm2_with_sm3(),
            issuer: self.issuer,
            validity,
            subject: self.subject,
            subject_public_key_info: SubjectPublicKeyInfoOwned {
                algorithm: AlgorithmIdentifierOwned {
                    oid: asn1::EC_PUBLIC_KEY,
                    parameters: Some((&asn1::SM2_CURVE).into()),
                },
                subject_public_key: BitString::from_bytes(self.key.as_sec1())?,
            },
            extensions: Some(extensions),
        })
    }
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
fn key_id(key: &PublicKey) -> Vec<u8> {
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

#[cfg(test)]
mod tests;
