//! One certificate, parsed and immutable.

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

use der::{Decode, Encode, asn1::ObjectIdentifier};
use smkit::{
    Sm3Digest,
    sm2::{PublicKey, Signature, SignatureError, SignerId, VerifyingKey},
    sm3,
};
use x509_cert::name::RdnSequence;

use crate::{
    AlternativeNames, DistinguishedName, ExtendedKeyUsage, KeyUsage, NameAttribute, SerialNumber,
    algorithm::is_sm2_with_sm3,
    asn1::{self, SignedCertificate, TbsCertificate},
    extensions::Extensions,
    limits::{CERTIFICATE_BYTES_MAX, PEM_CERTIFICATES_MAX},
    name,
    path::PathError,
};

pub use error::CertificateError;

/// An X.509 v3 certificate with an SM2 key, signed with SM2-with-SM3.
///
/// Parsing proves form, not trust: use [`crate::verify_chain`]. Equality is equality of the DER bytes.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    tbs_der: Vec<u8>,
    sm3: Sm3Digest,
    subject: RdnSequence,
    issuer: RdnSequence,
    serial: SerialNumber,
    not_before: i64,
    not_after: i64,
    verifying_key: VerifyingKey,
    extensions: Extensions,
    signature: Signature,
    /// Whether it verifies under its own key; found out when first asked.
    self_signed: OnceLock<bool>,
}

