//! Writes the canonical container, entry by entry.

use std::io::{self, Read, Write};

use super::{EntryHead, Layout};
use crate::{bundle::WriteError, limits::CHUNK_BYTES};

/// A container being written to `out`.
pub(crate) struct Writer<'a> {
    out: &'a mut dyn Write,
    layout: Layout,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, layout: Layout::default() }
    }

    /// Writes one entry whose size and checksum are known beforehand, and checks that the content keeps the promise.
    pub(crate) fn entry(
        &mut self,
        head: EntryHead,
        content: &mut dyn Read,
    ) -> Result<(), WriteError> {
        self.out.write_all(&head.local_header()).map_err(WriteError::Output)?;
        let mut crc = crc32fast::Hasher::new();
        let mut written: u64 = 0;
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count = match content.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(WriteError::Content { name: head.name, source }),
            };
            let bytes = chunk.get(..count).unwrap_or_default();
            written = written.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            if written > head.size_bytes {
                break;
            }
            crc.update(bytes);
            self.out.write_all(bytes).map_err(WriteError::Output)?;
        }
        if written != head.size_bytes || crc.finalize() != head.crc32 {
            return Err(WriteError::ContentChanged { name: head.name });
        }
        self.layout.push(head);
        Ok(())
    }

    /// Writes the directory and flushes.
    pub(crate) fn finish(self) -> Result<(), WriteError> {
        self.out.write_all(&self.layout.directory()).map_err(WriteError::Output)?;
        self.out.flush().map_err(WriteError::Output)
    }
}
