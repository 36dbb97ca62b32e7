//! Galois/Counter mode (NIST SP 800-38D; parameters of RFC 8998 §2).

use alloc::vec::Vec;
use core::fmt;

use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{
    Key, MESSAGE_BYTES_MAX, NONCE_BYTES, Sm4Error, TAG_BYTES,
    cipher::{Cipher, equal},
    ghash::{GhashKey, Multiplier},
    kernel::{Kernel, xor_in_place},
    sealed,
};

/// SM4-GCM under one key: 12-byte nonce, 16-byte tag.
///
/// The caller never uses a nonce twice with one key; prefer counters over random nonces (at most 2^32 of the latter).
#[derive(Clone)]
pub struct Gcm {
    cipher: Cipher,
    ghash: GhashKey,
}

impl Gcm {
    /// Expands the key once; use the value for many messages.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self::with_kernel(key, Kernel::detect())
    }

    pub(super) fn with_kernel(key: &Key, kernel: Kernel) -> Self {
        let cipher = Cipher::with_kernel(key, kernel);
        let subkey = Zeroizing::new(cipher.encrypt_block([0; 16]));
        let ghash = GhashKey::new(*subkey, Multiplier::detect(kernel));
        Self { cipher, ghash }
    }

    /// Encrypts `data` in place and returns the tag.
    ///
    /// # Errors
    /// `data` exceeds [`MESSAGE_BYTES_MAX`]; it is then unchanged.
    pub fn seal_detached(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], Sm4Error> {
        if data.len() as u64 > MESSAGE_BYTES_MAX {
            return Err(Sm4Error::TooLong);
        }
        let data_bytes = data.len();
        let mut hash = [0; 16];
        self.ghash.update(&mut hash, aad);
        // The hash follows the cipher in steps that stay in the first-level cache.
        let mut count = FIRST_COUNT;
        for chunk in data.chunks_mut(CHUNK_BYTES) {
            self.cipher.ctr32(&counter(nonce, count), chunk);
            self.ghash.update(&mut hash, chunk);
            count = count.wrapping_add(CHUNK_COUNT);
        }
        Ok(self.tag(nonce, hash, aad.len(), data_bytes))
    }

    /// Checks `tag`, then decrypts `data` in place.
    ///
    /// # Errors
    /// The tag does not belong to these bytes, nonce, associated data and key. `data` is then unchanged.
    pub fn open_detached(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Sm4Error> {
        if data.len() as u64 > MESSAGE_BYTES_MAX {
            return Err(Sm4Error::Authentication);
        }
        let mut hash = [0; 16];
        self.ghash.update(&mut hash, aad);
        self.ghash.update(&mut hash, data);
        if !equal(&self.tag(nonce, hash, aad.len(), data.len()), tag) {
            return Err(Sm4Error::Authentication);
        }
        self.cipher.ctr32(&counter(nonce, FIRST_COUNT), data);
        Ok(())
    }

    fn tag(
        &self,
        nonce: &[u8; NONCE_BYTES],
        mut hash: [u8; 16],
        aad_bytes: usize,
        data_bytes: usize,
    ) -> [u8; TAG_BYTES] {
        self.ghash.finish(&mut hash, aad_bytes, data_bytes);
        xor_in_place(&mut hash, &self.cipher.encrypt_block(counter(nonce, 1)));
        hash
    }
}

sealed::in_place!(Gcm);

/// The expanded keys wipe themselves.
impl ZeroizeOnDrop for Gcm {}

impl fmt::Debug for Gcm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sm4::Gcm(..)")
    }
}

/// SP 800-38D §7.1: J0 is the nonce and the count 1; data start at 2.
fn counter(nonce: &[u8; NONCE_BYTES], count: u32) -> [u8; 16] {
    let mut block = [0; 16];
    let bytes = nonce.iter().copied().chain(count.to_be_bytes());
    for (to, from) in block.iter_mut().zip(bytes) {
        *to = from;
    }
    block
}

/// Count of the first data block.
const FIRST_COUNT: u32 = 2;
/// Data blocks between two turns of the hash.
const CHUNK_COUNT: u32 = 512;
const CHUNK_BYTES: usize = 16 * CHUNK_COUNT as usize;
