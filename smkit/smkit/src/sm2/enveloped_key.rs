//! `SM2EnvelopedKey` (GB/T 35276-2017 §7.4): how a certificate authority delivers an encryption key pair to the holder
//! of a signing key.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::{
    random::Random,
    sm2::{
        PrivateKey, PublicKey,
        asn1::{self, BIT_STRING, NULL, OID, Reader, SEQUENCE},
        encrypt::{Ciphertext, EncryptError},
    },
    sm4::{Key, cipher::Cipher},
};

impl PrivateKey {
    /// Wraps this (encryption) key for the holder of the signing key `recipient`: a fresh SM4 key encrypts d, `recipient`
    /// encrypts the SM4 key. DER.
    ///
    /// The structure authenticates only the SM4 key; its sender is authenticated by the message that carries it.
    ///
    /// # Errors
    /// The random source failed.
    pub fn to_enveloped_der(
        &self,
        recipient: &PublicKey,
        random: &mut dyn Random,
    ) -> Result<Vec<u8>, EncryptError> {
        let key = Key::generate(random)?;
        let wrapped = recipient.encrypt(key.expose(), random)?.to_der();
        let mut secret = self.to_bytes();
        Cipher::new(&key).encrypt_blocks(secret.as_chunks_mut().0);
        let algorithm =
            asn1::element(SEQUENCE, &[&asn1::element(OID, &[SM4_ECB]), &asn1::element(NULL, &[])]);
        let public = asn1::element(BIT_STRING, &[&[0], self.public_key().as_sec1()]);
        let private = asn1::element(BIT_STRING, &[&[0], secret.as_ref()]);
        Ok(asn1::element(SEQUENCE, &[&algorithm, &wrapped, &public, &private]).to_vec())
    }

    /// Opens an envelope made for this (signing) key and gives the encryption key inside, which must match the public
    /// key beside it.
    ///
    /// # Errors
    /// Not an envelope for this key, or altered; there is deliberately one reason only.
    pub fn open_enveloped_der(&self, der: &[u8]) -> Result<Self, EnvelopedKeyError> {
        self.open(der).ok_or(EnvelopedKeyError)
    }

    fn open(&self, der: &[u8]) -> Option<Self> {
        let mut envelope = Reader::of_sequence(der)?;
        let mut algorithm = envelope.sequence()?;
        // Some authorities name SM4 without a mode.
        if ![SM4_ECB, SM4].contains(&algorithm.element(OID)?) {
            return None;
        }
        algorithm.no_parameters()?;
        let wrapped = Ciphertext::read(envelope.sequence()?)?;
        let public = PublicKey::from_sec1(envelope.bits()?).ok()?;
        let mut secret: Zeroizing<[u8; 32]> = Zeroizing::new(envelope.bits()?.try_into().ok()?);
        envelope.end()?;

        let key = self.decrypt(&wrapped).ok()?;
        let key = Key::from_slice(&key).ok()?;
        Cipher::new(&key).decrypt_blocks(secret.as_chunks_mut().0);
        let private = Self::from_bytes(&secret).ok()?;
        (*private.public_key() == public).then_some(private)
    }
}

/// Not an `SM2EnvelopedKey` for this key: every failure looks the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an SM2EnvelopedKey for this key")]
pub struct EnvelopedKeyError;

/// 1.2.156.10197.1.104.1
const SM4_ECB: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x68, 0x01];
/// 1.2.156.10197.1.104
const SM4: &[u8] = &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x68];
