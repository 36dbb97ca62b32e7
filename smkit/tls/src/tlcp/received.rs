//! Plaintext that waits for its reader.

use std::fmt;

/// A queue of bytes; bounded by those who fill it.
#[derive(Default)]
pub(crate) struct Received {
    bytes: Vec<u8>,
    start: usize,
}

impl Received {
    pub(crate) fn push(&mut self, plain: &[u8]) {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
        self.bytes.extend_from_slice(plain);
    }

    /// Moves bytes into `out`; zero when there are none.
    pub(crate) fn take(&mut self, out: &mut [u8]) -> usize {
        let waiting = self.waiting();
        let count = waiting.len().min(out.len());
        out.iter_mut().zip(waiting).for_each(|(to, from)| *to = *from);
        self.consume(count);
        count
    }

    pub(crate) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Forgets the first `count` bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.bytes.len());
        // What is read bit by bit must not grow with what follows it.
        if self.start > KEPT_BYTES_MAX {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.bytes.len() - self.start
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Received").field("bytes", &self.len()).finish()
    }
}

/// Bytes already read that are kept before the rest moves up.
const KEPT_BYTES_MAX: usize = 64 * 1024;
