//! The old envelope `IV ‖ SM4-CBC(PKCS#7)`: readable because data in it exist, never a format for new data.
//!
//! Nothing authenticates it: whoever can change the bytes changes the plaintext, often unnoticed. Read it, re-seal the
//! content with [`Gcm`](super::Gcm), and do not tell strangers whether reading failed.

use alloc::vec::Vec;

use super::{BLOCK_BYTES, Cbc, Key, Sm4Error};
use crate::random::{Random, RandomError};

/// Writes the envelope; for tests of readers and for peers that know nothing else.
///
/// # Errors
/// The random source failed.
pub fn seal_iv_cbc(
    key: &Key,
    plain: &[u8],
    random: &mut dyn Random,
) -> Result<Vec<u8>, RandomError> {
    let mut iv = [0; BLOCK_BYTES];
    random.fill(&mut iv)?;
    let mut body = plain.to_vec();
    Cbc::new(key).encrypt(&iv, &mut body);
    Ok([iv.as_slice(), &body].concat())
}

/// Reads the envelope.
///
/// # Errors
/// [`Sm4Error::Padding`], whatever is wrong.
pub fn open_iv_cbc(key: &Key, envelope: &[u8]) -> Result<Vec<u8>, Sm4Error> {
    let (iv, body) = envelope.split_first_chunk().ok_or(Sm4Error::Padding)?;
    let mut body = body.to_vec();
    Cbc::new(key).decrypt(iv, &mut body)?;
    Ok(body)
}
