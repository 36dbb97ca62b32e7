//! The record layer (GB/T 38636-2020 §6.3): what protects one direction of a connection.

mod cbc;
mod gcm;
pub(crate) mod inbound;
pub(crate) mod joiner;
pub(crate) mod outbound;

use smkit::Random;

use super::{
    error::TlcpError,
    keys::DirectionKeys,
    limits::{FRAGMENT_BYTES_MAX, RECORDS_MAX},
    messages::VERSION,
};

/// What a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentType {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
}

impl ContentType {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
        }
    }

    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        match code {
            20 => Some(Self::ChangeCipherSpec),
            21 => Some(Self::Alert),
            22 => Some(Self::Handshake),
            23 => Some(Self::ApplicationData),
            _ => None,
        }
    }
}

/// One direction: its protection and the number of the next record under it.
#[derive(Debug, Default)]
pub(crate) struct Direction {
    sequence: u64,
    protection: Protection,
}

#[derive(Debug, Default)]
enum Protection {
    #[default]
    None,
    Cbc(cbc::Cbc),
    Gcm(gcm::Gcm),
}

impl Direction {
    pub(crate) fn new(keys: DirectionKeys<'_>) -> Self {
        let protection = match keys {
            DirectionKeys::Cbc { mac, key } => {
                Protection::Cbc(cbc::Cbc::new(mac.as_flattened(), key))
            }
            DirectionKeys::Gcm { key, iv } => Protection::Gcm(gcm::Gcm::new(key, iv)),
        };
        Self { sequence: 0, protection }
    }

    pub(crate) const fn is_protected(&self) -> bool {
        !matches!(self.protection, Protection::None)
    }

    /// Whether not one record has come.
    pub(crate) const fn is_fresh(&self) -> bool {
        self.sequence == 0 && !self.is_protected()
    }

    /// Decrypts a record's payload where it lies; gives the plaintext.
    ///
    /// # Errors
    /// Not authentic, or longer than a fragment may be; the payload is then of no use.
    pub(crate) fn open<'a>(
        &mut self,
        kind: ContentType,
        payload: &'a mut [u8],
    ) -> Result<&'a mut [u8], TlcpError> {
        let sequence = self.next()?;
        let plain = match &self.protection {
            Protection::None => payload,
            Protection::Cbc(cbc) => cbc.open(sequence, kind, payload)?,
            Protection::Gcm(gcm) => gcm.open(sequence, kind, payload)?,
        };
        if plain.len() > FRAGMENT_BYTES_MAX {
            let bytes = plain.len();
            return Err(TlcpError::RecordOverflow { bytes, bytes_max: FRAGMENT_BYTES_MAX });
        }
        Ok(plain)
    }

    /// Appends one record with `plain`, at most [`FRAGMENT_BYTES_MAX`] bytes, to `out`.
    ///
    /// # Errors
    /// The key is used up, or no random IV was to be had; `out` is then unchanged.
    pub(crate) fn seal(
        &mut self,
        kind: ContentType,
        plain: &[u8],
        out: &mut Vec<u8>,
        random: &mut dyn Random,
    ) -> Result<(), TlcpError> {
        let mut header = [kind.code(), VERSION[0], VERSION[1], 0, 0];
        let set_length = |header: &mut [u8; 5], bytes: usize| {
            let [.., high, low] = header;
            [*high, *low] = u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes();
        };
        let sequence = self.next()?;
        match &self.protection {
            Protection::None => {
                set_length(&mut header, plain.len());
                out.extend_from_slice(&header);
                out.extend_from_slice(plain);
            }
            Protection::Cbc(cbc) => {
                set_length(&mut header, cbc::sealed_bytes(plain.len()));
                cbc.seal(sequence, kind, &header, plain, out, random)?;
            }
            Protection::Gcm(gcm) => {
                set_length(&mut header, gcm::sealed_bytes(plain.len()));
                gcm.seal(sequence, kind, &header, plain, out)?;
            }
        }
        Ok(())
    }

    /// Records this key still protects.
    pub(crate) const fn left(&self) -> u64 {
        RECORDS_MAX.saturating_sub(self.sequence)
    }

    #[cfg(test)]
    pub(crate) const fn exhaust(&mut self, left: u64) {
        self.sequence = RECORDS_MAX - left;
    }

    fn next(&mut self) -> Result<u64, TlcpError> {
        let sequence = self.sequence;
        if sequence >= RECORDS_MAX {
            return Err(TlcpError::KeysExhausted);
        }
        self.sequence += 1;
        Ok(sequence)
    }
}

/// What MAC and tag cover besides the content: sequence number, type, version, length of the plaintext (§6.3.4.2).
fn pseudo_header(sequence: u64, kind: ContentType, plain_bytes: usize) -> [u8; 13] {
    let length = u16::try_from(plain_bytes).unwrap_or(u16::MAX).to_be_bytes();
    let fields = sequence.to_be_bytes().into_iter().chain([kind.code()]);
    let fields = fields.chain(VERSION).chain(length);
    let mut out = [0; 13];
    out.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
    out
}
