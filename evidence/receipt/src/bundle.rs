//! The bundle: one canonical ZIP that holds a record, its receipt and, if wanted, openings and originals.
//!
//! Entries, in this order: `record.json`, `receipt.json`, optionally `disclosures.json`, `batch.json`,
//! `checkpoint.json`, `process.json`, `certificate.pdf`, `certificate.ofd` and `verify.html`, then `originals/NN.ext`
//! with NN = the original's place in the record from 01. `FORMAT.md` is normative.

mod name;

use std::{
    fmt,
    io::{self, Read, Write},
};

use smkit::{Sm3, Sm3Digest};

pub(crate) use name::EntryName;
pub use name::extension;

use crate::{
    limits::{CHUNK_BYTES, ORIGINALS_MAX},
    zip::{EntryHead, Layout, Reader, Writer},
};

/// What goes into a bundle, all but the originals' bytes.
#[derive(Clone, Default)]
pub struct BundleParts<'a> {
    /// `record.json`: the canonical record.
    pub record: &'a [u8],
    /// `receipt.json`: the canonical receipt.
    pub receipt: &'a [u8],
    /// `disclosures.json`, if personal values are to be opened to the reader. Personal data.
    pub disclosures: Option<&'a [u8]>,
    /// `batch.json`: the place of one digest in a record over many.
    pub batch: Option<&'a [u8]>,
    /// `checkpoint.json`: a checkpoint of the transaction log that covers the receipt's header.
    pub checkpoint: Option<&'a [u8]>,
    /// `process.json`: the process log of the record.
    pub process: Option<&'a [u8]>,
    /// `certificate.pdf`.
    pub certificate_pdf: Option<&'a [u8]>,
    /// `certificate.ofd`.
    pub certificate_ofd: Option<&'a [u8]>,
    /// `verify.html`: the page that checks the bundle in a browser.
    pub page: Option<&'a [u8]>,
    /// The originals to pack, by rising position; any subset of the record's.
    pub originals: Vec<PackedOriginal>,
}

/// One original (原件) to pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedOriginal {
    /// Place in the record's list of originals, from 1.
    pub position: usize,
    /// Media type as the record says it; decides the entry's [`extension`].
    pub media_type: String,
    /// Bytes of the original.
    pub size_bytes: u64,
    /// CRC-32 (IEEE 802.3, as ZIP uses it) of the original.
    pub crc32: u32,
    /// SM3 of the original; lets `open` of [`write_bundle`] find it.
    pub sm3: Sm3Digest,
}

/// A file reduced to what verification needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedOriginal {
    /// Entry name in the bundle, or what the caller calls a supplied file.
    pub name: String,
    /// Bytes.
    pub size_bytes: u64,
    /// SM3 of the bytes.
    pub sm3: Sm3Digest,
}

/// A bundle's parts as read, nothing about them verified but the container's own form.
#[derive(Clone, Default)]
pub struct Bundle {
    /// Bytes of `record.json`.
    pub record: Vec<u8>,
    /// Bytes of `receipt.json`.
    pub receipt: Vec<u8>,
    /// Bytes of `disclosures.json`. Personal data.
    pub disclosures: Option<Vec<u8>>,
    /// Bytes of `batch.json`.
    pub batch: Option<Vec<u8>>,
    /// Bytes of `checkpoint.json`.
    pub checkpoint: Option<Vec<u8>>,
    /// Bytes of `process.json`.
    pub process: Option<Vec<u8>>,
    /// Bytes of `certificate.pdf`.
    pub certificate_pdf: Option<Vec<u8>>,
    /// Bytes of `certificate.ofd`.
    pub certificate_ofd: Option<Vec<u8>>,
    /// Bytes of `verify.html`.
    pub page: Option<Vec<u8>>,
    /// The packed originals, hashed.
    pub originals: Vec<HashedOriginal>,
    /// Read from a container, as opposed to put together from parts.
    pub(crate) packed: bool,
}

