//! The `signature` traits of RustCrypto: smkit keys in code that is generic over them.

use ::signature::{Error, Keypair, SignatureEncoding, Signer, Verifier};

use crate::sm2::{Signature, SigningKey, VerifyingKey};

/// `r ‖ s`, 64 bytes.
impl SignatureEncoding for Signature {
    type Repr = [u8; 64];
}

impl From<Signature> for [u8; 64] {
    fn from(signature: Signature) -> Self {
        signature.to_bytes()
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = Error;

    fn try_from(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.try_into().map_err(|_| Error::new())?;
        Self::from_bytes(bytes).map_err(|_| Error::new())
    }
}

impl Signer<Signature> for SigningKey {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, Error> {
        Ok(self.sign(message))
    }
}

impl Verifier<Signature> for VerifyingKey {
    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        Self::verify(self, message, signature).map_err(|_| Error::new())
    }
}

impl Keypair for SigningKey {
    type VerifyingKey = VerifyingKey;

    fn verifying_key(&self) -> VerifyingKey {
        Self::verifying_key(self).clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;
    use crate::sm2::{PrivateKey, SignerId};

    fn round_trip<K, S>(key: &K, message: &[u8])
    where
        K: Signer<S> + Keypair<VerifyingKey: Verifier<S>>,
        S: SignatureEncoding,
    {
        let bytes = key.sign(message).to_bytes();
        let signature = S::try_from(bytes.as_ref()).ok().unwrap();
        assert!(key.verifying_key().verify(message, &signature).is_ok());
        assert!(key.verifying_key().verify(b"another", &signature).is_err());
        assert!(S::try_from(&bytes.as_ref()[1..]).is_err());
    }

    #[test]
    fn generic_code_signs_and_verifies() {
        let private = PrivateKey::from_bytes(&[7; 32]).unwrap();
        let key = SigningKey::new(private, SignerId::DEFAULT).unwrap();
        round_trip::<_, Signature>(&key, b"message digest");
    }
}
