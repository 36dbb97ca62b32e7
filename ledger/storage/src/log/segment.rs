//! Names of segment files, and reading one front to back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::StorageError;
use crate::files::File;
use crate::frame::{Check, FrameError, HEADER_BYTES, Header, check};

const SUFFIX: &str = ".blocks";
const DIGITS: usize = 20;
/// How much is read at a time when going through a segment.
const READ_BYTES: usize = 1 << 20;

/// File name of the segment whose first block is `first`.
pub(super) fn segment_name(first: u64) -> String {
    format!("{first:020}{SUFFIX}")
}

pub(super) fn segment_path(dir: &Path, first: u64) -> PathBuf {
    dir.join(segment_name(first))
}

/// First block of the segment with that file name; `None` for other files.
pub(super) fn segment_first(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX).filter(|d| d.len() == DIGITS)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// Reads a file in large pieces and hands out small ones.
#[derive(Debug)]
pub(super) struct Window {
    file: Arc<dyn File>,
    path: PathBuf,
    size_bytes: u64,
    start: u64,
    buffer: Vec<u8>,
}

impl Window {
    /// `size_bytes` limits what is read; it is at most the file's length.
    pub(super) fn new(file: Arc<dyn File>, path: PathBuf, size_bytes: u64) -> Self {
        Self { file, path, size_bytes, start: 0, buffer: Vec::new() }
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The bytes from `offset` on: `length` of them, or fewer at the end of the file.
    pub(super) fn bytes(&mut self, offset: u64, length: usize) -> Result<&[u8], StorageError> {
        let length = usize::try_from(self.size_bytes.saturating_sub(offset))
            .map_or(length, |n| n.min(length));
        let covered =
            offset >= self.start && offset + length as u64 <= self.start + self.buffer.len() as u64;
        if !covered {
            let rest =
                usize::try_from(self.size_bytes.saturating_sub(offset)).unwrap_or(usize::MAX);
            self.buffer.resize(length.max(READ_BYTES).min(rest), 0);
            let read = self
                .file
                .read_at(offset, &mut self.buffer)
                .map_err(StorageError::io(&self.path, "read"))?;
            self.buffer.truncate(read);
            self.start = offset;
        }
        let from = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        let rest = self.buffer.get(from..).unwrap_or_default();
        Ok(rest.get(..length).unwrap_or(rest))
    }

    /// The frame at `offset`, checked; its bytes are those of the whole frame.
    pub(super) fn frame(
        &mut self,
        offset: u64,
        how: Check,
    ) -> Result<Result<(Header, &[u8]), FrameError>, StorageError> {
        let header = match Header::decode(self.bytes(offset, HEADER_BYTES)?) {
            Ok(header) => header,
            Err(e) => return Ok(Err(e)),
        };
        let frame = self.bytes(offset, header.frame_bytes())?;
        Ok(check(frame, how).map(|header| (header, frame)))
    }
}
