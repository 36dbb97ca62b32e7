//! Records under SM4-GCM: explicit nonce ‖ ciphertext ‖ tag (GB/T 38636-2020 §6.3.4.4, RFC 5288 §3).

use std::fmt;

use smkit::sm4::{self, NONCE_BYTES, TAG_BYTES};

use super::{ContentType, pseudo_header};
use crate::tlcp::error::TlcpError;

pub(super) struct Gcm {
    cipher: sm4::Gcm,
    /// The part of the nonce that both sides derive.
    iv: [u8; 4],
}

impl Gcm {
    pub(super) fn new(key: &[u8; 16], iv: [u8; 4]) -> Self {
        Self { cipher: sm4::Gcm::new(&sm4::Key::from_bytes(*key)), iv }
    }

    pub(super) fn open<'a>(
        &self,
        sequence: u64,
        kind: ContentType,
        payload: &'a mut [u8],
    ) -> Result<&'a mut [u8], TlcpError> {
        let parts = payload
            .split_first_chunk_mut::<EXPLICIT_BYTES>()
            .and_then(|(explicit, rest)| Some((explicit, rest.split_last_chunk_mut()?)));
        let (explicit, (data, tag)) = parts.ok_or(TlcpError::BadRecordMac)?;
        let header = pseudo_header(sequence, kind, data.len());
        self.cipher
            .open_detached(&self.nonce(explicit), &header, data, tag)
            .map_err(|_| TlcpError::BadRecordMac)?;
        Ok(data)
    }

    pub(super) fn seal(
        &self,
        sequence: u64,
        kind: ContentType,
        header: &[u8; 5],
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), TlcpError> {
        // The sequence number never repeats under a key, so neither does the nonce.
        let explicit = sequence.to_be_bytes();
        let before = out.len();
        out.reserve(header.len() + sealed_bytes(plain.len()));
        out.extend_from_slice(header);
        out.extend_from_slice(&explicit);
        let start = out.len();
        out.extend_from_slice(plain);
        let aad = pseudo_header(sequence, kind, plain.len());
        let data = out.get_mut(start..).unwrap_or_default();
        match self.cipher.seal_detached(&self.nonce(&explicit), &aad, data) {
            Ok(tag) => out.extend_from_slice(&tag),
            // Only for messages of 2^36 bytes; nothing may stay behind in clear.
            Err(_) => {
                out.truncate(before);
                return Err(TlcpError::KeysExhausted);
            }
        }
        Ok(())
    }

    fn nonce(&self, explicit: &[u8; EXPLICIT_BYTES]) -> [u8; NONCE_BYTES] {
        let [a, b, c, d] = self.iv;
        let [e, f, g, h, i, j, k, l] = *explicit;
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }
}

impl fmt::Debug for Gcm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Gcm(..)")
    }
}

/// Length of a record's payload with so much plaintext.
pub(super) const fn sealed_bytes(plain: usize) -> usize {
    EXPLICIT_BYTES + plain + TAG_BYTES
}

const EXPLICIT_BYTES: usize = 8;
