//! The ZIP around an OFD: one way to write, and a reader that leaves nothing between the members.

use std::io::Read;

use flate2::read::DeflateDecoder;

use crate::limits::{OFD_BYTES_MAX, OFD_MEMBER_BYTES_MAX, OFD_MEMBERS_MAX, OFD_NAME_BYTES_MAX};

/// A file in the package: its name without a leading `/`, and its bytes.
pub(crate) type Member = (String, Vec<u8>);

/// Writes members stored, in their order, without times or attributes: of equal members there is one package, and any
/// other byte in it can be noticed. Deflate has many encodings of the same content, so it is not used.
///
/// `None` if it would be larger than a ZIP without 64-bit fields can be.
pub(crate) fn write(members: &[Member]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in members {
        let at = u32::try_from(out.len()).ok()?;
        let head = head(name, bytes)?;
        out.extend_from_slice(&LOCAL);
        out.extend_from_slice(&head);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(bytes);
        directory.extend_from_slice(&CENTRAL);
        directory.extend_from_slice(&VERSION.to_le_bytes());
        directory.extend_from_slice(&head);
        // No comment, first disk, no attributes.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let count = u16::try_from(members.len()).ok()?;
    let (at, size) = (u32::try_from(out.len()).ok()?, u32::try_from(directory.len()).ok()?);
    out.extend_from_slice(&directory);
    out.extend_from_slice(&END);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    Some(out)
}

/// What local header and directory entry have in common: from the version needed to the length of the extra field.
fn head(name: &str, bytes: &[u8]) -> Option<[u8; 26]> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(bytes);
    let size = u32::try_from(bytes.len()).ok()?.to_le_bytes();
    let name = u16::try_from(name.len()).ok()?.to_le_bytes();
    let fields = [
        VERSION.to_le_bytes().as_slice(),
        &UTF8.to_le_bytes(),
        &STORED.to_le_bytes(),
        // 1980-01-01 00:00, the earliest time that a ZIP can name.
        &[0, 0, 0x21, 0],
        &crc.finalize().to_le_bytes(),
        &size,
        &size,
        &name,
        &[0, 0],
    ]
    .concat();
    fields.try_into().ok()
}

/// Reads a package of stored and deflated members. Members must lie side by side from the first byte on, agree with the
/// directory, be named once, and stay in the package; anything between, before or after them is refused.
///
/// # Errors
/// What is wrong, for a reader.
pub(crate) fn read(zip: &[u8]) -> Result<Vec<Member>, PackageError> {
    if zip.len() > OFD_BYTES_MAX {
        return Err(PackageError::new("it is too large"));
    }
    let end_at = zip.len().checked_sub(END_BYTES).ok_or(BROKEN)?;
    let end = Fields(zip.get(end_at..).ok_or(BROKEN)?);
    let (count, size, at) = (end.u16(10)?, end.u32(12)?, end.u32(16)?);
    let whole = end.bytes(0, 4)? == END
        && end.u32(4)? == 0
        && end.u16(8)? == count
        && end.u16(20)? == 0
        && at.checked_add(size) == Some(end_at);
    if !whole {
        return Err(PackageError::new("its end is not that of a ZIP file"));
    }
    let mut directory = zip.get(at..end_at).ok_or(BROKEN)?;
    let mut members: Vec<Member> = Vec::new();
    let (mut next, mut total) = (0, 0_usize);
    if usize::from(count) > OFD_MEMBERS_MAX {
        return Err(PackageError::new("it has too many members"));
    }
    for _ in 0..count {
        let entry = Entry::read(&mut directory)?;
        let named = |reason| PackageError::of(reason, &entry.name);
        if members.iter().any(|(name, _)| name.eq_ignore_ascii_case(&entry.name)) {
            return Err(named("a member is there twice"));
        }
        if !is_inside(&entry.name) {
            return Err(named("a member's name leaves the package"));
        }
        total = total.saturating_add(entry.size);
        if entry.size > OFD_MEMBER_BYTES_MAX || total > OFD_BYTES_MAX {
            return Err(named("a member is too large"));
        }
        if entry.at != next {
            return Err(named("there is something beside the members, before"));
        }
        let (bytes, after) = entry.content(zip, at)?;
        next = after;
        members.push((entry.name, bytes));
    }
    if next != at || !directory.is_empty() {
        return Err(PackageError::new("there is something beside the members"));
    }
    Ok(members)
}

