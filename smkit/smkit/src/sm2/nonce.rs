//! Deterministic nonces: the HMAC-DRBG of RFC 6979 §3.2 over SM3, optionally with fresh randomness (§3.6).

use zeroize::{Zeroize, Zeroizing};

use crate::{sm2::group::Scalar, sm3::HmacSm3};

/// Candidates for k that depend on the private key, the digest and `extra`, and on nothing else.
pub(super) struct Nonces {
    /// K, as the hash states after its two padded blocks; wiped when dropped, as is every computation cloned from it.
    key: HmacSm3,
    v: [u8; 32],
    fresh: bool,
}

impl Nonces {
    /// `extra` is k' of §3.6: empty for a deterministic nonce.
    pub(super) fn new(d: &Scalar, e: &Scalar, extra: &[u8]) -> Self {
        let x = Zeroizing::new(d.to_bytes());
        let h = e.to_bytes();
        let mut this = Self { key: HmacSm3::new(&[0; 32]), v: [1; 32], fresh: true };
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
            self.next();
            // A candidate that is refused tells nothing about the one taken.
            if let Some(k) = Scalar::from_bytes(&self.v)
                && !k.is_zero()
            {
                return Zeroizing::new(k);
            }
        }
    }

    /// K = HMAC(K, V ‖ step ‖ input); V = HMAC(K, V).
    fn update(&mut self, step: u8, input: &[&[u8]]) {
        let mut mac = self.key.clone();
        mac.update(&self.v);
        mac.update(&[step]);
        input.iter().for_each(|part| mac.update(part));
        let key = Zeroizing::new(<[u8; 32]>::from(mac.finalize()));
        self.key = HmacSm3::new(key.as_ref());
        self.next();
    }

    /// V = HMAC(K, V).
    fn next(&mut self) {
        let mut mac = self.key.clone();
        mac.update(&self.v);
        self.v = mac.finalize().into();
    }
}

impl Drop for Nonces {
    fn drop(&mut self) {
        self.v.zeroize();
    }
}
