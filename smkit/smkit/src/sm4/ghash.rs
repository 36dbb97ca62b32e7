//! GHASH of NIST SP 800-38D §6.4, the universal hash under GCM.

#[cfg(target_arch = "x86_64")]
mod clmul;
#[cfg(target_arch = "aarch64")]
mod pmull;
mod soft;
#[cfg(test)]
mod tests;

use zeroize::{Zeroize, ZeroizeOnDrop};

#[cfg(target_arch = "x86_64")]
use self::clmul::{Powers, powers_checked};
#[cfg(target_arch = "aarch64")]
use self::pmull::{Powers, powers_checked};
use super::kernel::{Block, Kernel};

/// The hash key with whatever powers of it the multiplier wants; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(super) struct GhashKey {
    subkey: Block,
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    powers: Powers,
    #[zeroize(skip)]
    multiplier: Multiplier,
}

/// How 128-bit polynomials are multiplied; none of the ways depends on their value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Multiplier {
    /// VPCLMULQDQ with AVX-512: sixteen blocks for each reduction.
    #[cfg(target_arch = "x86_64")]
    Wide,
    /// PCLMULQDQ: eight blocks for each reduction.
    #[cfg(target_arch = "x86_64")]
    Narrow,
    /// The multiplication of Armv8: eight blocks for each reduction.
    #[cfg(target_arch = "aarch64")]
    Pmull,
    /// Integer multiplication with holes for the carries.
    Soft,
}

impl Multiplier {
    /// The fastest that goes with a cipher kernel: the portable kernel takes the portable multiplier.
    pub(super) fn detect(kernel: Kernel) -> Self {
        if kernel == Kernel::Portable {
            return Self::Soft;
        }
        #[cfg(target_arch = "x86_64")]
        {
            if clmul::has_wide() {
                return Self::Wide;
            }
            if clmul::has_narrow() {
                return Self::Narrow;
            }
        }
        #[cfg(target_arch = "aarch64")]
        if pmull::available() {
            return Self::Pmull;
        }
        Self::Soft
    }
}

impl GhashKey {
    pub(super) fn new(subkey: Block, multiplier: Multiplier) -> Self {
        Self {
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            powers: match multiplier {
                Multiplier::Soft => Powers::default(),
                _ => powers_checked(&subkey),
            },
            subkey,
            multiplier,
        }
    }

    /// Continues the hash over `data`, its last block padded with zeros.
    pub(super) fn update(&self, hash: &mut Block, data: &[u8]) {
        let (blocks, rest) = data.as_chunks::<16>();
        self.update_blocks(hash, blocks);
        if !rest.is_empty() {
            let mut last = [0; 16];
            for (to, from) in last.iter_mut().zip(rest) {
                *to = *from;
            }
            self.update_blocks(hash, &[last]);
        }
    }

    /// The closing block: both lengths, in bits.
    pub(super) fn finish(&self, hash: &mut Block, aad_bytes: usize, data_bytes: usize) {
        let bits = |bytes: usize| (bytes as u128) << 3;
        let lengths = (bits(aad_bytes) << 64) | bits(data_bytes);
        self.update_blocks(hash, &[lengths.to_be_bytes()]);
    }

    fn update_blocks(&self, hash: &mut Block, blocks: &[Block]) {
        match self.multiplier {
            #[cfg(target_arch = "x86_64")]
            Multiplier::Wide => clmul::wide_checked(&self.powers, hash, blocks),
            #[cfg(target_arch = "x86_64")]
            Multiplier::Narrow => clmul::narrow_checked(&self.powers, hash, blocks),
            #[cfg(target_arch = "aarch64")]
            Multiplier::Pmull => pmull::update_checked(&self.powers, hash, blocks),
            Multiplier::Soft => soft::update(&self.subkey, hash, blocks),
        }
    }
}

/// x·H in the order of POLYVAL, the lower half first: GHASH(H, …) is POLYVAL(x·H, …) over reversed bytes (RFC 8452
/// appendix A).
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[expect(clippy::cast_possible_truncation, reason = "the two halves of 128 bits")]
const fn polyval_key(subkey: &Block) -> [u64; 2] {
    let h = u128::from_be_bytes(*subkey);
    let carry = 0_u128.wrapping_sub(h >> 127);
    let first = (h << 1) ^ (carry & 0xc200_0000_0000_0000_0000_0000_0000_0001);
    [first as u64, (first >> 64) as u64]
}