/// Why bytes are no package: in words, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PackageError {
    reason: &'static str,
    member: Option<String>,
}

impl PackageError {
    const fn new(reason: &'static str) -> Self {
        Self { reason, member: None }
    }

    fn of(reason: &'static str, member: &str) -> Self {
        // Names are foreign text: shown without control characters.
        let member = member.chars().filter(|c| !c.is_control()).take(100).collect();
        Self { reason, member: Some(member) }
    }
}

impl std::fmt::Display for PackageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.member {
            Some(member) => write!(f, "{}: {member}", self.reason),
            None => f.write_str(self.reason),
        }
    }
}

/// One entry of the directory.
struct Entry {
    name: String,
    /// From the version needed to the length of the extra field.
    flags: usize,
    method: usize,
    crc: usize,
    packed: usize,
    size: usize,
    at: usize,
}

impl Entry {
    fn read(directory: &mut &[u8]) -> Result<Self, PackageError> {
        let fields = Fields(directory);
        if fields.bytes(0, 4)? != CENTRAL {
            return Err(BROKEN);
        }
        let name_bytes = usize::from(fields.u16(28)?);
        let beside = usize::from(fields.u16(30)?).saturating_add(usize::from(fields.u16(32)?));
        let name = fields.bytes(CENTRAL_BYTES, name_bytes)?;
        let name = str::from_utf8(name).map_err(|_| BROKEN)?.to_owned();
        if name_bytes > OFD_NAME_BYTES_MAX {
            return Err(PackageError::of("a name is too long", &name));
        }
        // Extra fields and comments are places to hide something.
        if beside != 0 || fields.u16(34)? != 0 {
            return Err(PackageError::of("a member has extra fields or a comment", &name));
        }
        let entry = Self {
            flags: fields.u16(8)?.into(),
            method: fields.u16(10)?.into(),
            crc: fields.u32(16)?,
            packed: fields.u32(20)?,
            size: fields.u32(24)?,
            at: fields.u32(42)?,
            name,
        };
        *directory = directory.get(CENTRAL_BYTES.saturating_add(name_bytes)..).ok_or(BROKEN)?;
        Ok(entry)
    }

    /// The member's bytes, and where it ends. Members end before `limit`.
    fn content(&self, zip: &[u8], limit: usize) -> Result<(Vec<u8>, usize), PackageError> {
        let wrong = |reason| PackageError::of(reason, &self.name);
        let fields = Fields(zip.get(self.at..limit).ok_or(BROKEN)?);
        // Sizes and checksum may follow the content, and are then zero here.
        let follows = self.flags & DESCRIPTOR != 0;
        let agrees = |at: usize, value: usize| -> Result<bool, PackageError> {
            let found = fields.u32(at)?;
            Ok(found == value || (follows && found == 0))
        };
        let same = fields.bytes(0, 4)? == LOCAL
            && usize::from(fields.u16(6)?) == self.flags
            && usize::from(fields.u16(8)?) == self.method
            && agrees(14, self.crc)?
            && agrees(18, self.packed)?
            && agrees(22, self.size)?
            && fields.u16(28)? == 0
            && fields.bytes(LOCAL_BYTES, fields.u16(26)?.into())? == self.name.as_bytes();
        if !same {
            return Err(wrong("a member and the directory disagree"));
        }
        let start = LOCAL_BYTES.saturating_add(self.name.len());
        let packed = fields.bytes(start, self.packed)?;
        let mut end = start.saturating_add(self.packed);
        if follows {
            end = self.descriptor(&fields, end)?;
        }
        let bytes = match self.method {
            0 if self.flags & ENCRYPTED == 0 => packed.to_vec(),
            8 if self.flags & ENCRYPTED == 0 => inflate(packed, self.size).ok_or(BROKEN)?,
            _ => return Err(wrong("a member is packed in a way that is not read here")),
        };
        let mut crc = crc32fast::Hasher::new();
        crc.update(&bytes);
        let crc = usize::try_from(crc.finalize()).ok();
        if bytes.len() != self.size || crc != Some(self.crc) {
            return Err(wrong("a member is damaged"));
        }
        Ok((bytes, self.at.saturating_add(end)))
    }

