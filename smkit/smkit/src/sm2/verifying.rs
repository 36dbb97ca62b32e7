//! Signature verification.

use alloc::sync::Arc;
use core::fmt;

use crate::{
    sm2::{
        PublicKey, Signature, SignerId,
        group::{Comb, GENERATOR, Scalar},
        id::SignerIdTooLong,
        table,
    },
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
        let claim = Claim::new(&self.message_digest(message), signature).ok_or(InvalidSignature)?;
        if self.holds(&claim) { Ok(()) } else { Err(InvalidSignature) }
    }

    /// Steps B6 and B7, one signature by itself. Right for every claim, whatever sums meet on the way.
    pub(crate) fn holds(&self, claim: &Claim) -> bool {
        let point = self.0.table.multiple(&claim.t, self.0.public.affine());
        GENERATOR.add_multiple(&point, &claim.s).has_x(&claim.expected)
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

    /// The table of this key, if it has one by now; counts as a use.
    #[allow(dead_code, reason = "for the lanes")]
    pub(crate) fn table(&self) -> Option<&Comb> {
        self.0.table.comb(self.0.public.affine())
    }
}

/// The numbers of a verification, public all of them.
pub(crate) struct Claim {
    /// s of the signature.
    pub(crate) s: Scalar,
    /// r + s, not zero.
    pub(crate) t: Scalar,
    /// r − e: what x of \[s\]G + \[t\]P modulo n must be.
    pub(crate) expected: Scalar,
}

impl Claim {
    /// Steps B3–B5; B1 and B2 hold by the invariant of [`Signature`]. `None` when the signature is already known wrong.
    pub(crate) fn new(digest: &Sm3Digest, signature: &Signature) -> Option<Self> {
        let (r, s) = signature.halves();
        let (r, s) = (Scalar::from_bytes(r)?, Scalar::from_bytes(s)?);
        let t = r.add(&s);
        let e = Scalar::reduce(digest.as_bytes());
        (!t.is_zero()).then(|| Self { s, t, expected: r.sub(&e) })
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
