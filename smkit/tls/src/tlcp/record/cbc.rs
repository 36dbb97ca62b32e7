//! Records under SM4-CBC with HMAC-SM3: IV ‖ SM4-CBC(plaintext ‖ MAC ‖ padding) (GB/T 38636-2020 §6.3.4.3).
//!
//! The MAC is under the encryption, so padding is read before anything is proven. Whoever learns whether padding or MAC was
//! wrong, or how long the MAC took, reads plaintext (Vaudenay 2002, “Lucky Thirteen” 2013). So [`Cbc::open`] does the same
//! work for every record of one length: the padding is judged by masks, the MAC is computed with as many compressions
//! whatever the padding says and fetched from its secret place by masks, and there is one verdict at the end.

use std::fmt;

use smkit::{HmacSm3, Random, sm4};

use super::{ContentType, pseudo_header};
use crate::tlcp::{
    constant::{below, byte, equal, same, select},
    error::TlcpError,
};

pub(super) struct Cbc {
    cipher: sm4::Cbc,
    /// Keyed, nothing appended yet.
    mac: HmacSm3,
}

impl Cbc {
    pub(super) fn new(mac: &[u8], key: &[u8; 16]) -> Self {
        let cipher = sm4::Cbc::new(&sm4::Key::from_bytes(*key));
        Self { cipher, mac: HmacSm3::new(mac) }
    }

    pub(super) fn open<'a>(
        &self,
        sequence: u64,
        kind: ContentType,
        payload: &'a mut [u8],
    ) -> Result<&'a mut [u8], TlcpError> {
        let (iv, data) = payload.split_first_chunk_mut().ok_or(TlcpError::BadRecordMac)?;
        // Lengths are public: refusing them at once tells nothing new.
        if data.len() < SEALED_BYTES_MIN || self.cipher.decrypt_unpadded(iv, data).is_err() {
            return Err(TlcpError::BadRecordMac);
        }
        let Unpadded { content_bytes, good } = unpad(data);
        let found = mac_at(data, content_bytes);
        let (content, _) = data.split_at(data.len() - MAC_BYTES);
        let mut mac = self.mac.clone();
        mac.update(&pseudo_header(sequence, kind, content_bytes));
        let content_min = data.len().saturating_sub(MAC_BYTES + PADDING_BYTES_MAX);
        let expected = mac.finalize_prefix(content, content_bytes, content_min);
        if good & byte(same(usize::from(equal(expected.as_bytes(), &found)), 1)) == 0 {
            return Err(TlcpError::BadRecordMac);
        }
        data.get_mut(..content_bytes).ok_or(TlcpError::BadRecordMac)
    }

    pub(super) fn seal(
        &self,
        sequence: u64,
        kind: ContentType,
        header: &[u8; 5],
        plain: &[u8],
        out: &mut Vec<u8>,
        random: &mut dyn Random,
    ) -> Result<(), TlcpError> {
        // Unpredictable until the plaintext is fixed: the chained IVs of TLS 1.0 were its downfall (BEAST).
        let mut iv = [0; sm4::BLOCK_BYTES];
        random.fill(&mut iv)?;
        let mut mac = self.mac.clone();
        mac.update(&pseudo_header(sequence, kind, plain.len()));
        mac.update(plain);
        let before = out.len();
        out.reserve(header.len() + sealed_bytes(plain.len()));
        out.extend_from_slice(header);
        out.extend_from_slice(&iv);
        let start = out.len();
        out.extend_from_slice(plain);
        out.extend_from_slice(mac.finalize().as_bytes());
        let padding = padding_bytes(plain.len());
        #[expect(clippy::cast_possible_truncation, reason = "1 to 16")]
        out.resize(out.len() + padding, (padding - 1) as u8);
        let data = out.get_mut(start..).unwrap_or_default();
        if self.cipher.encrypt_unpadded(&iv, data).is_err() {
            out.truncate(before);
            return Err(TlcpError::KeysExhausted);
        }
        Ok(())
    }
}

/// What the padding says, believed only together with the MAC.
struct Unpadded {
    /// In range for [`mac_at`] whatever the padding says.
    content_bytes: usize,
    /// All ones when the padding is right.
    good: u8,
}

/// The last byte says how many bytes before it have the same value (§6.3.4.3). At least 48 bytes are given.
fn unpad(data: &[u8]) -> Unpadded {
    let last = data.last().copied().unwrap_or_default();
    let claimed = usize::from(last);
    let room = data.len() - MAC_BYTES;
    // padding_length and the byte that says it must fit beside the MAC.
    let fits = below(claimed, room);
    let mut wrong = 0;
    for (from_end, value) in data.iter().rev().take(PADDING_BYTES_MAX).enumerate() {
        wrong |= byte(below(from_end, claimed + 1)) & (value ^ last);
    }
    let right = same(usize::from(wrong), 0) & fits;
    let content_bytes = room - 1 - select(right, claimed, 0);
    Unpadded { content_bytes, good: byte(right) }
}

/// The 32 bytes from the secret place `at`: every byte that could belong to them is read, then they are rotated into order
/// by five conditional steps.
fn mac_at(data: &[u8], at: usize) -> [u8; MAC_BYTES] {
    let start = data.len().saturating_sub(MAC_BYTES + PADDING_BYTES_MAX);
    let mut rotated = [0; MAC_BYTES];
    let region = data.get(start..).unwrap_or_default();
    for (row, base) in region.chunks(MAC_BYTES).zip((start..).step_by(MAC_BYTES)) {
        for (slot, (value, place)) in rotated.iter_mut().zip(row.iter().zip(base..)) {
            let inside = !below(place, at) & below(place, at + MAC_BYTES);
            *slot |= value & byte(inside);
        }
    }
    let mut turn = (at - start) % MAC_BYTES;
    for step in [1, 2, 4, 8, 16] {
        let mut turned = rotated;
        turned.rotate_left(step);
        let mask = byte(same(turn & 1, 1));
        for (slot, other) in rotated.iter_mut().zip(turned) {
            *slot = (*slot & !mask) | (other & mask);
        }
        turn >>= 1;
    }
    rotated
}

impl fmt::Debug for Cbc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Cbc(..)")
    }
}

/// Length of a record's payload with so much plaintext.
pub(super) const fn sealed_bytes(plain: usize) -> usize {
    sm4::BLOCK_BYTES + plain + MAC_BYTES + padding_bytes(plain)
}

/// Bytes of padding, its length byte included: 1 to 16.
const fn padding_bytes(plain: usize) -> usize {
    sm4::BLOCK_BYTES - (plain + MAC_BYTES) % sm4::BLOCK_BYTES
}

const MAC_BYTES: usize = 32;
/// 255 bytes and the one that says so.
const PADDING_BYTES_MAX: usize = 256;
/// A MAC and a byte of padding, in whole blocks.
const SEALED_BYTES_MIN: usize = 48;

// `smkit/ctgrind` takes this file as a module of its own, for which `mod tests` alone would name another place.
#[cfg(test)]
#[path = "cbc/tests.rs"]
mod tests;
