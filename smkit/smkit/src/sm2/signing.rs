//! Signature generation.

use std::{fmt, sync::Arc};

use ::sm2::{
    FieldBytes, ProjectivePoint, Scalar, Sm2, U256,
    elliptic_curve::{Curve, Group, ff::PrimeField, ops::Reduce, point::AffineCoordinates},
};
use rfc6979::KGenerator;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    sm2::{PrivateKey, Signature, SignerId, VerifyingKey, id::SignerIdTooLong, verifying::reduce},
    sm3::Sm3Digest,
};

/// A private key bound to its owner's [`SignerId`]. Cloning is cheap and shares one copy of the secret.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    d: Scalar,
    /// (1 + d)⁻¹, computed once: the costliest step of signing after \[k\]G.
    one_plus_d_inverse: Scalar,
    verifying: VerifyingKey,
}

impl SigningKey {
    /// Binds a key to an identity.
    ///
    /// # Errors
    /// The identity is too long for ENTL (not reachable through [`SignerId::new`]).
    pub fn new(private: PrivateKey, id: SignerId) -> Result<Self, SignerIdTooLong> {
        let verifying = VerifyingKey::new(private.public_key().clone(), id)?;
        let d = **private.scalar();
        // d ≤ n−2 by the invariant of PrivateKey, so 1 + d is never zero and the fallback is never taken.
        let one_plus_d_inverse = (d + Scalar::ONE).invert().unwrap_or(Scalar::ZERO);
        Ok(Self(Arc::new(Inner { d, one_plus_d_inverse, verifying })))
    }

    /// Signs `message` (GB/T 32918.2-2016 §6.1) with k derived from the key and the message (RFC 6979 §3.2 over SM3).
    ///
    /// Deterministic and constant-time in the secret; the standard's retries (r = 0, r + k = n, s = 0) are taken.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.sign_prehash(&self.0.verifying.message_digest(message))
    }

    /// The matching verifying key, bound to the same identity.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0.verifying
    }

    fn sign_prehash(&self, digest: &Sm3Digest) -> Signature {
        let e = reduce(digest.as_bytes());
        let d = Zeroizing::new(<[u8; 32]>::from(self.0.d.to_repr()));
        let mut candidates =
            KGenerator::<::sm3::Sm3, U256>::new(d.as_ref(), &e.to_repr(), &[], &Sm2::ORDER);
        loop {
            let mut k = Zeroizing::new([0; 32]);
            candidates.fill_next_k(k.as_mut());
            if let Some(signature) = self.attempt(&e, &k) {
                return signature;
            }
        }
    }

    /// Steps A4–A7 for one k; `None` asks for the next one (probability about 2^−255).
    pub(super) fn attempt(&self, e: &Scalar, k: &[u8; 32]) -> Option<Signature> {
        let k = Zeroizing::new(Scalar::from_repr((*k).into()).into_option()?);
        let x = ProjectivePoint::mul_by_generator(&k).to_affine().x();
        let r = *e + <Scalar as Reduce<FieldBytes>>::reduce(&x);
        if bool::from(r.is_zero() | (r + *k).is_zero()) {
            return None;
        }
        let s = self.0.one_plus_d_inverse * (*k - r * self.0.d);
        let mut bytes = [0; 64];
        let (high, low) = bytes.split_at_mut(32);
        high.copy_from_slice(&r.to_repr());
        low.copy_from_slice(&s.to_repr());
        Signature::from_bytes(bytes).ok()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.d.zeroize();
        self.one_plus_d_inverse.zeroize();
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SigningKey").field("verifying", &self.0.verifying).finish_non_exhaustive()
    }
}
