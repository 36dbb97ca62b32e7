//! Encrypted PKCS#8 (RFC 5958, RFC 8018 §6.2 PBES2) with PBKDF2-HMAC-SM3 and SM4-CBC, as GM/T 0091-2020 profiles it.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::num::NonZeroU32;

use zeroize::Zeroizing;

use crate::{
    random::{Random, RandomError},
    sm2::{
        KeyFileError, PrivateKey, PrivateKeyError,
        asn1::{self, OCTET_STRING, OID, Reader, SEQUENCE},
        pem,
    },
    sm3::kdf,
    sm4::{Cbc, Key},
};

/// Rounds of PBKDF2 for new files, as GmSSL writes them.
pub const PBKDF2_ROUNDS: u32 = 65_536;
/// Most rounds accepted when reading, about ten seconds of work: a file must not stall its reader.
pub const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;

impl PrivateKey {
    /// Reads `EncryptedPrivateKeyInfo` in DER. The password is its UTF-8 bytes.
    ///
    /// Accepts HMAC-SM3 under both of its identifiers, and the identifiers of GM/T 0091-2020 beside those of RFC 8018.
    ///
    /// # Errors
    /// Wrong password, damaged, or another algorithm; deliberately without detail.
    pub fn from_encrypted_pkcs8_der(der: &[u8], password: &[u8]) -> Result<Self, KeyFileError> {
        let plain = decrypt(der, password).ok_or(KeyFileError::EncryptedPkcs8)?;
        Self::from_pkcs8_der(&plain).map_err(|_| KeyFileError::EncryptedPkcs8)
    }

    /// Reads the PEM form, label `ENCRYPTED PRIVATE KEY`.
    ///
    /// # Errors
    /// As [`PrivateKey::from_encrypted_pkcs8_der`], or not PEM.
    pub fn from_encrypted_pkcs8_pem(text: &str, password: &[u8]) -> Result<Self, KeyFileError> {
        let der = pem::decode(LABEL, text).ok_or(KeyFileError::EncryptedPkcs8)?;
        Self::from_encrypted_pkcs8_der(&der, password)
    }

