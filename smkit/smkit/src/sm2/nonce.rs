//! Deterministic nonces: the HMAC-DRBG of RFC 6979 §3.2 over SM3, optionally with fresh randomness (§3.6).

use zeroize::{Zeroize, Zeroizing};

use crate::{
    sm2::group::Scalar,
    sm3::{Sm3, Sm3Digest},
};

/// Candidates for k that depend on the private key, the digest and `extra`, and on nothing else.
pub(super) struct Nonces {
    /// K, as the hash states after its two padded blocks.
    key: HmacKey,
    v: [u8; 32],
    fresh: bool,
}

impl Nonces {
    /// `extra` is k' of §3.6: empty for a deterministic nonce.
    pub(super) fn new(d: &Scalar, e: &Scalar, extra: &[u8]) -> Self {
        let x = Zeroizing::new(d.to_bytes());
        let h = e.to_bytes();
        let mut this = Self { key: HmacKey::new(&[0; 32]), v: [1; 32], fresh: true };
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
            self.v = self.key.mac(&[&self.v]);
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
        let mut mac = self.key.inner.clone();
        mac.update(&self.v);
        mac.update(&[step]);
        input.iter().for_each(|part| mac.update(part));
        let key = Zeroizing::new(self.key.finish(mac));
        self.key = HmacKey::new(&key);
        self.v = self.key.mac(&[&self.v]);
    }
}

impl Drop for Nonces {
    fn drop(&mut self) {
        self.v.zeroize();
    }
}

struct HmacKey {
    inner: Sm3,
    outer: Sm3,
}

impl HmacKey {
    fn new(key: &[u8; 32]) -> Self {
        let state = |pad: u8| {
            let mut block = Zeroizing::new([pad; 64]);
            block.iter_mut().zip(key).for_each(|(padded, byte)| *padded ^= byte);
            let mut state = Sm3::new();
            state.update(block.as_ref());
            state
        };
        Self { inner: state(0x36), outer: state(0x5c) }
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut inner = self.inner.clone();
        parts.iter().for_each(|part| inner.update(part));
        self.finish(inner)
    }

    fn finish(&self, inner: Sm3) -> [u8; 32] {
        let mut outer = self.outer.clone();
        outer.update(inner.finalize().as_bytes());
        *Sm3Digest::as_bytes(&outer.finalize())
    }
}