/// Why a bundle cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The source failed; says nothing about the bundle.
    #[error("the bundle cannot be read")]
    Read(#[source] io::Error),
    /// The input ends too early.
    #[error("the bundle ends at byte {offset}, before its end record")]
    Truncated {
        /// Where more bytes were expected.
        offset: u64,
    },
    /// Bytes that no writer of canonical bundles produces.
    #[error("not a canonical bundle: {part} at byte {offset}")]
    NotCanonical {
        /// Where the part begins.
        offset: u64,
        /// Which part.
        part: &'static str,
    },
    /// An entry that is unknown, doubled or out of order, or a mandatory one that is missing.
    #[error("unexpected entry {name} in the bundle")]
    UnexpectedEntry {
        /// The entry's name.
        name: String,
    },
    /// `record.json` or `receipt.json` is missing.
    #[error("the bundle holds no {name}")]
    MissingEntry {
        /// The missing entry's name.
        name: &'static str,
    },
    /// An entry's content does not match its CRC-32.
    #[error("the content of {name} does not match its checksum")]
    Checksum {
        /// The entry's name.
        name: String,
    },
    /// An entry announces more bytes than its kind may have.
    #[error("{name} has {size_bytes} bytes, more than {limit_bytes}")]
    TooLarge {
        /// The entry's name.
        name: String,
        /// Announced size.
        size_bytes: u64,
        /// Its bound in [`limits`](crate::limits).
        limit_bytes: u64,
    },
    /// Bytes after the end record.
    #[error("bytes after the end of the bundle at byte {offset}")]
    TrailingBytes {
        /// Where the bundle ended.
        offset: u64,
    },
}

/// Why a bundle cannot be written. What was written so far is unusable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The parts break a rule of the format.
    #[error("{name} cannot go into a bundle: {reason}")]
    Part {
        /// The entry's name.
        name: String,
        /// The rule.
        reason: &'static str,
    },
    /// An original could not be opened or read.
    #[error("cannot read {name}")]
    Content {
        /// The entry's name.
        name: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// An original is not what its size and checksum said.
    #[error("the content of {name} is not what was announced")]
    ContentChanged {
        /// The entry's name.
        name: String,
    },
    /// The output failed.
    #[error("cannot write the bundle")]
    Output(#[source] io::Error),
}

/// Bytes that [`write_bundle`] will write for these parts (HTTP `Content-Length`), without touching an original.
///
/// # Errors
/// [`WriteError::Part`] as [`write_bundle`].
pub fn bundle_len(parts: &BundleParts<'_>) -> Result<u64, WriteError> {
    let mut layout = Layout::default();
    parts.documents()?.into_iter().for_each(|(head, _)| layout.push(head));
    parts.original_heads()?.into_iter().for_each(|head| layout.push(head));
    Ok(layout.total_len())
}

/// Writes a bundle in one pass with constant memory; `open` hands out each original's bytes when its turn comes.
///
/// The same parts always give the same bytes. The parts are packed as they are: whether they prove anything is
/// [`verify`](crate::verify())'s question.
///
/// # Errors
/// [`WriteError::Part`] before anything is written: too large a document, positions not rising or not in 1..=64.
/// [`WriteError::Content`], [`WriteError::ContentChanged`] and [`WriteError::Output`] as they happen.
pub fn write_bundle<'r>(
    out: &mut dyn Write,
    parts: &BundleParts<'_>,
    open: &mut dyn FnMut(&PackedOriginal) -> io::Result<Box<dyn Read + 'r>>,
) -> Result<(), WriteError> {
    let documents = parts.documents()?;
    let heads = parts.original_heads()?;
    let mut writer = Writer::new(out);
    for (head, mut bytes) in documents {
        writer.entry(head, &mut bytes)?;
    }
    for (original, head) in parts.originals.iter().zip(heads) {
        let mut content = open(original)
            .map_err(|source| WriteError::Content { name: head.name.clone(), source })?;
        writer.entry(head, content.as_mut())?;
    }
    writer.finish()
}

/// Reads a bundle in one pass: documents into memory within their bounds, originals only through SM3.
///
/// Accepts exactly the bytes that [`write_bundle`] can write; any other byte anywhere is an error.
///
/// # Errors
/// [`BundleError::Read`] if the source fails, which says nothing about the bundle; every other variant means that
/// this is not an unaltered bundle.
pub fn read_bundle(input: &mut dyn Read) -> Result<Bundle, BundleError> {
    let mut reader = Reader::new(input);
    let (mut record, mut receipt) = (None, None);
    let mut bundle = Bundle { packed: true, ..Bundle::default() };
    let mut last = None;
    while let Some(head) = reader.next()? {
        let unexpected = || BundleError::UnexpectedEntry { name: head.name.clone() };
        let name = EntryName::parse(&head.name).ok_or_else(unexpected)?;
        if last.is_some_and(|last: EntryName| !name.follows(&last)) {
            return Err(unexpected());
        }
        if let Some(limit_bytes) = name.bytes_max() {
            let slot = match name {
                EntryName::Record => &mut record,
                EntryName::Receipt => &mut receipt,
                EntryName::Disclosures => &mut bundle.disclosures,
                EntryName::Batch => &mut bundle.batch,
                EntryName::Checkpoint => &mut bundle.checkpoint,
                EntryName::Process => &mut bundle.process,
                EntryName::CertificatePdf => &mut bundle.certificate_pdf,
                EntryName::CertificateOfd => &mut bundle.certificate_ofd,
                EntryName::Page => &mut bundle.page,
                EntryName::Original { .. } => return Err(unexpected()),
            };
            *slot = Some(document(&mut reader, head, limit_bytes)?);
        } else {
            bundle.originals.push(hashed(&mut reader, head)?);
        }
        last = Some(name);
    }
    reader.finish()?;
    bundle.record = record.ok_or(BundleError::MissingEntry { name: "record.json" })?;
    bundle.receipt = receipt.ok_or(BundleError::MissingEntry { name: "receipt.json" })?;
    Ok(bundle)
}

