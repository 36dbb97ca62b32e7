//! Plain elliptic-curve Diffie–Hellman on the SM2 curve: the key exchange of TLS 1.3 (RFC 8998 §3.2.2, RFC 8446 §7.4.2).
//!
//! It authenticates nobody: the protocol around it must sign what was exchanged. Between two known keys take
//! [`Initiator`](super::Initiator) and [`Responder`](super::Responder) instead.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{
    random::{Random, RandomError},
    sm2::{
        PublicKey,
        group::{Point, Scalar},
        kdf,
    },
};

/// One side's ephemeral secret d with its public point \[d\]G; serves one agreement and is wiped when dropped.
///
/// ```
/// use smkit::{OsRandom, sm2::EphemeralKey};
///
/// let (alice, bob) = (EphemeralKey::generate(&mut OsRandom)?, EphemeralKey::generate(&mut OsRandom)?);
/// let (alice_public, bob_public) = (alice.public_key().clone(), bob.public_key().clone());
/// let shared = alice.agree(&bob_public)?;
/// assert_eq!(shared.x(), bob.agree(&alice_public)?.x());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EphemeralKey {
    d: Zeroizing<Scalar>,
    public: PublicKey,
}

impl EphemeralKey {
    /// Draws d from \[1, n−1\].
    ///
    /// # Errors
    /// The random source failed.
    pub fn generate(random: &mut dyn Random) -> Result<Self, RandomError> {
        let d = kdf::random_scalar(random)?;
        let public = Point::mul_base(&d)
            .to_affine()
            .and_then(|(x, y)| PublicKey::from_coordinates(&x, &y))
            .ok_or_else(|| RandomError { reason: "no usable SM2 ephemeral key drawn".into() })?;
        Ok(Self { d, public })
    }

    /// What the other side is sent.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// \[d\]Q for the other side's Q, in the same time for every d and Q.
    ///
    /// # Errors
    /// The product is infinity, which no valid Q gives: the order of the group is prime and d is below it.
    pub fn agree(self, peer: &PublicKey) -> Result<SharedPoint, AgreementError> {
        let product = Zeroizing::new(Point::from(*peer.affine()).mul(&self.d));
        let (x, mut y) = product.to_affine().ok_or(AgreementError)?;
        y.zeroize();
        Ok(SharedPoint { x })
    }
}

impl fmt::Debug for EphemeralKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("EphemeralKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The point both sides know; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SharedPoint {
    x: [u8; 32],
}

impl SharedPoint {
    /// The x-coordinate, 32 bytes big-endian: TLS 1.3's shared secret. Not uniform: it belongs into a key derivation.
    #[must_use]
    pub const fn x(&self) -> &[u8; 32] {
        &self.x
    }
}

impl fmt::Debug for SharedPoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SharedPoint").finish_non_exhaustive()
    }
}

/// The two keys have no shared point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the SM2 keys have no shared point")]
pub struct AgreementError;

#[cfg(test)]
mod tests;