impl Certificate {
    /// Parses DER strictly: the bytes must be equal to the encoding of what they mean.
    ///
    /// # Errors
    /// See [`CertificateError`]; a key or signature algorithm other than SM2 is refused here.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError::TooLarge { bytes: der.len() });
        }
        let parsed = SignedCertificate::from_der(der)?;
        let tbs_der = parsed.tbs.to_der()?;
        if parsed.to_der()? != der {
            return Err(CertificateError::malformed("not the DER form of its content"));
        }
        let public = asn1::read_key(&parsed.tbs.subject_public_key_info)?;
        check_algorithms(&parsed)?;
        let serial = check_fields(&parsed.tbs)?;
        let extensions = Extensions::read(parsed.tbs.extensions.as_deref().unwrap_or_default())?;
        let signature = parsed.signature.as_bytes().ok_or(SignatureError::Malformed)?;
        let signature = Signature::from_der(signature)?;
        let verifying_key = VerifyingKey::new(public, SignerId::DEFAULT)
            .map_err(|_| CertificateError::malformed("signer identity"))?;
        let TbsCertificate { issuer, validity, subject, .. } = parsed.tbs;
        Ok(Self(Arc::new(Inner {
            sm3: sm3(der),
            der: der.to_vec(),
            tbs_der,
            subject,
            issuer,
            serial,
            not_before: asn1::unix_seconds(validity.not_before),
            not_after: asn1::unix_seconds(validity.not_after),
            verifying_key,
            extensions,
            signature,
            self_signed: OnceLock::new(),
        })))
    }

    /// Parses one `CERTIFICATE` block (RFC 7468).
    ///
    /// # Errors
    /// Not exactly one block, or as [`Certificate::from_der`].
    pub fn from_pem(pem: &str) -> Result<Self, CertificateError> {
        let mut found = Self::pem_many(pem)?.into_iter();
        match (found.next(), found.next()) {
            (Some(certificate), None) => Ok(certificate),
            _ => Err(CertificateError::Pem { reason: "not exactly one certificate" }),
        }
    }

    /// Parses one or more `CERTIFICATE` blocks in order; text between blocks is ignored, other blocks are refused.
    ///
    /// # Errors
    /// No block, more than [`crate::PEM_CERTIFICATES_MAX`], another label, or as [`Certificate::from_der`].
    pub fn pem_many(pem: &str) -> Result<Vec<Self>, CertificateError> {
        let mut found = Vec::new();
        let mut rest = pem;
        while let Some(start) = rest.find(PEM_BEGIN) {
            let block = rest.get(start..).unwrap_or_default();
            let end = block
                .find(PEM_END)
                .and_then(|end| end.checked_add(PEM_END.len()))
                .ok_or(CertificateError::Pem { reason: "a block is not closed" })?;
            let (block, after) =
                block.split_at_checked(end).ok_or(CertificateError::Pem { reason: "cut" })?;
            if found.len() >= PEM_CERTIFICATES_MAX {
                return Err(CertificateError::Pem { reason: "too many certificates" });
            }
            let (_, der) = pem_rfc7468::decode_vec(block.as_bytes())
                .map_err(|_| CertificateError::Pem { reason: "not a valid certificate block" })?;
            found.push(Self::from_der(&der)?);
            rest = after;
        }
        if found.is_empty() {
            return Err(CertificateError::Pem { reason: "no certificate" });
        }
        if rest.contains("-----BEGIN") {
            return Err(CertificateError::Pem { reason: "a block that is no certificate" });
        }
        Ok(found)
    }

    /// The PEM form with LF line ends.
    #[must_use]
    pub fn to_pem(&self) -> String {
        // Base64 of at most CERTIFICATE_BYTES_MAX bytes under a constant label cannot fail.
        pem_rfc7468::encode_string("CERTIFICATE", pem_rfc7468::LineEnding::LF, &self.0.der)
            .unwrap_or_default()
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SM3 of [`Certificate::der`]: the fingerprint.
    #[must_use]
    pub fn sm3(&self) -> Sm3Digest {
        self.0.sm3
    }

    /// The subject as text (RFC 4514), most specific part first; control characters are escaped.
    #[must_use]
    pub fn subject(&self) -> String {
        name::to_text(&self.0.subject)
    }

    /// The subject in DER, as lists of acceptable authorities name it (RFC 5246 §7.4.4).
    #[must_use]
    pub fn subject_der(&self) -> Vec<u8> {
        // What was read from DER can be written again.
        self.0.subject.to_der().unwrap_or_default()
    }

    /// The issuer as text (RFC 4514).
    #[must_use]
    pub fn issuer(&self) -> String {
        name::to_text(&self.0.issuer)
    }

    /// The first common name (CN) of the subject.
    #[must_use]
    pub fn common_name(&self) -> Option<String> {
        name::values(&self.0.subject, name::COMMON_NAME).into_iter().next()
    }

    /// Every organisation (O) of the subject, in order.
    #[must_use]
    pub fn organisation(&self) -> Vec<String> {
        name::values(&self.0.subject, name::ORGANISATION)
    }

    /// Every organisational unit (OU) of the subject, in order.
    #[must_use]
    pub fn organisational_units(&self) -> Vec<String> {
        name::values(&self.0.subject, name::UNIT)
    }

    /// The serial number.
    #[must_use]
    pub fn serial(&self) -> SerialNumber {
        self.0.serial
    }

    /// The subject's name, for comparison and for certificates to be issued to the same subject.
    #[must_use]
    pub fn subject_dn(&self) -> DistinguishedName {
        DistinguishedName(self.0.subject.clone())
    }

    /// The serial number in lower-case hexadecimal, without leading zero bytes.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        self.0.serial.to_string()
    }

    /// First second of validity, in Unix seconds.
    #[must_use]
    pub fn not_before(&self) -> i64 {
        self.0.not_before
    }

    /// Last second of validity, in Unix seconds.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        self.0.not_after
    }

    /// The subject's public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        self.0.verifying_key.public_key()
    }

    /// The subject's key bound to [`SignerId::DEFAULT`].
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0.verifying_key
    }

    /// Whether basicConstraints says cA.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.0.extensions.ca
    }

    /// Most intermediates that may follow below this CA; `None` is no limit.
    #[must_use]
    pub fn path_length(&self) -> Option<u8> {
        self.0.extensions.path_length
    }

    /// What the key may be used for; empty without the extension.
    #[must_use]
    pub fn key_usage(&self) -> KeyUsage {
        self.0.extensions.key_usage
    }

    /// What the certificate is confined to; `None` without the extension.
    #[must_use]
    pub fn extended_key_usage(&self) -> Option<&ExtendedKeyUsage> {
        self.0.extensions.extended_key_usage.as_ref()
    }

    /// Hosts the certificate is for; `None` without the extension.
    #[must_use]
    pub fn alternative_names(&self) -> Option<&AlternativeNames> {
        self.0.extensions.alternative_names.as_ref()
    }

    /// Where the issuer's revocation list is said to be (cRLDistributionPoints); never followed by this crate.
    #[must_use]
    pub fn crl_uris(&self) -> &[String] {
        &self.0.extensions.crl_uris
    }

    /// Where the issuer's OCSP responder is said to be (authorityInfoAccess); never asked by this crate.
    #[must_use]
    pub fn ocsp_uris(&self) -> &[String] {
        &self.0.extensions.ocsp_uris
    }

    /// The subject's attributes one by one, in the order of the certificate.
    #[must_use]
    pub fn subject_attributes(&self) -> Vec<NameAttribute> {
        name::attributes(&self.0.subject)
    }

    /// The subject key identifier; opaque bytes.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.subject_key_id.as_deref()
    }

    /// The key identifier of the issuer's key; opaque bytes.
    #[must_use]
    pub fn authority_key_id(&self) -> Option<&[u8]> {
        self.0.extensions.authority_key_id.as_deref()
    }

    /// The organisation code of extension 1.2.156.10260.4.1.4: the unified social credit code (统一社会信用代码).
    #[must_use]
    pub fn organisation_code(&self) -> Option<String> {
        self.0.extensions.organisation_code.clone()
    }

    /// Whether subject and issuer are the same name.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.0.subject == self.0.issuer
    }

    /// Checks name, key identifiers and signature against `issuer`; says nothing about validity or what the issuer may do.
    ///
    /// # Errors
    /// [`PathError::UnknownIssuer`] when names or key identifiers differ, [`PathError::BadSignature`].
    pub fn verify_issued_by(&self, issuer: &Self) -> Result<(), PathError> {
        if !self.names_as_issuer(issuer) {
            return Err(PathError::UnknownIssuer { issuer: self.issuer() });
        }
        issuer
            .verifying_key()
            .verify(&self.0.tbs_der, &self.0.signature)
            .map_err(|_| PathError::BadSignature { subject: self.subject() })
    }

    /// [`Certificate::verify_issued_by`] itself; the answer is remembered, because an anchor is asked for every path.
    pub(crate) fn verify_self_signed(&self) -> Result<(), PathError> {
        if *self.0.self_signed.get_or_init(|| self.verify_issued_by(self).is_ok()) {
            Ok(())
        } else {
            Err(PathError::BadSignature { subject: self.subject() })
        }
    }

    pub(crate) fn issuer_name(&self) -> &RdnSequence {
        &self.0.issuer
    }

    /// Whether `issuer` bears the name and, where both sides state one, the key identifier this certificate refers to.
    pub(crate) fn names_as_issuer(&self, issuer: &Self) -> bool {
        let same_key = match (self.authority_key_id(), issuer.subject_key_id()) {
            (Some(wanted), Some(found)) => wanted == found,
            _ => true,
        };
        self.0.issuer == issuer.0.subject && same_key
    }

    pub(crate) fn subject_name(&self) -> &RdnSequence {
        &self.0.subject
    }

    pub(crate) fn unknown_critical_extension(&self) -> Option<ObjectIdentifier> {
        self.0.extensions.unknown_critical
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl Hash for Certificate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.sm3.hash(state);
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Certificate")
            .field("subject", &self.subject())
            .field("sm3", &self.0.sm3)
            .finish_non_exhaustive()
    }
}

