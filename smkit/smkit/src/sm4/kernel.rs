//! The block cipher itself, by the fastest constant-time means the processor has.
#![allow(unsafe_code, reason = "kernel module: feature-gated calls")]

#[cfg(target_arch = "x86_64")]
mod aesni;
#[cfg(target_arch = "aarch64")]
mod armv8;
#[cfg(target_arch = "x86_64")]
mod gfni;
mod portable;
mod sbox;
#[cfg(test)]
pub(crate) mod tests;

use zeroize::Zeroize;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use crate::cpu;

/// One block of 16 bytes.
pub(crate) type Block = [u8; 16];
/// Round keys in the order of use.
pub(super) type RoundKeys = [u32; 32];

/// Which code computes the cipher; all of them give the same bytes and none looks anything up by a secret index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kernel {
    /// GFNI with AVX-512: the S-box is two affine instructions, 64 blocks in flight.
    Gfni512,
    /// AES-NI with AVX2: the S-box is AES's last round between two affine maps.
    AesNi,
    /// The SM4 instructions of Armv8.2, eight blocks in flight.
    Armv8,
    /// Bit-sliced 64-bit words, any processor.
    Portable,
}

/// The function of this name of the kernel in hand.
macro_rules! dispatch {
    ($kernel:expr, $function:ident($($argument:expr),*)) => {
        match $kernel {
            // SAFETY: outside `Kernel::detect` and tests that ask first nothing makes such a value, so the processor
            // has the features.
            #[cfg(target_arch = "x86_64")]
            Self::Gfni512 => unsafe { gfni::$function($($argument),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::AesNi => unsafe { aesni::$function($($argument),*) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Self::Armv8 => unsafe { armv8::$function($($argument),*) },
            _ => portable::$function($($argument),*),
        }
    };
}

impl Kernel {
    /// The fastest kernel this processor runs.
    #[must_use]
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if cpu::has_gfni_avx512() {
                return Self::Gfni512;
            }
            if cpu::has_aes_avx2() {
                return Self::AesNi;
            }
        }
        #[cfg(target_arch = "aarch64")]
        if cpu::has_arm_sm() {
            return Self::Armv8;
        }
        Self::Portable
    }

    /// Round keys of a key (GB/T 32907-2016 §7.3).
    pub(super) fn expand(self, key: &Block) -> RoundKeys {
        dispatch!(self, expand(key))
    }

    /// Each block by itself; encrypts, or decrypts with the keys reversed.
    pub(super) fn crypt(self, keys: &RoundKeys, blocks: &mut [Block]) {
        dispatch!(self, crypt(keys, blocks));
    }

    /// CBC encryption; `chain` enters as the IV and leaves as the last ciphertext block.
    pub(super) fn cbc_encrypt(self, keys: &RoundKeys, chain: &mut Block, blocks: &mut [Block]) {
        dispatch!(self, cbc_encrypt(keys, chain, blocks));
    }

    /// XORs the key stream of `counter`, counter + 1, … into `data`; the last four bytes count, and wrap.
    pub(super) fn ctr32(self, keys: &RoundKeys, counter: &Block, data: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if self == Self::Gfni512 {
            // SAFETY: as in `dispatch`.
            return unsafe { gfni::ctr32(keys, counter, data) };
        }
        let [a, b, c, mut count] = words(counter);
        let mut stream = [[0; 16]; STREAM_BLOCKS];
        for chunk in data.chunks_mut(16 * STREAM_BLOCKS) {
            let blocks = chunk.len().div_ceil(16);
            let used = stream.get_mut(..blocks).unwrap_or_default();
            for block in used.iter_mut() {
                *block = bytes([a, b, c, count]);
                count = count.wrapping_add(1);
            }
            self.crypt(keys, used);
            for (data, block) in chunk.chunks_mut(16).zip(used.iter()) {
                xor_in_place(data, block);
            }
        }
        stream.as_flattened_mut().zeroize();
    }
}

/// Gives `step` every `WIDE` bytes of `data`; what is left goes to a last step of `narrow` or `WIDE` bytes through a
/// padded copy.
#[inline(always)]
fn in_steps<const WIDE: usize>(data: &mut [u8], narrow: usize, mut step: impl FnMut(&mut [u8])) {
    let (groups, rest) = data.as_chunks_mut::<WIDE>();
    groups.iter_mut().for_each(|group| step(group));
    if rest.is_empty() {
        return;
    }
    let mut padded = [0; WIDE];
    let bytes = if rest.len() <= narrow { narrow } else { WIDE };
    let used = padded.get_mut(..bytes).unwrap_or_default();
    if let Some(start) = used.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    step(used);
    if let Some(start) = used.get(..rest.len()) {
        rest.copy_from_slice(start);
    }
    used.zeroize();
}

/// The key schedule around a constant-time `tau`.
#[inline(always)]
fn expand(key: &Block, tau: impl Fn(u32) -> u32) -> RoundKeys {
    const FK: [u32; 4] = [0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc];
    let [a, b, c, d] = words(key);
    let [fa, fb, fc, fd] = FK;
    let mut k = [a ^ fa, b ^ fb, c ^ fc, d ^ fd];
    let mut keys = [0; 32];
    let mut ck = 0x0007_0e15_u32;
    for key in &mut keys {
        let [a, b, c, d] = k;
        let s = tau(b ^ c ^ d ^ ck);
        *key = a ^ s ^ s.rotate_left(13) ^ s.rotate_left(23);
        k = [b, c, d, *key];
        // §7.3: byte j of CK_i is 7·(4i + j) mod 256, so each byte grows by 28.
        ck = u32::from_be_bytes(ck.to_be_bytes().map(|byte| byte.wrapping_add(28)));
    }
    keys
}

#[inline(always)]
fn words(block: &Block) -> [u32; 4] {
    let (words, _) = block.as_chunks::<4>();
    let mut out = [0; 4];
    for (out, word) in out.iter_mut().zip(words) {
        *out = u32::from_be_bytes(*word);
    }
    out
}

#[inline(always)]
fn bytes(words: [u32; 4]) -> Block {
    let mut block = [0; 16];
    for (chunk, word) in block.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *chunk = word.to_be_bytes();
    }
    block
}

#[inline(always)]
pub(super) fn xor_in_place(into: &mut [u8], from: &[u8]) {
    for (into, from) in into.iter_mut().zip(from) {
        *into ^= from;
    }
}

/// Key-stream blocks made at a time where the kernel has no counter mode of its own.
const STREAM_BLOCKS: usize = 64;
