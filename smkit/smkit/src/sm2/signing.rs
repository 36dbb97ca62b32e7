//! Signature generation.

use alloc::sync::Arc;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    random::{Random, RandomError},
    sm2::{
        PrivateKey, Signature, SignerId, VerifyingKey,
        group::{GENERATOR, Scalar},
        id::SignerIdTooLong,
        nonce::Nonces,
    },
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
        let d = *private.scalar();
        // d ≤ n−2 by the invariant of PrivateKey, so 1 + d is never zero.
        let one_plus_d_inverse = d.add(&Scalar::ONE).invert();
        Ok(Self(Arc::new(Inner { d, one_plus_d_inverse, verifying })))
    }

    /// Signs `message` (GB/T 32918.2-2016 §6.1) with k derived from the key and the message (RFC 6979 §3.2 over SM3).
    ///
    /// Deterministic and constant-time in the secret; the standard's retries (r = 0, r + k = n, s = 0) are taken.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature = self.sign_prehash(&self.0.verifying.message_digest(message), &[]);
        wipe_stack();
        signature
    }

    /// Signs as [`SigningKey::sign`], with 32 random bytes entering k as well (RFC 6979 §3.6).
    ///
    /// Two signatures of one message then differ, and neither a fault in the hash's input nor a weak random source
    /// alone reveals the key.
    ///
    /// # Errors
    /// The random source failed; nothing is signed then.
    pub fn sign_hedged(
        &self,
        message: &[u8],
        random: &mut dyn Random,
    ) -> Result<Signature, RandomError> {
        let mut extra = Zeroizing::new([0; 32]);
        random.fill(extra.as_mut())?;
        let digest = self.0.verifying.message_digest(message);
        let signature = self.sign_prehash(&digest, extra.as_ref());
        wipe_stack();
        Ok(signature)
    }

    /// The matching verifying key, bound to the same identity.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0.verifying
    }

    /// Not inlined, so that its stack lies where [`wipe_stack`] wipes.
    #[inline(never)]
    fn sign_prehash(&self, digest: &Sm3Digest, extra: &[u8]) -> Signature {
        let e = Scalar::reduce(digest.as_bytes());
        let mut nonces = self.nonces(&e, extra);
        loop {
            if let Some(signature) = self.attempt(&e, &nonces.draw()) {
                return signature;
            }
        }
    }

    /// The candidates for k of one digest.
    pub(super) fn nonces(&self, e: &Scalar, extra: &[u8]) -> Nonces {
        Nonces::new(&self.0.d, e, extra)
    }

    /// Steps A4–A7 for one k; `None` asks for the next one (probability about 2^−255).
    pub(super) fn attempt(&self, e: &Scalar, k: &Scalar) -> Option<Signature> {
        let point = Zeroizing::new(GENERATOR.multiply(k));
        self.finish(e, k, &point.affine_x()?)
    }

    /// Steps A5–A7, given x of \[k\]G.
    pub(super) fn finish(&self, e: &Scalar, k: &Scalar, x: &[u8; 32]) -> Option<Signature> {
        let r = e.add(&Scalar::reduce(x));
        let r_plus_k = Zeroizing::new(r.add(k));
        if r.is_zero() | r_plus_k.is_zero() {
            return None;
        }
        // (1 + d)⁻¹·(k − r·d) = (1 + d)⁻¹·(k + r) − r: one multiplication less.
        let s = self.0.one_plus_d_inverse.mul(&r_plus_k).sub(&r);
        let mut bytes = [0; 64];
        let (high, low) = bytes.split_at_mut(32);
        high.copy_from_slice(&r.to_bytes());
        low.copy_from_slice(&s.to_bytes());
        Signature::from_bytes(bytes).ok()
    }
}

/// Overwrites the stack that the calls before this one have used.
///
/// What has a name is wiped by its owner; this is for what the compiler keeps beside: spilled registers, values returned
/// through memory, arguments copied.
#[inline(never)]
pub(super) fn wipe_stack() {
    core::hint::black_box(&mut [0_u8; STACK_WIPED_BYTES]);
}

/// Deeper than any call below a signature reaches.
const STACK_WIPED_BYTES: usize = 16 * 1_024;

impl Drop for Inner {
    fn drop(&mut self) {
        self.d.zeroize();
        self.one_plus_d_inverse.zeroize();
    }
}

/// The last clone wipes the secret.
impl ZeroizeOnDrop for SigningKey {}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SigningKey").field("verifying", &self.0.verifying).finish_non_exhaustive()
    }
}
