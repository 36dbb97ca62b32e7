//! Cipher block chaining (GB/T 17964-2021) with strict PKCS#7 padding, for formats that prescribe it.
//!
//! CBC alone detects no change. A caller who lets an attacker see *whether* [`Cbc::decrypt`] fails gives the plaintext
//! away (Vaudenay's padding oracle); new formats take [`Gcm`](super::Gcm).

use alloc::vec::Vec;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{BLOCK_BYTES, Key, Sm4Error, cipher::Cipher, kernel::Kernel};

/// SM4-CBC under one key.
#[derive(Clone)]
pub struct Cbc(Cipher);

impl Cbc {
    /// Expands the key once.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self::with_kernel(key, Kernel::detect())
    }

    pub(super) fn with_kernel(key: &Key, kernel: Kernel) -> Self {
        Self(Cipher::with_kernel(key, kernel))
    }

    /// Pads `data` as PKCS#7 (always, by 1 to 16 bytes) and encrypts it in place; the IV must be unpredictable.
    pub fn encrypt(&self, iv: &[u8; BLOCK_BYTES], data: &mut Vec<u8>) {
        let padding = BLOCK_BYTES - data.len() % BLOCK_BYTES;
        #[expect(clippy::cast_possible_truncation, reason = "1 to 16")]
        data.resize(data.len() + padding, padding as u8);
        self.0.cbc_encrypt(&mut iv.clone(), data.as_chunks_mut().0);
    }

    /// Decrypts `data` in place and removes the padding, which is checked in constant time and completely.
    ///
    /// # Errors
    /// Empty, not whole blocks, or the padding is not exactly PKCS#7 of 1 to 16 bytes: one error for all. `data` is
    /// then wiped and empty.
    pub fn decrypt(&self, iv: &[u8; BLOCK_BYTES], data: &mut Vec<u8>) -> Result<(), Sm4Error> {
        let padding = match data.as_chunks_mut::<BLOCK_BYTES>() {
            (blocks, []) => {
                self.0.cbc_decrypt(&mut iv.clone(), blocks);
                blocks.last().and_then(padding)
            }
            _ => None,
        };
        let Some(padding) = padding else {
            data.zeroize();
            return Err(Sm4Error::Padding);
        };
        data.truncate(data.len() - padding);
        Ok(())
    }

    /// Encrypts whole blocks in place without padding.
    ///
    /// # Errors
    /// Not a multiple of 16 bytes; `data` is then unchanged.
    pub fn encrypt_unpadded(
        &self,
        iv: &[u8; BLOCK_BYTES],
        data: &mut [u8],
    ) -> Result<(), Sm4Error> {
        self.0.cbc_encrypt(&mut iv.clone(), whole_blocks(data)?);
        Ok(())
    }

    /// Decrypts whole blocks in place without looking at any padding.
    ///
    /// # Errors
    /// Not a multiple of 16 bytes; `data` is then unchanged.
    pub fn decrypt_unpadded(
        &self,
        iv: &[u8; BLOCK_BYTES],
        data: &mut [u8],
    ) -> Result<(), Sm4Error> {
        self.0.cbc_decrypt(&mut iv.clone(), whole_blocks(data)?);
        Ok(())
    }
}

/// The expanded keys wipe themselves.
impl ZeroizeOnDrop for Cbc {}

impl fmt::Debug for Cbc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sm4::Cbc(..)")
    }
}

fn whole_blocks(data: &mut [u8]) -> Result<&mut [[u8; BLOCK_BYTES]], Sm4Error> {
    let bytes = data.len();
    match data.as_chunks_mut() {
        (blocks, []) => Ok(blocks),
        _ => Err(Sm4Error::BlockLength { bytes }),
    }
}

/// Length of the padding of the last block, if it is right; looks at all 16 bytes whatever they are.
fn padding(last: &[u8; BLOCK_BYTES]) -> Option<usize> {
    let [.., count] = *last;
    // 1 to 16: count − 1 has none of its upper four bits.
    let mut wrong = count.wrapping_sub(1) & 0xf0;
    for (byte, from_end) in last.iter().rev().zip(0_u8..) {
        // All ones where from_end < count; both are below 128 whenever `wrong` is still zero.
        let inside = 0_u8.wrapping_sub(from_end.wrapping_sub(count) >> 7);
        wrong |= inside & (byte ^ count);
    }
    (core::hint::black_box(wrong) == 0).then_some(usize::from(count))
}
