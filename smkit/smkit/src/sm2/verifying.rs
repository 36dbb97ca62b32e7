//! Signature verification.

use std::{fmt, sync::Arc};

use ::sm2::{
    AffinePoint, FieldBytes, ProjectivePoint, Scalar,
    elliptic_curve::{Group, ff::PrimeField, ops::Reduce, point::AffineCoordinates},
};

use crate::{
    sm2::{PublicKey, Signature, SignerId, id::SignerIdTooLong, table},
    sm3::{Sm3Digest, sm3_parts},
};

/// A public key bound to its owner's [`SignerId`]; ZA is computed once. Cloning is cheap.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

struct Inner {
    public: PublicKey,
    id: SignerId,
    za: Sm3Digest,
    table: table::LazyTable,
}

impl VerifyingKey {
    /// Binds a key to an identity.
    ///
    /// # Errors
    /// The identity is too long for ENTL (not reachable through [`SignerId::new`]).
    pub fn new(public: PublicKey, id: SignerId) -> Result<Self, SignerIdTooLong> {
        let za = id.hash(&public)?;
        Ok(Self(Arc::new(Inner { public, id, za, table: table::LazyTable::default() })))
    }

    /// Checks that `signature` is this key's signature of `message` (GB/T 32918.2-2016 §7.1). Does not allocate.
    ///
    /// # Errors
    /// It is not; there is deliberately one reason only.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), InvalidSignature> {
        let claim = self.claim(message, signature).ok_or(InvalidSignature)?;
        claim.holds_at(&claim.point.to_affine())
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public
    }

    /// The identity this key is bound to.
    #[must_use]
    pub fn signer_id(&self) -> &SignerId {
        &self.0.id
    }

    /// ZA of GB/T 32918.2-2016 §5.5.
    #[must_use]
    pub fn za(&self) -> &Sm3Digest {
        &self.0.za
    }

    /// e = SM3(ZA ‖ message).
    pub(crate) fn message_digest(&self, message: &[u8]) -> Sm3Digest {
        sm3_parts(&[self.0.za.as_bytes(), message])
    }

    /// Steps B3–B6; B1 and B2 hold by the invariant of [`Signature`]. `None` when the signature is already known wrong.
    pub(crate) fn claim(&self, message: &[u8], signature: &Signature) -> Option<Claim> {
        let (r, s) = signature.halves();
        let (r, s) = (scalar(r)?, scalar(s)?);
        let t = r + s;
        if t.is_zero().into() {
            return None;
        }
        let mut point = ProjectivePoint::IDENTITY;
        table::GENERATOR.add_multiple(&mut point, &s);
        self.0.table.add_multiple(&mut point, &t, self.0.public.point().as_affine());
        if point.is_identity().into() {
            return None;
        }
        let e = reduce(self.message_digest(message).as_bytes());
        Some(Claim { expected: r - e, point })
    }
}

/// What is left of a verification: step B7 on the affine form of `point`, whose inversion a batch shares.
pub(crate) struct Claim {
    /// r − e: what x modulo n must be.
    expected: Scalar,
    /// \[s\]G + \[t\]P, not infinity.
    pub(crate) point: ProjectivePoint,
}

impl Claim {
    /// Step B7; `point` is the affine form of the claim's point.
    pub(crate) fn holds_at(&self, point: &AffinePoint) -> Result<(), InvalidSignature> {
        if <Scalar as Reduce<FieldBytes>>::reduce(&point.x()) == self.expected {
            Ok(())
        } else {
            Err(InvalidSignature)
        }
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.public == other.0.public && self.0.id == other.0.id
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("VerifyingKey")
            .field("public", &self.0.public)
            .field("id", &self.0.id)
            .finish_non_exhaustive()
    }
}

/// The signature does not belong to this key, identity and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid SM2 signature")]
pub struct InvalidSignature;

/// A canonical scalar; `None` for n and above.
fn scalar(bytes: &[u8; 32]) -> Option<Scalar> {
    Scalar::from_repr((*bytes).into()).into_option()
}

/// A digest as a number modulo n.
pub(crate) fn reduce(bytes: &[u8; 32]) -> Scalar {
    <Scalar as Reduce<FieldBytes>>::reduce(&(*bytes).into())
}