/// Hashes a supplied file for [`verify`](crate::verify()), streaming; `name` only appears in reasons.
///
/// # Errors
/// Whatever `input` reports.
pub fn hash_original(name: &str, input: &mut dyn Read) -> io::Result<HashedOriginal> {
    let mut digest = Sm3::new();
    let mut size_bytes: u64 = 0;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = chunk.get(..count).unwrap_or_default();
        digest.update(bytes);
        size_bytes = size_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
    Ok(HashedOriginal { name: name.to_owned(), size_bytes, sm3: digest.finalize() })
}

impl Bundle {
    /// A record and its receipt that came without a container, as the service verifies what it stores. The optional
    /// documents are fields to set.
    pub fn from_parts(record: Vec<u8>, receipt: Vec<u8>, disclosures: Option<Vec<u8>>) -> Self {
        Self { record, receipt, disclosures, ..Self::default() }
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("record_bytes", &self.record.len())
            .field("receipt_bytes", &self.receipt.len())
            .field("has_disclosures", &self.disclosures.is_some())
            .field("originals", &self.originals)
            .finish_non_exhaustive()
    }
}

impl BundleParts<'_> {
    fn documents(&self) -> Result<Vec<(EntryHead, &[u8])>, WriteError> {
        let optional = [
            (EntryName::Disclosures, self.disclosures),
            (EntryName::Batch, self.batch),
            (EntryName::Checkpoint, self.checkpoint),
            (EntryName::Process, self.process),
            (EntryName::CertificatePdf, self.certificate_pdf),
            (EntryName::CertificateOfd, self.certificate_ofd),
            (EntryName::Page, self.page),
        ];
        let mandatory = [(EntryName::Record, self.record), (EntryName::Receipt, self.receipt)];
        let optional = optional.into_iter().filter_map(|(name, bytes)| Some((name, bytes?)));
        mandatory
            .into_iter()
            .chain(optional)
            .map(|(entry, bytes)| {
                let name = entry.to_string();
                let size_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                if entry.bytes_max().is_none_or(|limit_bytes| size_bytes > limit_bytes) {
                    return Err(WriteError::Part { name, reason: "it is too large" });
                }
                Ok((EntryHead { name, size_bytes, crc32: crc32fast::hash(bytes) }, bytes))
            })
            .collect()
    }

    fn original_heads(&self) -> Result<Vec<EntryHead>, WriteError> {
        let mut last = 0;
        self.originals
            .iter()
            .map(|original| {
                let name = EntryName::original(original.position, &original.media_type).to_string();
                if original.position <= last || original.position > ORIGINALS_MAX {
                    let reason = "positions must rise and lie in 1 to 64";
                    return Err(WriteError::Part { name, reason });
                }
                last = original.position;
                Ok(EntryHead { name, size_bytes: original.size_bytes, crc32: original.crc32 })
            })
            .collect()
    }
}

impl fmt::Debug for BundleParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BundleParts")
            .field("record_bytes", &self.record.len())
            .field("receipt_bytes", &self.receipt.len())
            .field("has_disclosures", &self.disclosures.is_some())
            .field("originals", &self.originals)
            .finish()
    }
}

fn document(
    reader: &mut Reader<'_>,
    head: EntryHead,
    limit_bytes: u64,
) -> Result<Vec<u8>, BundleError> {
    if head.size_bytes > limit_bytes {
        let EntryHead { name, size_bytes, .. } = head;
        return Err(BundleError::TooLarge { name, size_bytes, limit_bytes });
    }
    let mut bytes = Vec::new();
    reader.content(head, &mut |chunk| bytes.extend_from_slice(chunk))?;
    Ok(bytes)
}

fn hashed(reader: &mut Reader<'_>, head: EntryHead) -> Result<HashedOriginal, BundleError> {
    let (name, size_bytes) = (head.name.clone(), head.size_bytes);
    let mut digest = Sm3::new();
    reader.content(head, &mut |chunk| digest.update(chunk))?;
    Ok(HashedOriginal { name, size_bytes, sm3: digest.finalize() })
}
