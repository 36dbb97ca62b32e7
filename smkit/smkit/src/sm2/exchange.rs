//! Authenticated key exchange with confirmation (GB/T 32918.3-2016).

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::{
    random::{Random, RandomError},
    sm2::{
        PrivateKey, PublicKey, SignerId, SignerIdTooLong, VerifyingKey,
        encrypt::coordinates,
        group::{Point, Scalar},
        kdf,
    },
    sm3::{Sm3Digest, sm3_secret_parts},
};

/// Longest key agreed on.
pub const EXCHANGED_KEY_BYTES_MAX: usize = 1024;

/// The side that sends first (user A). Each value serves one exchange; its ephemeral secret is wiped when dropped.
///
/// ```
/// use smkit::{OsRandom, sm2::{Initiator, PrivateKey, Responder, SignerId, VerifyingKey}};
///
/// let (alice, bob) = (PrivateKey::generate(&mut OsRandom)?, PrivateKey::generate(&mut OsRandom)?);
/// let alice_public = VerifyingKey::new(alice.public_key().clone(), SignerId::DEFAULT)?;
/// let bob_public = VerifyingKey::new(bob.public_key().clone(), SignerId::DEFAULT)?;
///
/// let initiator = Initiator::new(&alice, SignerId::DEFAULT, bob_public, &mut OsRandom)?;
/// let first = initiator.ephemeral().clone(); // A → B
/// let responder =
///     Responder::new(&bob, SignerId::DEFAULT, &alice_public, &first, 16, &mut OsRandom)?;
/// let (second, s_b) = (responder.ephemeral().clone(), *responder.confirmation()); // B → A
/// let (alice_key, s_a) = initiator.confirm(&second, &s_b, 16)?; // A → B
/// let bob_key = responder.confirm(&s_a)?;
/// assert_eq!(alice_key, bob_key);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Initiator {
    own: Side,
    peer: VerifyingKey,
}

impl Initiator {
    /// Draws the ephemeral key rA (steps A1–A3).
    ///
    /// # Errors
    /// The random source failed, or the identity is too long.
    pub fn new(
        own: &PrivateKey,
        own_id: SignerId,
        peer: VerifyingKey,
        random: &mut dyn Random,
    ) -> Result<Self, ExchangeError> {
        Ok(Opening::new(own, own_id, random)?.with_peer(peer))
    }

    /// RA: what is sent to the responder.
    #[must_use]
    pub const fn ephemeral(&self) -> &PublicKey {
        &self.own.ephemeral
    }

    /// Takes the responder's RB and confirmation SB; gives the key and SA, which the responder checks (steps A4–A10).
    ///
    /// # Errors
    /// SB is not the responder's, or the key length is not in \[1, [`EXCHANGED_KEY_BYTES_MAX`]\].
    pub fn confirm(
        self,
        ephemeral: &PublicKey,
        confirmation: &[u8; 32],
        key_bytes: usize,
    ) -> Result<(Zeroizing<Vec<u8>>, [u8; 32]), ExchangeError> {
        let agreed = self.agree(ephemeral, key_bytes)?;
        if !kdf::equal(&agreed.responder, confirmation) {
            return Err(ExchangeError::Confirmation);
        }
        Ok((agreed.key, agreed.initiator))
    }

    /// The key without confirmation, for protocols that confirm it themselves (TLCP does in Finished).
    ///
    /// # Errors
    /// The key length is not in \[1, [`EXCHANGED_KEY_BYTES_MAX`]\], or the peers' points cancel out.
    pub fn unconfirmed(
        self,
        ephemeral: &PublicKey,
        key_bytes: usize,
    ) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
        Ok(self.agree(ephemeral, key_bytes)?.key)
    }

    fn agree(&self, ephemeral: &PublicKey, key_bytes: usize) -> Result<Agreed, ExchangeError> {
        let u = self.own.shared(self.peer.public_key(), ephemeral)?;
        Agreed::new(
            &u,
            [self.own.key.za(), self.peer.za()],
            [&self.own.ephemeral, ephemeral],
            key_bytes,
        )
    }
}

