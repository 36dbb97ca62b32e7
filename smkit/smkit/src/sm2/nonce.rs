//! Deterministic nonces: the HMAC-DRBG of RFC 6979 §3.2 over SM3, optionally with fresh randomness (§3.6).

use zeroize::Zeroizing;

use crate::{
    once::LazyLock,
    sm2::group::Scalar,
    sm3::{HmacSm3, Sm3Digest},
};

/// Candidates for k that depend on the private key, the digest and `extra`, and on nothing else.
pub(super) struct Nonces {
    /// K, already hashed into the states of the HMAC.
    key: HmacSm3,
    v: Zeroizing<Sm3Digest>,
    fresh: bool,
}

impl Nonces {
    /// `extra` is k' of §3.6: empty for a deterministic nonce.
    pub(super) fn new(d: &Scalar, e: &Scalar, extra: &[u8]) -> Self {
        let x = Zeroizing::new(d.to_bytes());
        let h = e.to_bytes();
        let mut this = Self {
            key: FIRST_KEY.clone(),
            v: Zeroizing::new(Sm3Digest::new([1; 32])),
            fresh: true,
        };
        this.update(0, &[x.as_ref(), &h, extra]);
        this.update(1, &[x.as_ref(), &h, extra]);
        this
    }

    /// The next candidate in \[1, n−1\].
    pub(super) fn draw(&mut self) -> Zeroizing<Scalar> {
        loop {
            if !self.fresh {
                self.update(0, &[]);
            }
            self.fresh = false;
            self.turn();
            // A candidate that is refused tells nothing about the one taken.
            if let Some(k) = Scalar::from_bytes(self.v.as_bytes())
                && !k.is_zero()
            {
                return Zeroizing::new(k);
            }
        }
    }

    /// K = HMAC(K, V ‖ step ‖ input); V = HMAC(K, V).
    fn update(&mut self, step: u8, input: &[&[u8]]) {
        let mut mac = self.key.clone();
        mac.update(self.v.as_bytes());
        mac.update(&[step]);
        input.iter().for_each(|part| mac.update(part));
        self.key = HmacSm3::new(Zeroizing::new(mac.finalize()).as_bytes());
        self.turn();
    }

    /// V = HMAC(K, V).
    fn turn(&mut self) {
        let mut mac = self.key.clone();
        mac.update(self.v.as_bytes());
        *self.v = mac.finalize();
    }
}

/// K of step c: 32 zero bytes.
static FIRST_KEY: LazyLock<HmacSm3> = LazyLock::new(|| HmacSm3::new(&[0; 32]));
