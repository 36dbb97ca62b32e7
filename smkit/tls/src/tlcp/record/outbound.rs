//! Records on their way to the transport.

use std::io::{self, Write};

use crate::tlcp::limits::{FRAGMENT_BYTES_MAX, SEND_BYTES_MAX};

/// Bytes that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outbound {
    /// Where records are appended.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Hands what waits to one write of `sink`.
    ///
    /// # Errors
    /// Those of `sink`.
    pub(crate) fn write_to(&mut self, sink: &mut dyn Write) -> io::Result<usize> {
        let waiting = self.bytes.get(self.sent..).unwrap_or_default();
        let count = sink.write(waiting)?.min(waiting.len());
        self.sent += count;
        if self.sent == self.bytes.len() {
            self.bytes.clear();
            self.sent = 0;
        } else if self.sent > SEND_BYTES_MAX {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
        Ok(count)
    }

    pub(crate) const fn waiting(&self) -> usize {
        self.bytes.len().saturating_sub(self.sent)
    }

    /// Plaintext bytes that may still be accepted: none, or a whole fragment at least. Crumbs that fit exactly would make a
    /// record each.
    pub(crate) fn room(&self) -> usize {
        match SEND_BYTES_MAX.saturating_sub(self.waiting()) {
            0 => 0,
            room => room.max(FRAGMENT_BYTES_MAX),
        }
    }
}
