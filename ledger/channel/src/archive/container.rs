//! The container of an export: a POSIX tar archive (ustar, IEEE Std 1003.1-1988) of plain files, in
//! one form only. Any tar unpacks it; no other bytes than those written here are taken in.

use std::io::{self, Read, Write};

use smkit::{Sm3, Sm3Digest};

use super::ArchiveError;

const RECORD_BYTES: usize = 512;
const NAME_BYTES_MAX: usize = 99;

/// Writes entries one after another.
pub(super) struct Writer<'w> {
    out: &'w mut dyn Write,
    digest: Sm3,
}

impl<'w> Writer<'w> {
    pub(super) fn new(out: &'w mut dyn Write) -> Self {
        Self { out, digest: Sm3::new() }
    }

    /// SM3 of everything written so far.
    pub(super) fn digest(&self) -> Sm3Digest {
        self.digest.clone().finalize()
    }

    pub(super) fn entry(&mut self, name: &str, content: &[u8]) -> Result<(), ArchiveError> {
        let header = header(name, content.len() as u64).ok_or_else(|| ArchiveError::Io {
            operation: "write",
            source: io::Error::other("a name or file is too long for the container"),
        })?;
        self.put(&header)?;
        self.put(content)?;
        self.put(padding(content.len() as u64))
    }

    /// Two records of zeros end the archive.
    pub(super) fn finish(mut self) -> Result<(), ArchiveError> {
        self.put(&[0; 2 * RECORD_BYTES])?;
        self.out.flush().map_err(|source| ArchiveError::Io { operation: "write", source })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.digest.update(bytes);
        self.out.write_all(bytes).map_err(|source| ArchiveError::Io { operation: "write", source })
    }
}

/// Reads what [`Writer`] writes.
pub(super) struct Reader<'r> {
    input: &'r mut (dyn Read + Send),
    digest: Sm3,
    offset: u64,
}

/// One file of the archive.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
    /// SM3 of everything before the entry.
    pub(super) before: Sm3Digest,
    /// Where it begins.
    pub(super) offset: u64,
}

impl<'r> Reader<'r> {
    pub(super) fn new(input: &'r mut (dyn Read + Send)) -> Self {
        Self { input, digest: Sm3::new(), offset: 0 }
    }

    /// The next file, of at most `size_max` bytes.
    pub(super) fn entry(&mut self, size_max: u64) -> Result<Entry, ArchiveError> {
        let (offset, before) = (self.offset, self.digest.clone().finalize());
        let found = self.take(RECORD_BYTES as u64)?;
        let name = field(&found, 0, 100).and_then(|name| {
            let end = name.iter().position(|byte| *byte == 0)?;
            String::from_utf8(name.get(..end)?.to_vec()).ok()
        });
        let size = field(&found, 124, 11)
            .and_then(|digits| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        // Built anew, the header must be the same: there is one form, and its checksum is right.
        let (name, size) = name
            .zip(size)
            .filter(|(name, size)| header(name, *size).is_some_and(|h| h.as_slice() == found))
            .ok_or_else(|| self.wrong(offset, "no file begins here"))?;
        if size > size_max {
            return Err(self.wrong(offset, "a file is larger than one of its kind can be"));
        }
        let content = self.take(size)?;
        let end = self.offset;
        let zeros = padding(size);
        if self.take(zeros.len() as u64)? != zeros {
            return Err(self.wrong(end, "a file is not followed by zeros"));
        }
        Ok(Entry { name, content, before, offset })
    }

    /// The end of the archive, and of the bytes.
    pub(super) fn finish(mut self) -> Result<(), ArchiveError> {
        let offset = self.offset;
        if self.take(2 * RECORD_BYTES as u64)?.iter().any(|byte| *byte != 0) {
            return Err(self.wrong(offset, "the archive does not end where it should"));
        }
        let mut more = [0];
        match self.input.read(&mut more) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.wrong(self.offset, "something follows the archive")),
            Err(source) => Err(ArchiveError::Io { operation: "read", source }),
        }
    }

    pub(super) fn wrong(&self, offset: u64, reason: &str) -> ArchiveError {
        let _ = self;
        ArchiveError::Format { offset, reason: reason.to_owned() }
    }

    /// So many bytes; memory grows with what really comes.
    fn take(&mut self, bytes: u64) -> Result<Vec<u8>, ArchiveError> {
        let mut found = Vec::new();
        self.input
            .take(bytes)
            .read_to_end(&mut found)
            .map_err(|source| ArchiveError::Io { operation: "read", source })?;
        self.offset = self.offset.saturating_add(found.len() as u64);
        if found.len() as u64 != bytes {
            return Err(self.wrong(self.offset, "the file ends too early"));
        }
        self.digest.update(&found);
        Ok(found)
    }
}

/// The ustar header of a plain file; `None` for what none can describe.
fn header(name: &str, size: u64) -> Option<[u8; RECORD_BYTES]> {
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX && size < 1 << 33;
    if !fits || name.bytes().any(|byte| byte == 0) {
        return None;
    }
    let mut header = [0; RECORD_BYTES];
    let mut put = |at: usize, bytes: &[u8]| {
        let room = header.get_mut(at..at.saturating_add(bytes.len()));
        if let Some(room) = room {
            room.copy_from_slice(bytes);
        }
    };
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    // No time: the same channel gives the same bytes.
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let checksum = format!("{sum:06o}\0 ");
    header.get_mut(148..156)?.copy_from_slice(checksum.as_bytes());
    Some(header)
}

/// Files are filled up with zeros to a whole record.
fn padding(size: u64) -> &'static [u8] {
    const ZEROS: [u8; RECORD_BYTES] = [0; RECORD_BYTES];
    let over = usize::try_from(size % RECORD_BYTES as u64).unwrap_or(0);
    ZEROS.get(over..).filter(|_| over > 0).unwrap_or_default()
}

fn field(header: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    header.get(at..at.saturating_add(length))
}