/// RFC 5280 §4.1.1.2: both algorithm fields must be the same, parameters included.
fn check_algorithms(parsed: &SignedCertificate) -> Result<(), CertificateError> {
    for algorithm in [&parsed.algorithm, &parsed.tbs.signature] {
        if algorithm.oid != asn1::SM2_WITH_SM3 {
            return Err(CertificateError::signature_algorithm(&algorithm.oid));
        }
        if !is_sm2_with_sm3(algorithm) {
            return Err(CertificateError::malformed("SM2 with SM3 has no parameters"));
        }
    }
    if parsed.algorithm == parsed.tbs.signature {
        Ok(())
    } else {
        Err(CertificateError::malformed("the two signature algorithm fields differ"))
    }
}

fn check_fields(tbs: &TbsCertificate) -> Result<SerialNumber, CertificateError> {
    if tbs.version != asn1::VERSION_3 {
        return Err(CertificateError::malformed("not version 3"));
    }
    let serial = SerialNumber::from_asn1(&tbs.serial_number)
        .ok_or_else(|| CertificateError::malformed("the serial number is zero or too long"))?;
    if tbs.extensions.as_ref().is_some_and(Vec::is_empty) {
        return Err(CertificateError::malformed("an empty list of extensions"));
    }
    if tbs.issuer.is_empty() || tbs.subject.is_empty() {
        return Err(CertificateError::malformed("an empty name"));
    }
    name::check(&tbs.issuer)?;
    name::check(&tbs.subject)?;
    Ok(serial)
}

const PEM_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const PEM_END: &str = "-----END CERTIFICATE-----";

mod error;
#[cfg(test)]
mod tests;
