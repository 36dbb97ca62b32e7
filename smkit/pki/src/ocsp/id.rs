//! How OCSP names a certificate.

use der::{Encode, asn1::OctetString};
use smkit::{Sm3Digest, sm3};
use spki::AlgorithmIdentifierOwned;

use super::asn1::CertId;
use crate::{Certificate, FormError, SerialNumber, asn1, form::Form};

/// A certificate by digests of its issuer's name and key, and its serial number (`CertID`, RFC 6960 §4.1.1), with SM3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CertificateId {
    issuer_name: Sm3Digest,
    issuer_key: Sm3Digest,
    serial: SerialNumber,
}

impl CertificateId {
    /// The id of a certificate with this serial number under `issuer`.
    #[must_use]
    pub fn new(serial: SerialNumber, issuer: &Certificate) -> Self {
        let name = issuer.subject_name().to_der().unwrap_or_default();
        Self { issuer_name: sm3(&name), issuer_key: sm3(issuer.public_key().as_sec1()), serial }
    }

    /// The id of a certificate.
    #[must_use]
    pub fn of(certificate: &Certificate, issuer: &Certificate) -> Self {
        Self::new(certificate.serial(), issuer)
    }

    /// The serial number.
    #[must_use]
    pub const fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// Whether it names a certificate of this issuer.
    #[must_use]
    pub fn is_under(&self, issuer: &Certificate) -> bool {
        *self == Self::new(self.serial, issuer)
    }

    pub(super) fn read(form: Form, id: &CertId) -> Result<Self, FormError> {
        form.sm3(&id.algorithm)?;
        let digest = |bytes: &OctetString| {
            let digest = Sm3Digest::from_slice(bytes.as_bytes());
            digest.map_err(|_| form.malformed("a digest has not 32 bytes"))
        };
        let serial = SerialNumber::from_asn1(&id.serial)
            .ok_or_else(|| form.malformed("a serial number is zero or too long"))?;
        let (issuer_name, issuer_key) = (digest(&id.issuer_name)?, digest(&id.issuer_key)?);
        Ok(Self { issuer_name, issuer_key, serial })
    }

    pub(super) fn write(&self) -> der::Result<CertId> {
        Ok(CertId {
            algorithm: AlgorithmIdentifierOwned { oid: asn1::SM3, parameters: None },
            issuer_name: OctetString::new(self.issuer_name.as_bytes().as_slice())?,
            issuer_key: OctetString::new(self.issuer_key.as_bytes().as_slice())?,
            serial: self.serial.to_asn1()?,
        })
    }
}
