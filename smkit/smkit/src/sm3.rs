//! SM3 digests (GB/T 32905-2016), one stream or many lanes, and what is built on them: HMAC-SM3, HKDF, PBKDF2 and
//! the key derivation of GB/T 32918.
//!
//! [`sm3_many`] and its relatives hash up to sixteen messages side by side and pay from three messages on; results
//! are the same on every processor.

mod compress;
mod digest;
mod hmac;
pub mod kdf;
mod lanes;
mod secret_length;
#[cfg(target_arch = "aarch64")]
mod stream_armv8;
#[cfg(target_arch = "x86_64")]
mod stream_x86;
#[cfg(feature = "rustcrypto")]
mod traits;

use alloc::vec::Vec;

#[cfg(feature = "rustcrypto")]
pub use self::traits::Sm3Core;
pub use digest::{ParseDigestError, Sm3Digest};
pub use hmac::{HmacSm3, hmac_sm3, verify_hmac_sm3};

use core::fmt;

use crate::cpu::Path;
use compress::{BLOCK, IV, State, compress};
use zeroize::Zeroize;

/// A running SM3 computation, for input that arrives in pieces.
#[derive(Clone)]
pub struct Sm3 {
    state: State,
    /// Bytes appended so far; the standard counts bits modulo 2⁶⁴.
    length: u64,
    /// The first `length mod 64` bytes wait here for the rest of their block.
    buffer: [u8; BLOCK],
}

impl Sm3 {
    /// An empty computation.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: IV, length: 0, buffer: [0; BLOCK] }
    }

    /// Appends bytes; how they are cut into pieces does not change the digest.
    pub fn update(&mut self, bytes: &[u8]) {
        let used = self.buffered();
        self.length = self.length.wrapping_add(bytes.len() as u64);
        let mut rest = bytes;
        if used > 0 {
            let free = self.buffer.get_mut(used..).unwrap_or_default();
            let (now, later) = rest.split_at(rest.len().min(free.len()));
            let complete = now.len() == free.len();
            free.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            if !complete {
                return;
            }
            compress(&mut self.state, core::slice::from_ref(&self.buffer));
            rest = later;
        }
        let (blocks, rest) = rest.as_chunks::<BLOCK>();
        if !blocks.is_empty() {
            compress(&mut self.state, blocks);
        }
        if let Some(start) = self.buffer.get_mut(..rest.len()) {
            start.copy_from_slice(rest);
        }
    }

    /// The digest of everything appended.
    #[must_use]
    pub fn finalize(mut self) -> Sm3Digest {
        self.finish()
    }

    /// Pads (GB/T 32905-2016 §5.2) and digests; the computation is of no use afterwards.
    fn finish(&mut self) -> Sm3Digest {
        let mut end = [[0; BLOCK]; 2];
        let used = self.buffered();
        let count = if used + 9 > BLOCK { 2 } else { 1 };
        let waiting = self.buffer.iter().take(used).chain(&[0x80]);
        end.as_flattened_mut().iter_mut().zip(waiting).for_each(|(to, from)| *to = *from);
        let bits = self.length.wrapping_mul(8).to_be_bytes();
        let end = end.get_mut(..count).unwrap_or_default();
        if let Some(length) = end.last_mut().and_then(|block| block.last_chunk_mut()) {
            *length = bits;
        }
        compress(&mut self.state, end);
        Sm3Digest(state_bytes(&self.state))
    }

    #[expect(clippy::cast_possible_truncation, reason = "below 64")]
    const fn buffered(&self) -> usize {
        (self.length % BLOCK as u64) as usize
    }

    /// Erases what a keyed computation leaves behind.
    fn wipe(&mut self) {
        self.state.as_mut_slice().zeroize();
        self.buffer.as_mut_slice().zeroize();
    }
}

impl Default for Sm3 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sm3 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sm3").finish_non_exhaustive()
    }
}

#[cfg(feature = "std")]
impl std::io::Write for Sm3 {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// SM3 of one message.
#[must_use]
pub fn sm3(message: &[u8]) -> Sm3Digest {
    let mut hasher = Sm3::new();
    hasher.update(message);
    hasher.finish()
}

/// SM3 of the concatenation of `parts`, without building it.
#[must_use]
pub fn sm3_parts(parts: &[&[u8]]) -> Sm3Digest {
    let mut hasher = Sm3::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finish()
}

/// [`sm3_parts`] of secrets: nothing of them stays behind in memory.
pub(crate) fn sm3_secret_parts(parts: &[&[u8]]) -> Sm3Digest {
    let mut hasher = Sm3::new();
    parts.iter().for_each(|part| hasher.update(part));
    let digest = hasher.finish();
    hasher.wipe();
    digest
}

/// SM3 of each message, in order; lengths may differ.
#[must_use]
pub fn sm3_many(messages: &[&[u8]]) -> Vec<Sm3Digest> {
    lanes::digests(messages.len(), |at| [&[], messages.get(at).copied().unwrap_or_default()])
}

/// SM3 of each `head ‖ body`, in order: Merkle leaves under their prefix, messages under their signer's ZA.
#[must_use]
pub fn sm3_many_joined(messages: &[[&[u8]; 2]]) -> Vec<Sm3Digest> {
    lanes::digests(messages.len(), |at| messages.get(at).copied().unwrap_or_default())
}

/// SM3 of each `prefix ‖ left ‖ right`, in order: the inner nodes of a Merkle tree.
#[must_use]
pub fn sm3_pairs(prefix: &[u8], pairs: &[[Sm3Digest; 2]]) -> Vec<Sm3Digest> {
    let nodes: Vec<[u8; 64]> = pairs
        .iter()
        .map(|[left, right]| {
            let mut node = [0; 64];
            let (first, second) = node.split_at_mut(32);
            first.copy_from_slice(left.as_bytes());
            second.copy_from_slice(right.as_bytes());
            node
        })
        .collect();
    lanes::digests(nodes.len(), |at| [prefix, nodes.get(at).map_or(&[], |node| node)])
}

/// What computes one stream.
pub(crate) fn path() -> Path {
    compress::path()
}

/// What computes many messages.
pub(crate) fn path_many() -> Path {
    lanes::path()
}

fn state_bytes(state: &State) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (to, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests;
