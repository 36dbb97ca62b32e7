//! Comparisons and selections whose time does not depend on what is compared.

use std::hint::black_box;

/// Whether two values are equal; only their lengths show in the time.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    let same_length = left.len() == right.len();
    let difference = left.iter().zip(right).fold(0, |all, (left, right)| all | (left ^ right));
    // The barrier keeps the compiler from turning the fold into an early exit.
    (black_box(difference) == 0) & same_length
}

/// All ones when `left < right`, else zero; both must be below 2^63.
pub(crate) fn below(left: usize, right: usize) -> usize {
    black_box(0_usize.wrapping_sub(left.wrapping_sub(right) >> (usize::BITS - 1)))
}

/// All ones when equal, else zero.
pub(crate) fn same(left: usize, right: usize) -> usize {
    let difference = left ^ right;
    let differs = (difference | difference.wrapping_neg()) >> (usize::BITS - 1);
    black_box(differs.wrapping_sub(1))
}

/// `left` where `mask` is all ones, `right` where it is zero.
pub(crate) const fn select(mask: usize, left: usize, right: usize) -> usize {
    (left & mask) | (right & !mask)
}

/// A mask for bytes.
#[expect(clippy::cast_possible_truncation, reason = "all bits of a mask are alike")]
pub(crate) const fn byte(mask: usize) -> u8 {
    mask as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_what_they_say() {
        for (left, right) in [(0, 0), (0, 1), (1, 0), (255, 256), (256, 255), (1 << 40, 7)] {
            assert_eq!(below(left, right) == usize::MAX, left < right);
            assert_eq!(same(left, right) == usize::MAX, left == right);
            assert_eq!(select(same(left, right), 3, 4), if left == right { 3 } else { 4 });
            assert_eq!(byte(below(left, right)), if left < right { 0xff } else { 0 });
        }
        assert!(equal(b"", b"") && equal(b"ab", b"ab"));
        assert!(!equal(b"ab", b"aa") && !equal(b"ab", b"abc") && !equal(b"ab", b""));
    }
}
