//! A code over data whose length is itself secret.
//!
//! MAC-then-encrypt with CBC (TLCP, older TLS) learns the length of the content from padding it cannot trust yet. Code
//! that hashes as many blocks as that length says tells an attacker the padding (“Lucky Thirteen”,
//! 2013). Here every block that could be the last is compressed, and the state of the one that is the last is kept.

use core::hint::black_box;

use super::{
    HmacSm3, Sm3, Sm3Digest,
    compress::{BLOCK, compress},
    state_bytes,
};

impl HmacSm3 {
    /// The code of everything appended and of the first `length` bytes of `data`.
    ///
    /// Time and memory accesses depend on the length of `data` and on `length_min`, never on `length`: as many blocks
    /// are compressed for each `length` in \[`length_min`, `data.len()`\]. Outside that range the result is unspecified.
    #[must_use]
    pub fn finalize_prefix(mut self, data: &[u8], length: usize, length_min: usize) -> Sm3Digest {
        let digest = self.inner.finish_prefix(data, length, length_min);
        self.outer.update(digest.as_bytes());
        self.outer.finish()
    }
}

impl Sm3 {
    fn finish_prefix(&mut self, data: &[u8], length: usize, length_min: usize) -> Sm3Digest {
        let (known, rest) = data.split_at(length_min.min(data.len()));
        self.update(known);
        let used = self.buffered();
        let bits = self.length.wrapping_add((length.wrapping_sub(known.len())) as u64);
        let bits = bits.wrapping_mul(8).to_be_bytes();
        // Counted from the block that is being gathered.
        let end = used.wrapping_add(length).wrapping_sub(known.len());
        let last = end.wrapping_add(8) >> BLOCK_LOG2;
        let blocks = (used + rest.len() + 9).div_ceil(BLOCK);
        let buffer = self.buffer;
        let mut bytes = buffer.iter().take(used).chain(rest).copied();
        let mut found = [0; 8];
        for index in 0..blocks {
            let is_last = equal(index, last);
            let mut block = [0; BLOCK];
            for (slot, at) in block.iter_mut().zip(index * BLOCK..) {
                let byte = bytes.next().unwrap_or_default();
                *slot = byte & low(below(at, end)) | 0x80 & low(equal(at, end));
            }
            if let Some(field) = block.last_chunk_mut::<8>() {
                field.iter_mut().zip(bits).for_each(|(to, from)| *to |= from & low(is_last));
            }
            compress(&mut self.state, core::slice::from_ref(&block));
            for (to, word) in found.iter_mut().zip(&self.state) {
                *to |= word & low_word(is_last);
            }
        }
        Sm3Digest(state_bytes(&found))
    }
}

/// All ones when `left < right`, else zero; both are far below 2^63.
fn below(left: usize, right: usize) -> usize {
    black_box(0_usize.wrapping_sub(left.wrapping_sub(right) >> (usize::BITS - 1)))
}

/// All ones when equal, else zero.
fn equal(left: usize, right: usize) -> usize {
    let difference = left ^ right;
    let differs = (difference | difference.wrapping_neg()) >> (usize::BITS - 1);
    black_box(differs.wrapping_sub(1))
}

#[expect(clippy::cast_possible_truncation, reason = "all bits of a mask are alike")]
const fn low(mask: usize) -> u8 {
    mask as u8
}

#[expect(clippy::cast_possible_truncation, reason = "all bits of a mask are alike")]
const fn low_word(mask: usize) -> u32 {
    mask as u32
}

const BLOCK_LOG2: u32 = BLOCK.trailing_zeros();

#[cfg(test)]
mod tests {
    use crate::sm3::hmac_sm3;

    use super::*;

    #[test]
    fn every_length_gives_the_code_of_that_prefix() {
        let data: Vec<u8> = (0..700_u32).map(|at| (at % 251) as u8).collect();
        for head in [0, 13, 55, 64] {
            let (first, data) = data.split_at(head);
            for (bytes, length_min) in [(0, 0), (1, 0), (300, 12), (600, 344), (257, 1), (64, 0)] {
                let data = &data[..bytes];
                for length in length_min..=bytes {
                    let mut mac = HmacSm3::new(b"key");
                    mac.update(first);
                    let code = mac.finalize_prefix(data, length, length_min);
                    assert_eq!(code, hmac_sm3(b"key", &[first, &data[..length]]), "{length}");
                }
            }
        }
    }
}