/// The side that sends first before it knows its peer, for protocols in which RA goes out ahead of the peer's
/// certificate (TLCP's server).
pub struct Opening {
    own: Side,
}

impl Opening {
    /// Draws the ephemeral key rA (steps A1–A3).
    ///
    /// # Errors
    /// As [`Initiator::new`].
    pub fn new(
        own: &PrivateKey,
        own_id: SignerId,
        random: &mut dyn Random,
    ) -> Result<Self, ExchangeError> {
        Ok(Self { own: Side::new(own, own_id, kdf::random_scalar(random)?)? })
    }

    /// RA: what is sent to the responder.
    #[must_use]
    pub const fn ephemeral(&self) -> &PublicKey {
        &self.own.ephemeral
    }

    /// The initiator, now that the peer is known.
    #[must_use]
    pub fn with_peer(self, peer: VerifyingKey) -> Initiator {
        Initiator { own: self.own, peer }
    }
}

/// The side that answers (user B), after it has received RA.
pub struct Responder {
    ephemeral: PublicKey,
    agreed: Agreed,
}

impl Responder {
    /// Draws the ephemeral key rB and derives the key (steps B1–B8).
    ///
    /// # Errors
    /// The random source failed, the identity is too long, the key length is not in
    /// \[1, [`EXCHANGED_KEY_BYTES_MAX`]\], or the peers' points cancel out.
    pub fn new(
        own: &PrivateKey,
        own_id: SignerId,
        peer: &VerifyingKey,
        ephemeral: &PublicKey,
        key_bytes: usize,
        random: &mut dyn Random,
    ) -> Result<Self, ExchangeError> {
        let side = Side::new(own, own_id, kdf::random_scalar(random)?)?;
        Self::from_side(side, peer, ephemeral, key_bytes)
    }

    /// RB: what is sent to the initiator.
    #[must_use]
    pub const fn ephemeral(&self) -> &PublicKey {
        &self.ephemeral
    }

    /// SB: sent along with RB.
    #[must_use]
    pub const fn confirmation(&self) -> &[u8; 32] {
        &self.agreed.responder
    }

    /// Takes the initiator's SA and releases the key (step B10).
    ///
    /// # Errors
    /// SA is not the initiator's.
    pub fn confirm(self, confirmation: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
        if kdf::equal(&self.agreed.initiator, confirmation) {
            Ok(self.agreed.key)
        } else {
            Err(ExchangeError::Confirmation)
        }
    }

    /// The key without confirmation, for protocols that confirm it themselves.
    #[must_use]
    pub fn unconfirmed(self) -> Zeroizing<Vec<u8>> {
        self.agreed.key
    }

    fn from_side(
        side: Side,
        peer: &VerifyingKey,
        ephemeral: &PublicKey,
        key_bytes: usize,
    ) -> Result<Self, ExchangeError> {
        let v = side.shared(peer.public_key(), ephemeral)?;
        let agreed =
            Agreed::new(&v, [peer.za(), side.key.za()], [ephemeral, &side.ephemeral], key_bytes)?;
        Ok(Self { ephemeral: side.ephemeral, agreed })
    }
}

/// One side's secrets.
struct Side {
    key: VerifyingKey,
    ephemeral: PublicKey,
    /// t = (d + x̄·r) mod n (steps A5, B4).
    t: Zeroizing<Scalar>,
}

impl Side {
    fn new(own: &PrivateKey, id: SignerId, r: Zeroizing<Scalar>) -> Result<Self, ExchangeError> {
        let key = VerifyingKey::new(own.public_key().clone(), id)?;
        let (x, y) = Point::mul_base(&r).to_affine().ok_or(ExchangeError::Degenerate)?;
        let ephemeral = PublicKey::from_coordinates(&x, &y).ok_or(ExchangeError::Degenerate)?;
        let t = Zeroizing::new(own.scalar().add(&Zeroizing::new(truncated(&ephemeral).mul(&r))));
        Ok(Self { key, ephemeral, t })
    }