    /// `EncryptedPrivateKeyInfo` in DER with fresh salt and IV and [`PBKDF2_ROUNDS`].
    ///
    /// # Errors
    /// The random source failed.
    pub fn to_encrypted_pkcs8_der(
        &self,
        password: &[u8],
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, RandomError> {
        let unencodable = |error: PrivateKeyError| RandomError { reason: error.to_string() };
        let plain = self.to_pkcs8_der().map_err(unencodable)?;
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        random.fill(&mut salt)?;
        random.fill(&mut iv)?;
        let key = key(password, &salt, PBKDF2_ROUNDS)
            .ok_or_else(|| unencodable(PrivateKeyError::Pkcs8))?;
        // Room for the padding, so that no copy of the key stays behind in a smaller buffer.
        let mut data = Zeroizing::new(Vec::with_capacity(plain.len().saturating_add(16)));
        data.extend_from_slice(&plain);
        Cbc::new(&key).encrypt(&iv, &mut data);
        Ok(encode(&salt, &iv, &data))
    }

    /// The PEM form of [`PrivateKey::to_encrypted_pkcs8_der`].
    ///
    /// # Errors
    /// The random source failed.
    pub fn to_encrypted_pkcs8_pem(
        &self,
        password: &[u8],
        random: &mut dyn Random,
    ) -> Result<String, RandomError> {
        let der = self.to_encrypted_pkcs8_der(password, random)?;
        Ok(pem::encode(LABEL, &der).to_string())
    }
}

fn decrypt(der: &[u8], password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut info = Reader::of_sequence(der)?;
    let mut algorithm = info.sequence()?;
    let data = info.octets()?;
    info.end()?;

    if ![PBES2, GM_PBES].contains(&algorithm.element(OID)?) {
        return None;
    }
    let mut parameters = algorithm.sequence()?;
    algorithm.end()?;
    let (salt, rounds) = read_pbkdf2(parameters.sequence()?)?;
    let mut scheme = parameters.sequence()?;
    parameters.end()?;
    scheme.oid(SM4_CBC)?;
    let iv = scheme.octets()?.try_into().ok()?;
    scheme.end()?;

    let mut data = Zeroizing::new(data.to_vec());
    Cbc::new(&key(password, salt, rounds)?).decrypt(iv, &mut data).ok()?;
    Some(data)
}

/// Salt and rounds of `PBKDF2-params`; the PRF must be HMAC-SM3, for its default is HMAC-SHA-1.
fn read_pbkdf2(mut function: Reader<'_>) -> Option<(&[u8], u32)> {
    if ![PBKDF2, GM_PBKDF].contains(&function.element(OID)?) {
        return None;
    }
    let mut parameters = function.sequence()?;
    function.end()?;
    let salt = parameters.octets()?;
    let rounds = parameters.small()?;
    if let Some(length) = parameters.optional(asn1::INTEGER)?
        && length != [16]
    {
        return None;
    }
    let mut prf = parameters.sequence()?;
    parameters.end()?;
    if ![HMAC_SM3, HMAC_SM3_OPENSSL].contains(&prf.element(OID)?) {
        return None;
    }
    prf.no_parameters()?;
    let bounded =
        (1..=PBKDF2_ROUNDS_MAX).contains(&rounds) && (8..=SALT_BYTES_MAX).contains(&salt.len());
    bounded.then_some((salt, rounds))
}

fn encode(salt: &[u8; 16], iv: &[u8; 16], data: &[u8]) -> Vec<u8> {
    let prf = asn1::element(SEQUENCE, &[&asn1::element(OID, &[HMAC_SM3])]);
    let parameters = asn1::element(
        SEQUENCE,
        &[
            &asn1::element(OCTET_STRING, &[salt]),
            &asn1::unsigned(&PBKDF2_ROUNDS.to_be_bytes()),
            &asn1::unsigned(&[16]),
            &prf,
        ],
    );
    let function = asn1::element(SEQUENCE, &[&asn1::element(OID, &[PBKDF2]), &parameters]);
    let scheme = asn1::element(
        SEQUENCE,
        &[&asn1::element(OID, &[SM4_CBC]), &asn1::element(OCTET_STRING, &[iv])],
    );
    let parameters = asn1::element(SEQUENCE, &[&function, &scheme]);
    let algorithm = asn1::element(SEQUENCE, &[&asn1::element(OID, &[PBES2]), &parameters]);
    asn1::element(SEQUENCE, &[&algorithm, &asn1::element(OCTET_STRING, &[data])]).to_vec()
}

/// The SM4 key under a password; `None` for no rounds at all.
fn key(password: &[u8], salt: &[u8], rounds: u32) -> Option<Key> {
    let mut key = Zeroizing::new([0; 16]);
    kdf::pbkdf2(password, salt, NonZeroU32::new(rounds)?, key.as_mut()).ok()?;
    Some(Key::from_bytes(*key))
}

const LABEL: &str = "ENCRYPTED PRIVATE KEY";
const SALT_BYTES_MAX: usize = 1024;
/// 1.2.840.113549.1.5.13
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
/// 1.2.840.113549.1.5.12
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
/// 1.2.156.10197.6.4.1.5.2 (GM/T 0091)
const GM_PBES: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x06, 0x04, 0x01, 0x05, 0x02];
/// 1.2.156.10197.6.4.1.5.1 (GM/T 0091)
const GM_PBKDF: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x06, 0x04, 0x01, 0x05, 0x01];
/// 1.2.156.10197.1.401.2
const HMAC_SM3: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x11, 0x02];
/// 1.2.156.10197.1.401.3.1, as OpenSSL and Tongsuo name it
const HMAC_SM3_OPENSSL: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x11, 0x03, 0x01];
/// 1.2.156.10197.1.104.2
const SM4_CBC: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x68, 0x02];

#[cfg(test)]
mod tests;
