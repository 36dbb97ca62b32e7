//! Reads the canonical container in one pass and accepts nothing but its canonical bytes.

use std::io::{self, Read};

use super::{
    EntryHead, Layout,
    layout::{CENTRAL_SIGNATURE, IN_ZIP64, LOCAL_FIXED_BYTES, LOCAL_SIGNATURE, LOCAL_ZIP64_BYTES},
};
use crate::{
    bundle::BundleError,
    limits::{CHUNK_BYTES, NAME_BYTES_MAX},
};

/// A container being read from `input`: [`next`](Self::next) and [`content`](Self::content) in turn, then
/// [`finish`](Self::finish).
pub(crate) struct Reader<'a> {
    input: &'a mut dyn Read,
    layout: Layout,
    offset: u64,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(input: &'a mut dyn Read) -> Self {
        Self { input, layout: Layout::default(), offset: 0 }
    }

    /// The next entry's header, or `None` where the directory begins.
    pub(crate) fn next(&mut self) -> Result<Option<EntryHead>, BundleError> {
        let start = self.offset;
        let mut signature = [0; 4];
        self.exact(&mut signature)?;
        if signature == CENTRAL_SIGNATURE {
            return Ok(None);
        }
        if signature != LOCAL_SIGNATURE {
            return Err(BundleError::NotCanonical { offset: start, part: "entry header" });
        }
        let mut rest = [0; LOCAL_FIXED_BYTES - 4];
        self.exact(&mut rest)?;
        let crc32 = le32(&rest, 10);
        let short_size = le32(&rest, 14);
        let name_len = usize::from(le16(&rest, 22));
        if name_len > NAME_BYTES_MAX {
            return Err(BundleError::NotCanonical { offset: start, part: "entry name" });
        }
        let mut name = vec![0; name_len];
        self.exact(&mut name)?;
        let mut extra = Vec::new();
        let mut size_bytes = u64::from(short_size);
        if short_size == IN_ZIP64 {
            extra = vec![0; LOCAL_ZIP64_BYTES];
            self.exact(&mut extra)?;
            size_bytes = le64(&extra, 4);
        }
        let name = String::from_utf8(name)
            .map_err(|_| BundleError::NotCanonical { offset: start, part: "entry name" })?;
        let head = EntryHead { name, size_bytes, crc32 };
        // The one way to write what was understood: every other field is thereby checked.
        let read = [&signature[..], &rest, head.name.as_bytes(), &extra].concat();
        if head.local_header() != read {
            return Err(BundleError::NotCanonical { offset: start, part: "entry header" });
        }
        Ok(Some(head))
    }

    /// Streams the content that follows `head` into `sink` and checks its checksum.
    pub(crate) fn content(
        &mut self,
        head: EntryHead,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), BundleError> {
        let mut crc = crc32fast::Hasher::new();
        let mut left = head.size_bytes;
        let mut chunk = vec![0; CHUNK_BYTES];
        while left > 0 {
            let wanted = usize::try_from(left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
            let bytes = chunk.get_mut(..wanted).unwrap_or_default();
            self.exact(bytes)?;
            crc.update(bytes);
            sink(bytes);
            left = left.saturating_sub(u64::try_from(wanted).unwrap_or(u64::MAX));
        }
        if crc.finalize() != head.crc32 {
            return Err(BundleError::Checksum { name: head.name });
        }
        self.layout.push(head);
        Ok(())
    }

    /// Compares directory and end records with what the entries demand, and demands the end of the input.
    pub(crate) fn finish(mut self) -> Result<(), BundleError> {
        let start = self.layout.entries_len();
        let expected = self.layout.directory();
        // `next` has consumed the first signature already; without entries there is none to consume.
        let expected = expected
            .strip_prefix(&CENTRAL_SIGNATURE)
            .ok_or(BundleError::NotCanonical { offset: start, part: "directory" })?;
        let mut read = vec![0; expected.len()];
        self.exact(&mut read)?;
        if read != expected {
            return Err(BundleError::NotCanonical { offset: start, part: "directory" });
        }
        let end = self.offset;
        match self.exact(&mut [0]) {
            Err(BundleError::Truncated { .. }) => Ok(()),
            Ok(()) => Err(BundleError::TrailingBytes { offset: end }),
            Err(error) => Err(error),
        }
    }

    fn exact(&mut self, out: &mut [u8]) -> Result<(), BundleError> {
        self.input.read_exact(out).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BundleError::Truncated { offset: self.offset },
            _ => BundleError::Read(error),
        })?;
        self.offset = self.offset.saturating_add(u64::try_from(out.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |raw| u16::from_le_bytes(*raw))
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |raw| u32::from_le_bytes(*raw))
}

fn le64(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |raw| u64::from_le_bytes(*raw))
}
