//! HMAC-SM3 (GM/T 0042-2015 annex D, RFC 2104).

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{Sm3, Sm3Digest, compress::BLOCK};

/// A running HMAC-SM3; keys of any length.
///
/// A clone made before the first [`update`](Self::update) starts further computations without hashing the key again.
#[derive(Clone)]
pub struct HmacSm3 {
    pub(super) inner: Sm3,
    pub(super) outer: Sm3,
}

impl HmacSm3 {
    /// An empty computation under `key`.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        let mut block = [0; BLOCK];
        if let Some(start) = block.get_mut(..key.len()) {
            start.copy_from_slice(key);
        } else {
            // RFC 2104 §2: a key longer than a block is hashed first.
            let mut hasher = Sm3::new();
            hasher.update(key);
            let mut digest = hasher.finish();
            block.iter_mut().zip(digest.as_bytes()).for_each(|(to, from)| *to = *from);
            digest.0.zeroize();
            hasher.wipe();
        }
        let (mut inner, mut outer) = (Sm3::new(), Sm3::new());
        block.iter_mut().for_each(|byte| *byte ^= INNER);
        inner.update(&block);
        block.iter_mut().for_each(|byte| *byte ^= INNER ^ OUTER);
        outer.update(&block);
        block.zeroize();
        Self { inner, outer }
    }

    /// Appends bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
    }

    /// The code of everything appended.
    ///
    /// To check a received value use [`verify`](Self::verify), which compares in constant time.
    #[must_use]
    pub fn finalize(mut self) -> Sm3Digest {
        let mut digest = self.inner.finish();
        self.outer.update(digest.as_bytes());
        digest.0.zeroize();
        self.outer.finish()
    }

    /// Whether `mac` is the code of everything appended, compared in constant time.
    #[must_use]
    pub fn verify(self, mac: &Sm3Digest) -> bool {
        equal(self.finalize().as_bytes(), mac.as_bytes())
    }
}

impl Drop for HmacSm3 {
    fn drop(&mut self) {
        self.inner.wipe();
        self.outer.wipe();
    }
}

impl ZeroizeOnDrop for HmacSm3 {}

impl fmt::Debug for HmacSm3 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("HmacSm3").finish_non_exhaustive()
    }
}

/// HMAC-SM3 of the concatenation of `parts`; keys of any length, block size 64 bytes.
///
/// To check a received value use [`verify_hmac_sm3`], which compares in constant time.
#[must_use]
pub fn hmac_sm3(key: &[u8], parts: &[&[u8]]) -> Sm3Digest {
    keyed(key, parts).finalize()
}

/// Whether `mac` is the HMAC-SM3 of `parts`, compared in constant time.
#[must_use]
pub fn verify_hmac_sm3(key: &[u8], parts: &[&[u8]], mac: &Sm3Digest) -> bool {
    keyed(key, parts).verify(mac)
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> HmacSm3 {
    let mut mac = HmacSm3::new(key);
    parts.iter().for_each(|part| mac.update(part));
    mac
}

/// Compares without stopping at the first difference.
fn equal(left: &[u8; 32], right: &[u8; 32]) -> bool {
    let difference = left.iter().zip(right).fold(0, |all, (left, right)| all | (left ^ right));
    // The barrier keeps the compiler from turning the fold into an early exit.
    core::hint::black_box(difference) == 0
}

const INNER: u8 = 0x36;
const OUTER: u8 = 0x5c;