    /// U = \[t\](P + \[x̄\]R) as x ‖ y (steps A6, A7; the cofactor is 1).
    fn shared(
        &self,
        peer: &PublicKey,
        ephemeral: &PublicKey,
    ) -> Result<Zeroizing<[[u8; 32]; 2]>, ExchangeError> {
        let [peer, ephemeral_point] = [peer, ephemeral].map(|key| Point::from(*key.affine()));
        let sum = peer.add(&ephemeral_point.mul(&truncated(ephemeral)));
        let u = Zeroizing::new(sum.mul(&self.t));
        let (x, y) = u.to_affine().ok_or(ExchangeError::Degenerate)?;
        Ok(Zeroizing::new([x, y]))
    }
}

/// What both sides know in the end.
struct Agreed {
    key: Zeroizing<Vec<u8>>,
    /// S1 = SB = SM3(02 ‖ yU ‖ h0).
    responder: [u8; 32],
    /// S2 = SA = SM3(03 ‖ yU ‖ h0).
    initiator: [u8; 32],
}

impl Agreed {
    /// ZA and RA come before ZB and RB on both sides.
    fn new(
        u: &[[u8; 32]; 2],
        [za, zb]: [&Sm3Digest; 2],
        [ra, rb]: [&PublicKey; 2],
        key_bytes: usize,
    ) -> Result<Self, ExchangeError> {
        if !(1..=EXCHANGED_KEY_BYTES_MAX).contains(&key_bytes) {
            return Err(ExchangeError::KeyLength { bytes: key_bytes });
        }
        let [x, y] = u;
        let (za, zb) = (za.as_bytes(), zb.as_bytes());
        let ((xa, ya), (xb, yb)) = (coordinates(ra), coordinates(rb));
        let inner = Zeroizing::new(sm3_secret_parts(&[x, za, zb, xa, ya, xb, yb]));
        let confirmation =
            |label: u8| *sm3_secret_parts(&[&[label], y, inner.as_bytes()]).as_bytes();
        Ok(Self {
            key: kdf::derive(&[x, y, za, zb], key_bytes)
                .ok_or(ExchangeError::KeyLength { bytes: key_bytes })?,
            responder: confirmation(2),
            initiator: confirmation(3),
        })
    }
}

/// x̄ = 2^127 + (x mod 2^127): w = 127 for a 256-bit order.
fn truncated(key: &PublicKey) -> Scalar {
    let (x, _) = coordinates(key);
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(x).skip(16).for_each(|(to, from)| *to = *from);
    if let Some(top) = bytes.get_mut(16) {
        *top |= 0x80;
    }
    Scalar::reduce(&bytes)
}

impl fmt::Debug for Initiator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Initiator").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Opening").field("ephemeral", self.ephemeral()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Responder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Responder").field("ephemeral", &self.ephemeral).finish_non_exhaustive()
    }
}

/// Why a key exchange failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The other side's confirmation is wrong: a man in the middle, or other keys, identities or lengths.
    #[error("the SM2 key exchange was not confirmed")]
    Confirmation,
    /// The shared point is infinity: the peer chose its keys so.
    #[error("the SM2 key exchange has no shared point")]
    Degenerate,
    /// Not in \[1, [`EXCHANGED_KEY_BYTES_MAX`]\].
    #[error("SM2 key exchange gives 1 to 1024 bytes, asked for {bytes}")]
    KeyLength {
        /// Length asked for.
        bytes: usize,
    },
    /// The own identity does not fit ENTL.
    #[error(transparent)]
    SignerId(#[from] SignerIdTooLong),
    /// The random source failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

#[cfg(test)]
mod tests;
