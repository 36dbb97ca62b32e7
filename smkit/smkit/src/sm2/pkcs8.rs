//! `OneAsymmetricKey` files (PKCS#8; RFC 5958, in the profile of GB/T 35276-2017), label `PRIVATE KEY`.

use alloc::{string::String, vec::Vec};

use zeroize::Zeroizing;

use crate::sm2::{
    PrivateKey, PrivateKeyError,
    asn1::{self, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, SET},
    pem, sec1,
};

impl PrivateKey {
    /// Reads an unencrypted PKCS#8 `OneAsymmetricKey` holding an SM2 key.
    ///
    /// Version 2 with its public key, which must be this key's, and attributes, which say nothing here, are accepted.
    ///
    /// # Errors
    /// Not PKCS#8 in DER, another algorithm, curve or public key, or d out of range; deliberately without detail.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, PrivateKeyError> {
        read(der).ok_or(PrivateKeyError::Pkcs8)
    }

    /// Reads the PEM form, label `PRIVATE KEY`.
    ///
    /// # Errors
    /// As [`PrivateKey::from_pkcs8_der`], or not PEM.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self, PrivateKeyError> {
        Self::from_pkcs8_der(&pem::decode(LABEL, pem).ok_or(PrivateKeyError::Pkcs8)?)
    }

    /// The unencrypted PKCS#8 form, version 1, with the public key inside the `ECPrivateKey`.
    ///
    /// # Errors
    /// None: the form has a fixed size.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, PrivateKeyError> {
        let algorithm = asn1::element(
            SEQUENCE,
            &[&asn1::element(OID, &[EC_PUBLIC_KEY]), &asn1::element(OID, &[asn1::SM2_CURVE])],
        );
        Ok(asn1::element(
            SEQUENCE,
            &[
                &asn1::element(INTEGER, &[&[V1]]),
                &algorithm,
                &asn1::element(OCTET_STRING, &[&sec1::write(self, sec1::Curve::Elsewhere)]),
            ],
        ))
    }

    /// The PEM form of [`PrivateKey::to_pkcs8_der`].
    ///
    /// # Errors
    /// As [`PrivateKey::to_pkcs8_der`].
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, PrivateKeyError> {
        Ok(pem::encode(LABEL, &self.to_pkcs8_der()?))
    }
}

fn read(der: &[u8]) -> Option<PrivateKey> {
    let mut info = Reader::of_sequence(der)?;
    let version = info.element(INTEGER)?;
    let mut algorithm = info.sequence()?;
    algorithm.oid(EC_PUBLIC_KEY)?;
    algorithm.oid(asn1::SM2_CURVE)?;
    algorithm.end()?;
    let key = sec1::read(info.octets()?)?;
    if let Some(attributes) = info.optional(ATTRIBUTES)? {
        check_attributes(Reader::of_content(attributes))?;
    }
    // RFC 5958 §2: version 2 if and only if a public key follows.
    let public = info.optional(PUBLIC_KEY)?;
    info.end()?;
    match (version, public) {
        ([V1], None) => Some(key),
        ([V2], Some([0, public @ ..])) if public == key.public_key().as_sec1() => Some(key),
        _ => None,
    }
}

/// Attributes have no meaning here, but must be what they claim to be: `SEQUENCE { type, SET OF value }` each.
fn check_attributes(mut attributes: Reader<'_>) -> Option<()> {
    while attributes.end().is_none() {
        let mut attribute = attributes.sequence()?;
        attribute.element(OID)?;
        attribute.element(SET)?;
        attribute.end()?;
    }
    Some(())
}

const LABEL: &str = "PRIVATE KEY";
const V1: u8 = 0;
const V2: u8 = 1;
/// `[0] IMPLICIT SET OF Attribute`
const ATTRIBUTES: u8 = 0xa0;
/// `[1] IMPLICIT BIT STRING`
const PUBLIC_KEY: u8 = 0x81;
/// 1.2.840.10045.2.1
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

#[cfg(test)]
mod tests;
