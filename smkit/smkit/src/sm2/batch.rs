//! Many signatures at once: the seam where a vector kernel replaces the loop.

use ::sm2::{ProjectivePoint, elliptic_curve::BatchNormalize};

use crate::sm2::{InvalidSignature, Signature, SigningKey, VerifyingKey};

/// One claim to check: this key signed this message.
#[derive(Clone, Copy, Debug)]
pub struct Unverified<'a> {
    /// Who is said to have signed.
    pub key: &'a VerifyingKey,
    /// What is said to be signed.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a Signature,
}

/// Verifies each claim on its own; the result at an index belongs to the claim at that index, so invalid ones are named.
///
/// Faster than one by one, since all claims share one field inversion. Runs on the calling thread; callers split a
/// large batch across threads.
#[must_use]
pub fn verify_many(batch: &[Unverified<'_>]) -> Vec<Result<(), InvalidSignature>> {
    let claims: Vec<_> =
        batch.iter().map(|claim| claim.key.claim(claim.message, claim.signature)).collect();
    let points: Vec<_> = claims.iter().flatten().map(|claim| claim.point).collect();
    let mut affine = ProjectivePoint::batch_normalize(points.as_slice()).into_iter();
    claims
        .iter()
        .map(|claim| match claim {
            Some(claim) => {
                affine.next().ok_or(InvalidSignature).and_then(|point| claim.holds_at(&point))
            }
            None => Err(InvalidSignature),
        })
        .collect()
}

/// Signs each message; the same signatures as [`SigningKey::sign`] one by one.
#[must_use]
pub fn sign_many(key: &SigningKey, messages: &[&[u8]]) -> Vec<Signature> {
    messages.iter().map(|message| key.sign(message)).collect()
}