    /// Where the data descriptor that stands here ends; its signature may be left out.
    fn descriptor(&self, fields: &Fields<'_>, at: usize) -> Result<usize, PackageError> {
        let signed = fields.bytes(at, 4)? == DATA;
        let start = if signed { at.saturating_add(4) } else { at };
        let second = start.saturating_add(4);
        let third = second.saturating_add(4);
        let same = fields.u32(start)? == self.crc
            && fields.u32(second)? == self.packed
            && fields.u32(third)? == self.size;
        if same { Ok(third.saturating_add(4)) } else { Err(BROKEN) }
    }
}

/// Exactly `size` bytes out of exactly `packed`.
fn inflate(packed: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut decoder = DeflateDecoder::new(packed);
    let mut out = Vec::new();
    let bound = u64::try_from(size).ok()?.saturating_add(1);
    decoder.by_ref().take(bound).read_to_end(&mut out).ok()?;
    let used = usize::try_from(decoder.total_in()).ok()?;
    (out.len() == size && used == packed.len()).then_some(out)
}

/// A relative path that goes down only, with `/` alone between its parts.
fn is_inside(name: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    name.split('/').all(plain) && !name.contains(['\\', ':', '\0'])
}

/// Little-endian fields at places.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&self, at: usize, count: usize) -> Result<&'a [u8], PackageError> {
        self.0.get(at..at.saturating_add(count)).ok_or(BROKEN)
    }

    fn u16(&self, at: usize) -> Result<u16, PackageError> {
        self.0
            .get(at..)
            .and_then(<[u8]>::first_chunk)
            .map(|raw| u16::from_le_bytes(*raw))
            .ok_or(BROKEN)
    }

    fn u32(&self, at: usize) -> Result<usize, PackageError> {
        let raw = self.0.get(at..).and_then(<[u8]>::first_chunk).ok_or(BROKEN)?;
        usize::try_from(u32::from_le_bytes(*raw)).map_err(|_| BROKEN)
    }
}

const BROKEN: PackageError = PackageError::new("it is not a ZIP file, or a damaged one");
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const DATA: [u8; 4] = *b"PK\x07\x08";
const LOCAL_BYTES: usize = 30;
const CENTRAL_BYTES: usize = 46;
const END_BYTES: usize = 22;
/// 2.0, what every reader has.
const VERSION: u16 = 20;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
const STORED: u16 = 0;
const ENCRYPTED: usize = 1;
const DESCRIPTOR: usize = 1 << 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<Member> {
        vec![("OFD.xml".into(), b"<x/>".to_vec()), ("Doc_0/Res/a.png".into(), vec![7; 300])]
    }

    #[test]
    fn what_is_written_is_read_and_by_a_foreign_reader_too() {
        let zip = write(&sample()).unwrap();
        assert_eq!(read(&zip).unwrap(), sample());
        let mut foreign = zip::ZipArchive::new(std::io::Cursor::new(&zip)).unwrap();
        let mut out = Vec::new();
        foreign.by_name("Doc_0/Res/a.png").unwrap().read_to_end(&mut out).unwrap();
        assert_eq!(out, vec![7; 300]);
    }

    #[test]
    fn names_leave_no_package_and_come_once() {
        for name in ["/OFD.xml", "../x", "a/../b", "a//b", "a\\b", "c:x", "", "a/."] {
            let zip = write(&[(name.into(), Vec::new())]).unwrap();
            assert!(read(&zip).is_err(), "{name}");
        }
        for other in ["OFD.xml", "ofd.XML"] {
            let zip = write(&[("OFD.xml".into(), vec![1]), (other.into(), vec![2])]).unwrap();
            assert!(read(&zip).unwrap_err().to_string().contains("twice"));
        }
    }

    #[test]
    fn nothing_hides_beside_the_members() {
        let zip = write(&sample()).unwrap();
        let before = [b"x".as_slice(), &zip].concat();
        let after = [zip.as_slice(), b"x"].concat();
        assert!(read(&before).is_err() && read(&after).is_err());
        assert!(read(b"").is_err() && read(&zip[..zip.len() - 1]).is_err());
    }

    #[test]
    fn deflated_members_are_read_within_their_size() {
        use std::io::Write;
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated);
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in sample() {
            writer.start_file(name, options).unwrap();
            writer.write_all(&bytes).unwrap();
        }
        let zip = writer.finish().unwrap().into_inner();
        assert_eq!(read(&zip).unwrap(), sample());
    }
}
