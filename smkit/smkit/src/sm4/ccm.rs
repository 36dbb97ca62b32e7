//! Counter with CBC-MAC (RFC 3610; parameters of RFC 8998 §2: 12-byte nonce, 16-byte tag).

use alloc::vec::Vec;
use core::fmt;

use zeroize::ZeroizeOnDrop;

use super::{
    Key, NONCE_BYTES, Sm4Error, TAG_BYTES,
    cipher::{Cipher, equal},
    kernel::{Kernel, xor_in_place},
    sealed,
};

/// Longest plaintext of one CCM message: a 12-byte nonce leaves three bytes for the length.
pub const CCM_MESSAGE_BYTES_MAX: usize = (1 << 24) - 1;

/// SM4-CCM under one key. Its MAC is serial: prefer [`Gcm`](super::Gcm) unless a peer wants CCM.
///
/// The caller never uses a nonce twice with one key.
#[derive(Clone)]
pub struct Ccm(Cipher);

impl Ccm {
    /// Expands the key once.
    #[must_use]
    pub fn new(key: &Key) -> Self {
        Self::with_kernel(key, Kernel::detect())
    }

    pub(super) fn with_kernel(key: &Key, kernel: Kernel) -> Self {
        Self(Cipher::with_kernel(key, kernel))
    }

    /// Encrypts `data` in place and returns the tag.
    ///
    /// # Errors
    /// `data` exceeds [`CCM_MESSAGE_BYTES_MAX`] or `aad` 2^32 − 1 bytes; nothing is changed then.
    pub fn seal_detached(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], Sm4Error> {
        let tag = self.tag(nonce, aad, data).ok_or(Sm4Error::TooLong)?;
        self.cipher_text(nonce, data);
        Ok(tag)
    }

    /// Decrypts `data` in place and checks `tag`.
    ///
    /// # Errors
    /// The tag does not belong to these bytes, nonce, associated data and key. `data` is then the ciphertext as it came.
    pub fn open_detached(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Sm4Error> {
        // CCM authenticates the plaintext, so that must exist first; a wrong one is encrypted again at once.
        self.cipher_text(nonce, data);
        if self.tag(nonce, aad, data).is_some_and(|expected| equal(&expected, tag)) {
            return Ok(());
        }
        self.cipher_text(nonce, data);
        Err(Sm4Error::Authentication)
    }

    /// RFC 3610 §2.2, encrypted with the key-stream block of count 0; nothing if a length does not fit its field.
    fn tag(&self, nonce: &[u8; NONCE_BYTES], aad: &[u8], data: &[u8]) -> Option<[u8; TAG_BYTES]> {
        let length = u32::try_from(data.len()).ok().filter(|length| *length < 1 << 24)?;
        // Flags: associated data present, (16 − 2)/2 for the tag, 3 − 1 for the length field.
        let flags = if aad.is_empty() { 0x3a } else { 0x7a };
        let mut mac = self.0.encrypt_block(block(flags, nonce, length));
        if !aad.is_empty() {
            let mut head = Vec::with_capacity(16);
            match u16::try_from(aad.len()) {
                Ok(length) if length < 0xff00 => head.extend_from_slice(&length.to_be_bytes()),
                _ => {
                    head.extend_from_slice(&[0xff, 0xfe]);
                    head.extend_from_slice(&u32::try_from(aad.len()).ok()?.to_be_bytes());
                }
            }
            let (first, rest) = aad.split_at(aad.len().min(16 - head.len()));
            head.extend_from_slice(first);
            self.0.cbc_mac(&mut mac, &head);
            self.0.cbc_mac(&mut mac, rest);
        }
        self.0.cbc_mac(&mut mac, data);
        xor_in_place(&mut mac, &self.0.encrypt_block(block(CTR_FLAGS, nonce, 0)));
        Some(mac)
    }

    fn cipher_text(&self, nonce: &[u8; NONCE_BYTES], data: &mut [u8]) {
        // The three counting bytes suffice for every permitted length, so a 32-bit counter never reaches the nonce.
        self.0.ctr32(&block(CTR_FLAGS, nonce, 1), data);
    }
}

sealed::in_place!(Ccm);

/// The expanded keys wipe themselves.
impl ZeroizeOnDrop for Ccm {}

impl fmt::Debug for Ccm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("sm4::Ccm(..)")
    }
}

/// Flags ‖ nonce ‖ three bytes.
fn block(flags: u8, nonce: &[u8; NONCE_BYTES], low: u32) -> [u8; 16] {
    let mut block = [flags; 16];
    let bytes = nonce.iter().copied().chain(low.to_be_bytes().into_iter().skip(1));
    for (to, from) in block.iter_mut().skip(1).zip(bytes) {
        *to = from;
    }
    block
}

/// Flags of the counter blocks: 3 − 1 for the length field.
const CTR_FLAGS: u8 = 2;
