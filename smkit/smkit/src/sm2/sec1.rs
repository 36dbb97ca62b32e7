//! `ECPrivateKey` files (SEC 1 §C.4, RFC 5915), label `EC PRIVATE KEY`.

use alloc::{string::String, vec::Vec};

use zeroize::Zeroizing;

use crate::sm2::{
    PrivateKey,
    asn1::{self, BIT_STRING, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE},
    pem,
};

impl PrivateKey {
    /// Reads `ECPrivateKey` in DER. The curve may be absent; a public key, when there, must be this key's.
    ///
    /// # Errors
    /// Not DER, another curve, d not 32 bytes or out of range, another public key; deliberately without detail.
    pub fn from_sec1_der(der: &[u8]) -> Result<Self, KeyFileError> {
        read(der).ok_or(KeyFileError::Sec1)
    }

    /// Reads the PEM form, label `EC PRIVATE KEY`.
    ///
    /// # Errors
    /// As [`PrivateKey::from_sec1_der`], or not PEM.
    pub fn from_sec1_pem(text: &str) -> Result<Self, KeyFileError> {
        Self::from_sec1_der(&pem::decode(LABEL, text).ok_or(KeyFileError::Sec1)?)
    }

    /// `ECPrivateKey` in DER, with curve and public key.
    #[must_use]
    pub fn to_sec1_der(&self) -> Zeroizing<Vec<u8>> {
        write(self, Curve::Inside)
    }

    /// The PEM form of [`PrivateKey::to_sec1_der`].
    #[must_use]
    pub fn to_sec1_pem(&self) -> Zeroizing<String> {
        pem::encode(LABEL, &self.to_sec1_der())
    }
}

/// Where a file names the curve.
pub(super) enum Curve {
    /// In `ECPrivateKey.parameters`.
    Inside,
    /// In the structure around, as PKCS#8 does.
    Elsewhere,
}

pub(super) fn write(key: &PrivateKey, curve: Curve) -> Zeroizing<Vec<u8>> {
    let parameters = match curve {
        Curve::Inside => asn1::element(PARAMETERS, &[&asn1::element(OID, &[asn1::SM2_CURVE])]),
        Curve::Elsewhere => Zeroizing::default(),
    };
    let public = asn1::element(BIT_STRING, &[&[0], key.public_key().as_sec1()]);
    asn1::element(
        SEQUENCE,
        &[
            &asn1::element(INTEGER, &[&[1]]),
            &asn1::element(OCTET_STRING, &[key.to_bytes().as_ref()]),
            &parameters,
            &asn1::element(PUBLIC_KEY, &[&public]),
        ],
    )
}

pub(super) fn read(der: &[u8]) -> Option<PrivateKey> {
    let mut key = Reader::of_sequence(der)?;
    if key.small()? != 1 {
        return None;
    }
    let d: Zeroizing<[u8; 32]> = Zeroizing::new(key.octets()?.try_into().ok()?);
    if let Some(parameters) = key.optional(PARAMETERS)? {
        let mut parameters = Reader::of_content(parameters);
        parameters.oid(asn1::SM2_CURVE)?;
        parameters.end()?;
    }
    let public = match key.optional(PUBLIC_KEY)? {
        Some(content) => {
            let mut content = Reader::of_content(content);
            let public = content.bits()?;
            content.end()?;
            Some(public)
        }
        None => None,
    };
    key.end()?;
    let private = PrivateKey::from_bytes(&d).ok()?;
    public.is_none_or(|public| public == private.public_key().as_sec1()).then_some(private)
}

/// A file that holds no SM2 private key in the expected form; never shows any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// Not `ECPrivateKey` with an SM2 key.
    #[error("not a SEC1 SM2 private key")]
    Sec1,
    /// Not an encrypted PKCS#8 SM2 key, or the password is wrong.
    #[error("not an encrypted SM2 private key, or the wrong password")]
    EncryptedPkcs8,
}

const LABEL: &str = "EC PRIVATE KEY";
/// \[0\] EXPLICIT
const PARAMETERS: u8 = 0xa0;
/// \[1\] EXPLICIT
const PUBLIC_KEY: u8 = 0xa1;
