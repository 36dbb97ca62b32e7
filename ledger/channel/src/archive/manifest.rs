//! What an export says of itself, and the files that it consists of.

use std::io::Read;

use changbai_storage::limits::BLOCK_BYTES_MAX;
use serde::{Deserialize, Serialize};
use smkit::Sm3Digest;

use super::ArchiveError;
use super::container::{Entry, Reader};

/// First file of an export: which part of which channel it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    version: u32,
    /// The channel's id.
    pub channel: String,
    /// Hash of the genesis block's header, in hexadecimal digits.
    pub genesis: String,
    /// Number of the first block.
    pub first: u64,
    /// Number of the last block.
    pub last: u64,
}

/// Last file of an export: what was not known before the blocks were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    /// Hash of the last block's header.
    pub(super) last_header: String,
    /// SM3 of every byte of the export before this file's header.
    pub(super) sm3: String,
}

impl Manifest {
    pub(super) fn new(channel: &str, genesis: &Sm3Digest, first: u64, last: u64) -> Self {
        let (format, version) = (FORMAT.to_owned(), VERSION);
        Self {
            format,
            version,
            channel: channel.to_owned(),
            genesis: genesis.to_string(),
            first,
            last,
        }
    }
}

/// Reads an export front to back: form, order and digests; what the blocks are worth is for
/// [`import`](super::import) to say.
pub struct ExportReader<'r> {
    reader: Reader<'r>,
    manifest: Manifest,
    next: u64,
}

impl std::fmt::Debug for ExportReader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExportReader").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl<'r> ExportReader<'r> {
    /// Reads the manifest.
    ///
    /// # Errors
    ///
    /// [`ArchiveError::Format`], [`ArchiveError::Io`].
    pub fn open(input: &'r mut (dyn Read + Send)) -> Result<Self, ArchiveError> {
        let mut reader = Reader::new(input);
        let entry = reader.entry(TEXT_BYTES_MAX)?;
        let manifest: Manifest = text(&entry, MANIFEST_NAME)?;
        if manifest.format != FORMAT || manifest.version != VERSION {
            return Err(reader.wrong(0, "the format or its version is not known"));
        }
        if manifest.first > manifest.last {
            return Err(reader.wrong(0, "the manifest's blocks are in the wrong order"));
        }
        let next = manifest.first;
        Ok(Self { reader, manifest, next })
    }

    /// What the export says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The next block, a serialized `common.Block`, with its number; `None` after the last.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn next_block(&mut self) -> Result<Option<(u64, Vec<u8>)>, ArchiveError> {
        if self.next > self.manifest.last {
            return Ok(None);
        }
        let entry = self.reader.entry(BLOCK_BYTES_MAX as u64)?;
        if entry.name != block_name(self.next) {
            return Err(self.reader.wrong(entry.offset, "another block was expected here"));
        }
        let number = self.next;
        self.next = number.saturating_add(1);
        Ok(Some((number, entry.content)))
    }

    /// Reads what follows the last block, and compares the digest; `last_header` is the hash of the
    /// last block's header.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), also before the last block was read.
    pub fn finish(mut self, last_header: &Sm3Digest) -> Result<(), ArchiveError> {
        let entry = self.reader.entry(TEXT_BYTES_MAX)?;
        let end: End = text(&entry, END_NAME)?;
        let expected = End { last_header: last_header.to_string(), sm3: entry.before.to_string() };
        if self.next <= self.manifest.last || end != expected {
            return Err(self
                .reader
                .wrong(entry.offset, "its digests are not those of its content"));
        }
        self.reader.finish()
    }
}

/// A JSON text in the one form in which it is written.
fn text<T: Serialize + for<'de> Deserialize<'de>>(
    entry: &Entry,
    name: &str,
) -> Result<T, ArchiveError> {
    let wrong = |reason: String| ArchiveError::Format { offset: entry.offset, reason };
    if entry.name != name {
        return Err(wrong(format!("expected {name}")));
    }
    let value: T =
        serde_json::from_slice(&entry.content).map_err(|e| wrong(format!("{name}: {e}")))?;
    if to_text(&value) == entry.content {
        Ok(value)
    } else {
        Err(wrong(format!("{name}: its form")))
    }
}

/// Compact JSON, fields in declared order, and a line feed.
pub(super) fn to_text<T: Serialize>(value: &T) -> Vec<u8> {
    // Strings and numbers alone: there is nothing that cannot be written.
    let mut text = serde_json::to_vec(value).unwrap_or_default();
    text.push(b'\n');
    text
}

/// File name of a block.
pub(super) fn block_name(number: u64) -> String {
    format!("blocks/{number:020}.block")
}

pub(super) const MANIFEST_NAME: &str = "export.json";
pub(super) const END_NAME: &str = "end.json";
const FORMAT: &str = "changbai-channel-export";
const VERSION: u32 = 1;
const TEXT_BYTES_MAX: u64 = 4 << 10;
