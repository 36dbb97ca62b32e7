//! XTS for data units of storage, with ciphertext stealing.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{
    BLOCK_BYTES, Key, Sm4Error,
    cipher::{Cipher, equal},
    kernel::{Block, Kernel, xor_in_place},
};

/// Which standard orders the bits of the tweak; the two agree on the first block only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XtsStandard {
    /// GB/T 17964-2021: bits as in GHASH.
    GbT17964,
    /// IEEE 1619-2007.
    Ieee1619,
}

/// SM4-XTS under two keys. It authenticates nothing; each data unit has its own tweak.
#[derive(Clone)]
pub struct Xts {
    data: Cipher,
    tweak: Cipher,
    standard: XtsStandard,
}

impl Xts {
    /// Expands both keys once.
    ///
    /// # Errors
    /// The keys are equal, which the proof of XTS does not allow.
    pub fn new(data: &Key, tweak: &Key, standard: XtsStandard) -> Result<Self, Sm4Error> {
        Self::with_kernel(data, tweak, standard, Kernel::detect())
    }

    pub(super) fn with_kernel(
        data: &Key,
        tweak: &Key,
        standard: XtsStandard,
        kernel: Kernel,
    ) -> Result<Self, Sm4Error> {
        if equal(data.expose(), tweak.expose()) {
            return Err(Sm4Error::EqualKeys);
        }
        let [data, tweak] = [data, tweak].map(|key| Cipher::with_kernel(key, kernel));
        Ok(Self { data, tweak, standard })
    }

    /// Encrypts one data unit in place.
    ///
    /// # Errors
    /// Shorter than one block, or longer than 2^20 blocks (IEEE 1619 §5.1); `unit` is then unchanged.
    pub fn encrypt(&self, tweak: &[u8; BLOCK_BYTES], unit: &mut [u8]) -> Result<(), Sm4Error> {
        self.apply(tweak, unit, Cipher::encrypt_blocks, false)
    }

    /// Decrypts one data unit in place.
    ///
    /// # Errors
    /// Shorter than one block, or longer than 2^20 blocks (IEEE 1619 §5.1); `unit` is then unchanged.
    pub fn decrypt(&self, tweak: &[u8; BLOCK_BYTES], unit: &mut [u8]) -> Result<(), Sm4Error> {
        self.apply(tweak, unit, Cipher::decrypt_blocks, true)
    }

    fn apply(
        &self,
        tweak: &Block,
        unit: &mut [u8],
        crypt: fn(&Cipher, &mut [Block]),
        decrypting: bool,
    ) -> Result<(), Sm4Error> {
        let bytes = unit.len();
        if !(BLOCK_BYTES..=UNIT_BYTES_MAX).contains(&bytes) {
            return Err(Sm4Error::BlockLength { bytes });
        }
        let mut tweak = self.tweak.encrypt_block(*tweak);
        let (blocks, rest) = unit.as_chunks_mut::<BLOCK_BYTES>();
        // With a part of a block at the end, the last whole block waits for the stealing.
        let (bulk, stolen) = match blocks.split_last_mut() {
            Some((last, bulk)) if !rest.is_empty() => (bulk, Some(last)),
            _ => (blocks, None),
        };
        let mut tweaks = [[0; BLOCK_BYTES]; CHUNK_BLOCKS];
        for chunk in bulk.chunks_mut(CHUNK_BLOCKS) {
            for (slot, block) in tweaks.iter_mut().zip(chunk.iter_mut()) {
                *slot = tweak;
                tweak = self.next(tweak);
                xor_in_place(block, slot);
            }
            crypt(&self.data, chunk);
            for (slot, block) in tweaks.iter().zip(chunk) {
                xor_in_place(block, slot);
            }
        }
        tweaks.as_flattened_mut().zeroize();
        if let Some(last) = stolen {
            // §5.3.2, §5.4.2: decryption takes the two tweaks in the other order.
            let (first, second) = (tweak, self.next(tweak));
            let (first, second) = if decrypting { (second, first) } else { (first, second) };
            let one = |block: &mut Block, tweak: &Block| {
                xor_in_place(block, tweak);
                crypt(&self.data, core::slice::from_mut(block));
                xor_in_place(block, tweak);
            };
            one(last, &first);
            for (end, start) in rest.iter_mut().zip(last.iter_mut()) {
                core::mem::swap(end, start);
            }
            one(last, &second);
        }
        Ok(())
    }

    /// Multiplies a tweak by x, without a branch on its top bit.
    const fn next(&self, tweak: Block) -> Block {
        match self.standard {
            XtsStandard::GbT17964 => {
                let value = u128::from_be_bytes(tweak);
                let carry = 0_u128.wrapping_sub(value & 1);
                ((value >> 1) ^ (carry & (0xe1 << 120))).to_be_bytes()
            }
            XtsStandard::Ieee1619 => {
                let value = u128::from_le_bytes(tweak);
                let carry = 0_u128.wrapping_sub(value >> 127);
                ((value << 1) ^ (carry & 0x87)).to_le_bytes()
            }
        }
    }
}

/// The expanded keys wipe themselves.
impl ZeroizeOnDrop for Xts {}

impl fmt::Debug for Xts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "sm4::Xts({:?}, ..)", self.standard)
    }
}

/// 2^20 blocks.
const UNIT_BYTES_MAX: usize = BLOCK_BYTES << 20;
/// Tweaks made at a time.
const CHUNK_BLOCKS: usize = 64;
