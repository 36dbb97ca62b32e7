//! The key derivation function of GB/T 32918.4-2016 §5.4.3 and the small helpers shared by encryption and exchange.

use alloc::{vec, vec::Vec};
use core::hint::black_box;

use zeroize::Zeroizing;

use crate::{
    random::{Random, RandomError},
    sm2::group::Scalar,
    sm3::kdf::gbt32918,
};

/// KDF(concatenation of `parts`, `bytes`); the callers bound `bytes` far below the counter's end at 2^37 bytes.
pub(crate) fn derive(parts: &[&[u8]], bytes: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(vec![0; bytes]);
    gbt32918(parts, &mut out).ok()?;
    Some(out)
}

/// Whether two values are equal, in a time that depends on their lengths only.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    let differences =
        left.iter().zip(right).fold(0, |seen, (left, right)| black_box(seen | (left ^ right)));
    left.len() == right.len() && differences == 0
}

/// A number in \[1, n−1\] by rejection sampling: no bias, full 256 bits (CVE-2026-22698 was a nonce of 32).
pub(crate) fn random_scalar(random: &mut dyn Random) -> Result<Zeroizing<Scalar>, RandomError> {
    for _ in 0..CANDIDATES_MAX {
        let mut candidate = Zeroizing::new([0; 32]);
        random.fill(candidate.as_mut())?;
        if let Some(scalar) = Scalar::from_bytes(&candidate)
            && !scalar.is_zero()
        {
            return Ok(Zeroizing::new(scalar));
        }
    }
    Err(RandomError { reason: "no usable SM2 nonce drawn".into() })
}

const CANDIDATES_MAX: usize = 64;
