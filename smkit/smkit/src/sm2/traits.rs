//! The `signature` traits of RustCrypto: smkit keys in code that is generic over them.

use alloc::string::ToString;

use ::signature::{
    Error, Keypair, RandomizedSigner, SignatureEncoding, Signer, Verifier, rand_core::TryCryptoRng,
};

use crate::{
    random::{Random, RandomError},
    sm2::{Signature, SigningKey, VerifyingKey},
};

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

/// [`SigningKey::sign_hedged`].
impl RandomizedSigner<Signature> for SigningKey {
    fn try_sign_with_rng<R: TryCryptoRng + ?Sized>(
        &self,
        rng: &mut R,
        message: &[u8],
    ) -> Result<Signature, Error> {
        self.sign_hedged(message, &mut Generator(rng)).map_err(|_| Error::new())
    }
}

/// A generator of RustCrypto as our source of random bytes.
struct Generator<'a, R: ?Sized>(&'a mut R);

impl<R: TryCryptoRng + ?Sized> Random for Generator<'_, R> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        self.0.try_fill_bytes(out).map_err(|error| RandomError { reason: error.to_string() })
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

    use ::signature::rand_core::{TryCryptoRng, TryRng};

    use super::*;
    use crate::sm2::{PrivateKey, SignerId};

    /// Gives one byte for ever, or nothing.
    struct Fixed(Option<u8>);

    impl TryRng for Fixed {
        type Error = RandomError;

        fn try_next_u32(&mut self) -> Result<u32, RandomError> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_le_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, RandomError> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
            out.fill(self.0.ok_or_else(|| RandomError { reason: "dry".into() })?);
            Ok(())
        }
    }

    impl TryCryptoRng for Fixed {}

    fn key() -> SigningKey {
        let private = PrivateKey::from_bytes(&[7; 32]).unwrap();
        SigningKey::new(private, SignerId::DEFAULT).unwrap()
    }

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
        round_trip::<_, Signature>(&key(), b"message digest");
    }

    #[test]
    fn generic_code_signs_with_a_generator_and_hears_of_its_failure() {
        let key = key();
        let [one, two] = [1, 2].map(|byte| key.sign_with_rng(&mut Infallible(byte), b"message"));
        assert_ne!(one, two);
        for signature in [one, two] {
            assert_eq!(VerifyingKey::verify(key.verifying_key(), b"message", &signature), Ok(()));
        }
        assert!(
            key.try_sign_with_rng(&mut Fixed(Some(1)), b"message").is_ok_and(|same| same == one)
        );
        assert!(key.try_sign_with_rng(&mut Fixed(None), b"message").is_err());
    }

    /// The same generator where its trait knows no failure.
    struct Infallible(u8);

    impl TryRng for Infallible {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(u32::from_le_bytes([self.0; 4]))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::from_le_bytes([self.0; 8]))
        }

        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
            out.fill(self.0);
            Ok(())
        }
    }

    impl TryCryptoRng for Infallible {}
}
