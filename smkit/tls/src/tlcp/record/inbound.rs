//! Bytes from the transport, cut into records.

use std::io::{self, Read};

use super::ContentType;
use crate::tlcp::{
    error::TlcpError,
    limits::{CIPHERTEXT_BYTES_MAX, FRAGMENT_BYTES_MAX, RECORD_HEADER_BYTES},
    messages::VERSION,
};

/// Holds at most one record that is incomplete; grows to that size only when a record needs it.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    /// Initialised; what is in use lies between `start` and `end`.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Inbound {
    /// Takes what one read of `source` gives; zero is its end.
    ///
    /// # Errors
    /// Those of `source`.
    pub(crate) fn read_from(&mut self, source: &mut dyn Read) -> io::Result<usize> {
        let room = self.room()?;
        let count = source.read(room)?;
        self.end = self.end.saturating_add(count).min(self.bytes.len());
        Ok(count)
    }

    /// The next complete record, its payload to be decrypted in place; `None` while there is none. The record is gone
    /// with the next call.
    ///
    /// `protected`: whether records are encrypted by now, which makes them longer.
    ///
    /// # Errors
    /// A header that no TLCP record has, as soon as it is there.
    pub(crate) fn next(
        &mut self,
        protected: bool,
    ) -> Result<Option<(ContentType, &mut [u8])>, TlcpError> {
        let waiting = self.bytes.get(self.start..self.end).unwrap_or_default();
        let Some((header, rest)) = waiting.split_first_chunk() else { return Ok(None) };
        let (kind, length) = check_header(header, protected)?;
        if rest.len() < length {
            return Ok(None);
        }
        let from = self.start + RECORD_HEADER_BYTES;
        self.start = from + length;
        Ok(self.bytes.get_mut(from..from + length).map(|payload| (kind, payload)))
    }

    /// Space behind what waits: enough for the rest of its record.
    fn room(&mut self) -> io::Result<&mut [u8]> {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.bytes.len() {
            let size = if self.bytes.is_empty() { FIRST_BYTES } else { BYTES_MAX };
            self.bytes.resize(size.max(self.bytes.len()), 0);
        }
        match self.bytes.get_mut(self.end..) {
            Some(room) if !room.is_empty() => Ok(room),
            _ => Err(io::Error::new(io::ErrorKind::OutOfMemory, "records wait to be processed")),
        }
    }
}

fn check_header(
    &[code, major, minor, high, low]: &[u8; RECORD_HEADER_BYTES],
    protected: bool,
) -> Result<(ContentType, usize), TlcpError> {
    let kind = ContentType::from_code(code).ok_or(TlcpError::UnknownContentType { code })?;
    if [major, minor] != VERSION {
        return Err(TlcpError::ForeignRecord { major, minor });
    }
    let bytes = usize::from(u16::from_be_bytes([high, low]));
    let bytes_max = if protected { CIPHERTEXT_BYTES_MAX } else { FRAGMENT_BYTES_MAX };
    if bytes > bytes_max {
        return Err(TlcpError::RecordOverflow { bytes, bytes_max });
    }
    Ok((kind, bytes))
}

/// Enough for most messages of a handshake.
const FIRST_BYTES: usize = 4 * 1024;
/// Two records at most: while one is gathered, the reader may take the next along.
const BYTES_MAX: usize = 2 * (RECORD_HEADER_BYTES + CIPHERTEXT_BYTES_MAX);
