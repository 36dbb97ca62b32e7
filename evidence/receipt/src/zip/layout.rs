//! Headers and directory of the canonical container as bytes.

/// `APPNOTE` §4.3.7 local file header signature.
pub(crate) const LOCAL_SIGNATURE: [u8; 4] = *b"PK\x03\x04";
/// `APPNOTE` §4.3.12 central directory header signature.
pub(crate) const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
/// Bytes of a local header before the name.
pub(crate) const LOCAL_FIXED_BYTES: usize = 30;
/// Bytes of the ZIP64 extra field of a local header: id, length, two sizes.
pub(crate) const LOCAL_ZIP64_BYTES: usize = 20;
/// A 32-bit field with this value means "see the ZIP64 extra field" (`APPNOTE` §4.4.8).
pub(crate) const IN_ZIP64: u32 = u32::MAX;

const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const ZIP64_END_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const ZIP64_LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";
/// 1.0: stored, no directories (`APPNOTE` §4.4.3.2).
const VERSION_STORED: u16 = 10;
/// 4.5: ZIP64 extensions.
const VERSION_ZIP64: u16 = 45;
/// 1980-01-01, the first day a DOS date can name.
const DOS_DATE: u16 = 0x0021;
const ZIP64_EXTRA_ID: u16 = 0x0001;

/// What the headers of one entry say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntryHead {
    /// ASCII, at most [`NAME_BYTES_MAX`](crate::limits::NAME_BYTES_MAX) bytes.
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
    pub(crate) crc32: u32,
}

impl EntryHead {
    /// The local header, up to the first byte of content.
    pub(crate) fn local_header(&self) -> Vec<u8> {
        let zip64 = self.size_bytes >= u64::from(IN_ZIP64);
        let mut out = Vec::with_capacity(LOCAL_FIXED_BYTES + self.name.len() + LOCAL_ZIP64_BYTES);
        out.extend_from_slice(&LOCAL_SIGNATURE);
        put16(&mut out, if zip64 { VERSION_ZIP64 } else { VERSION_STORED });
        self.put_common(&mut out, if zip64 { 20 } else { 0 });
        out.extend_from_slice(self.name.as_bytes());
        if zip64 {
            // APPNOTE §4.5.3: in a local header both sizes must be present.
            put16(&mut out, ZIP64_EXTRA_ID);
            put16(&mut out, 16);
            put64(&mut out, self.size_bytes);
            put64(&mut out, self.size_bytes);
        }
        out
    }

    /// The header in the central directory, for content whose local header starts at `offset`.
    fn central_header(&self, offset: u64) -> Vec<u8> {
        let mut extra = Vec::new();
        if self.size_bytes >= u64::from(IN_ZIP64) {
            put64(&mut extra, self.size_bytes);
            put64(&mut extra, self.size_bytes);
        }
        if offset >= u64::from(IN_ZIP64) {
            put64(&mut extra, offset);
        }
        let version = if extra.is_empty() { VERSION_STORED } else { VERSION_ZIP64 };
        let extra_len = if extra.is_empty() { 0 } else { low16(extra.len() + 4) };
        let mut out = Vec::with_capacity(46 + self.name.len() + usize::from(extra_len));
        out.extend_from_slice(&CENTRAL_SIGNATURE);
        put16(&mut out, version); // version made by; upper byte 0 = no external attributes to interpret
        put16(&mut out, version); // version needed
        self.put_common(&mut out, extra_len);
        put16(&mut out, 0); // comment length
        put16(&mut out, 0); // disk
        put16(&mut out, 0); // internal attributes
        put32(&mut out, 0); // external attributes
        put32(&mut out, low32(offset));
        out.extend_from_slice(self.name.as_bytes());
        if !extra.is_empty() {
            put16(&mut out, ZIP64_EXTRA_ID);
            put16(&mut out, low16(extra.len()));
            out.extend_from_slice(&extra);
        }
        out
    }

    /// Flags to extra length: the run of fields that both headers share.
    fn put_common(&self, out: &mut Vec<u8>, extra_len: u16) {
        put16(out, 0); // flags
        put16(out, 0); // method: stored
        put16(out, 0); // time
        put16(out, DOS_DATE);
        put32(out, self.crc32);
        put32(out, low32(self.size_bytes));
        put32(out, low32(self.size_bytes));
        put16(out, low16(self.name.len()));
        put16(out, extra_len);
    }
}

/// The entries so far and where each begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    entries: Vec<(u64, EntryHead)>,
    offset: u64,
}

impl Layout {
    /// Adds an entry after the ones before it.
    pub(crate) fn push(&mut self, head: EntryHead) {
        let header = to64(LOCAL_FIXED_BYTES + head.name.len())
            + if head.size_bytes >= u64::from(IN_ZIP64) { to64(LOCAL_ZIP64_BYTES) } else { 0 };
        let start = self.offset;
        self.offset = start.saturating_add(header).saturating_add(head.size_bytes);
        self.entries.push((start, head));
    }

    /// Bytes of all entries: where the central directory begins.
    pub(crate) const fn entries_len(&self) -> u64 {
        self.offset
    }

    /// Bytes of the whole container.
    pub(crate) fn total_len(&self) -> u64 {
        self.offset.saturating_add(to64(self.directory().len()))
    }

    /// Central directory and end records: everything after the last entry.
    pub(crate) fn directory(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (offset, head) in &self.entries {
            out.extend_from_slice(&head.central_header(*offset));
        }
        let count = low16(self.entries.len());
        let directory_len = to64(out.len());
        if self.offset >= u64::from(IN_ZIP64) {
            self.put_zip64_end(&mut out, count, directory_len);
        }
        out.extend_from_slice(&END_SIGNATURE);
        put16(&mut out, 0); // this disk
        put16(&mut out, 0); // disk of the directory
        put16(&mut out, count);
        put16(&mut out, count);
        put32(&mut out, low32(directory_len));
        put32(&mut out, low32(self.offset));
        put16(&mut out, 0); // comment length
        out
    }

    /// `APPNOTE` §4.3.14 and §4.3.15: the ZIP64 end record and its locator.
    fn put_zip64_end(&self, out: &mut Vec<u8>, count: u16, directory_len: u64) {
        let record_at = self.offset.saturating_add(directory_len);
        out.extend_from_slice(&ZIP64_END_SIGNATURE);
        put64(out, 44); // bytes of this record after this field
        put16(out, VERSION_ZIP64);
        put16(out, VERSION_ZIP64);
        put32(out, 0); // this disk
        put32(out, 0); // disk of the directory
        put64(out, u64::from(count));
        put64(out, u64::from(count));
        put64(out, directory_len);
        put64(out, self.offset);
        out.extend_from_slice(&ZIP64_LOCATOR_SIGNATURE);
        put32(out, 0); // disk of the record
        put64(out, record_at);
        put32(out, 1); // disks
    }
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// The value, or the mark that it is in the ZIP64 field.
fn low32(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(IN_ZIP64)
}

/// Lengths and counts that the limits keep far below 2^16.
fn low16(value: usize) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn to64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
