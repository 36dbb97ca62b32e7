//! Counter mode (GB/T 17964-2021): 128-bit big-endian counter that wraps.

use core::fmt;

use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{
    BLOCK_BYTES, Key,
    cipher::Cipher,
    kernel::{Kernel, xor_in_place},
};

/// SM4-CTR under one key; encrypting and decrypting are the same.
///
/// It authenticates nothing, and two messages whose counters overlap reveal each other.
#[derive(Clone)]
pub struct Ctr(Cipher);

impl Ctr {
    /// Expands the key once.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self::with_kernel(key, Kernel::detect())
    }

    pub(super) fn with_kernel(key: &Key, kernel: Kernel) -> Self {
        Self(Cipher::with_kernel(key, kernel))
    }

    /// XORs the key stream that starts at `counter` into `data`.
    pub fn apply(&self, counter: &[u8; BLOCK_BYTES], data: &mut [u8]) {
        self.0.ctr128(u128::from_be_bytes(*counter), data);
    }

    /// Like [`Ctr::apply`] for a piece of a longer message that begins `offset_bytes` into it.
    pub fn apply_at(&self, counter: &[u8; BLOCK_BYTES], offset_bytes: u64, data: &mut [u8]) {
        let mut counter = u128::from_be_bytes(*counter).wrapping_add(u128::from(offset_bytes / 16));
        let skipped = usize::from((offset_bytes % 16).to_le_bytes()[0]);
        let mut rest = data;
        if skipped != 0 {
            let stream = Zeroizing::new(self.0.encrypt_block(counter.to_be_bytes()));
            let stream = stream.get(skipped..).unwrap_or_default();
            let (now, later) = rest.split_at_mut(stream.len().min(rest.len()));
            xor_in_place(now, stream);
            counter = counter.wrapping_add(1);
            rest = later;
        }
        self.0.ctr128(counter, rest);
    }
}

/// The expanded keys wipe themselves.
impl ZeroizeOnDrop for Ctr {}

impl fmt::Debug for Ctr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sm4::Ctr(..)")
    }
}
