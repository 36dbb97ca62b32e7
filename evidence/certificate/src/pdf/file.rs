//! A PDF file's revisions: cross-reference tables, objects, attached files (ISO 32000-1 §7.5, §7.11.4).

use std::{collections::BTreeMap, io::Read, ops::Range};

use flate2::read::ZlibDecoder;

use super::object::{Dictionary, Lexer, Value, natural};
use crate::limits::PAGES_MAX;

/// Why bytes are not a PDF file that this crate writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not where it should be, at byte {at}")]
pub(crate) struct Malformed {
    pub(crate) what: &'static str,
    pub(crate) at: usize,
}

/// One cross-reference table with its trailer.
#[derive(Clone, Debug)]
pub(super) struct Table<'a> {
    offsets: BTreeMap<u32, usize>,
    pub(super) trailer: Dictionary<'a>,
    /// Where the table begins.
    pub(super) start: usize,
    /// After the mark of the end of the revision.
    pub(super) end: usize,
}

/// A file of one revision.
#[derive(Clone, Debug)]
pub(super) struct Revision<'a> {
    bytes: &'a [u8],
    pub(super) table: Table<'a>,
}

/// An indirect object.
#[derive(Clone, Debug)]
pub(super) struct Object<'a> {
    pub(super) value: Dictionary<'a>,
    /// Where the dictionary lies.
    pub(super) span: Range<usize>,
    pub(super) stream: Option<&'a [u8]>,
}

impl<'a> Table<'a> {
    /// The table that the end of `bytes` points to.
    pub(super) fn last(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let from = bytes.len().saturating_sub(TAIL_BYTES);
        let tail = bytes.get(from..).unwrap_or_default();
        let found = tail.windows(START.len()).rposition(|window| window == START.as_bytes());
        let at = from.saturating_add(found.unwrap_or_default());
        let mut lexer = Lexer::new(bytes, at);
        lexer.keyword(START)?;
        let start = lexer.natural()?;
        let table = Self::at(bytes, start)?;
        match bytes.get(table.end..) {
            Some([] | [b'\n']) => Ok(table),
            _ => Err(Malformed { what: "the end of the file", at: table.end }),
        }
    }

    /// The table that begins here.
    pub(super) fn at(bytes: &'a [u8], start: usize) -> Result<Self, Malformed> {
        let mut lexer = Lexer::new(bytes, start);
        if !bytes.get(start..).is_some_and(|rest| rest.starts_with(b"xref")) {
            return Err(Malformed { what: "a cross-reference table", at: start });
        }
        lexer.keyword("xref")?;
        let mut offsets = BTreeMap::new();
        while lexer.clone().keyword("trailer").is_err() {
            section(bytes, &mut lexer, &mut offsets)?;
        }
        lexer.keyword("trailer")?;
        let (value, _) = lexer.value()?;
        let Value::Dictionary(trailer) = value else {
            return Err(Malformed { what: "a trailer", at: lexer.at() });
        };
        lexer.keyword(START)?;
        if lexer.natural()? != start {
            return Err(Malformed { what: "the place of the table", at: lexer.at() });
        }
        lexer.keyword("%%EOF")?;
        Ok(Self { offsets, trailer, start, end: lexer.at() })
    }

    /// How many object numbers are taken.
    pub(super) fn size(&self) -> Result<u32, Malformed> {
        let size = self.trailer.natural("Size").and_then(|size| u32::try_from(size).ok());
        size.filter(|size| *size <= OBJECTS_MAX)
            .ok_or(Malformed { what: "the number of objects", at: self.start })
    }

    /// The object of this number, if this table has it.
    pub(super) fn object(&self, bytes: &'a [u8], number: u32) -> Result<Object<'a>, Malformed> {
        let missing = Malformed { what: "an object of the table", at: self.start };
        let at = *self.offsets.get(&number).ok_or(missing)?;
        let mut lexer = Lexer::new(bytes, at);
        if lexer.natural()? != usize::try_from(number).unwrap_or(usize::MAX)
            || lexer.natural()? != 0
        {
            return Err(Malformed { what: "an object's number", at });
        }
        lexer.keyword("obj")?;
        let (value, span) = lexer.value()?;
        let Value::Dictionary(value) = value else {
            return Err(Malformed { what: "a dictionary", at });
        };
        let stream = lexer.stream(&value)?;
        lexer.keyword("endobj")?;
        Ok(Object { value, span, stream })
    }
}

/// Entries of 20 bytes each (ISO 32000-1 §7.5.4).
fn section(
    bytes: &[u8],
    lexer: &mut Lexer<'_>,
    offsets: &mut BTreeMap<u32, usize>,
) -> Result<(), Malformed> {
    let (first, count) = (lexer.natural()?, lexer.natural()?);
    let wrong = Malformed { what: "a section of the cross-reference table", at: lexer.at() };
    lexer.blank();
    let from = lexer.at();
    let length = count.checked_mul(ENTRY_BYTES).ok_or(wrong)?;
    let end = from.checked_add(length).ok_or(wrong)?;
    let entries = bytes.get(from..end).ok_or(wrong)?;
    for (index, entry) in entries.chunks_exact(ENTRY_BYTES).enumerate() {
        let number = first.checked_add(index).and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| *number < OBJECTS_MAX).ok_or(wrong)?;
        let offset = entry.get(..10).and_then(natural).ok_or(wrong)?;
        match entry.get(10..) {
            Some(b" 00000 n\r\n" | b" 00000 n \n") => {}
            Some([b' ', .., b' ', b'f', _, _]) => continue,
            _ => return Err(wrong),
        }
        if offsets.insert(number, offset).is_some() {
            return Err(wrong);
        }
    }
    lexer.go_to(end);
    Ok(())
}

impl<'a> Revision<'a> {
    /// Reads a file that has one revision and nothing after it.
    pub(super) fn only(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let table = Table::last(bytes)?;
        if table.trailer.get("Prev").is_some() {
            return Err(Malformed { what: "a single revision", at: table.start });
        }
        Ok(Self { bytes, table })
    }

    pub(super) fn object(&self, number: u32) -> Result<Object<'a>, Malformed> {
        self.table.object(self.bytes, number)
    }

    /// The catalog: its number and itself.
    pub(super) fn catalog(&self) -> Result<(u32, Object<'a>), Malformed> {
        let wrong = Malformed { what: "the catalog", at: self.table.start };
        let number = self.table.trailer.reference("Root").ok_or(wrong)?;
        Ok((number, self.object(number)?))
    }

    /// The objects of the pages, in their order.
    pub(super) fn pages(&self) -> Result<Vec<u32>, Malformed> {
        let wrong = Malformed { what: "the tree of pages", at: self.table.start };
        let (_, catalog) = self.catalog()?;
        let mut pages = Vec::new();
        // Depth first, the next one last.
        let mut waiting = vec![catalog.value.reference("Pages").ok_or(wrong)?];
        for _ in 0..NODES_MAX {
            let Some(number) = waiting.pop() else { return Ok(pages) };
            let object = self.object(number)?;
            if object.value.is("Type", "Page") {
                pages.push(number);
                continue;
            }
            let kids = object.value.array("Kids").ok_or(wrong)?;
            for kid in kids.iter().rev() {
                let Value::Reference(kid) = kid else { return Err(wrong) };
                waiting.push(*kid);
            }
            if waiting.len() > NODES_MAX {
                return Err(wrong);
            }
        }
        Err(wrong)
    }

    /// The page of this number, from 1: its object's number and itself.
    pub(super) fn page(&self, page: usize) -> Result<(u32, Object<'a>), Malformed> {
        let wrong = Malformed { what: "a page", at: self.table.start };
        let pages = self.pages()?;
        let number = page.checked_sub(1).and_then(|index| pages.get(index)).ok_or(wrong)?;
        Ok((*number, self.object(*number)?))
    }

    /// Names and bytes of the attached files, at most `bytes_max` together.
    pub(super) fn attachments(&self, bytes_max: u64) -> Result<Vec<(String, Vec<u8>)>, Malformed> {
        let wrong = Malformed { what: "the attached files", at: self.table.start };
        let (_, catalog) = self.catalog()?;
        let names = catalog.value.dictionary("Names");
        let tree = names.and_then(|names| names.dictionary("EmbeddedFiles"));
        let Some(pairs) = tree.and_then(|tree| tree.array("Names")) else { return Ok(Vec::new()) };
        if pairs.len() > 2 * FILES_MAX {
            return Err(wrong);
        }
        let mut left = bytes_max;
        let mut files = Vec::new();
        for pair in pairs.chunks(2) {
            let [Value::Text(name), Value::Reference(file)] = pair else { return Err(wrong) };
            let name = String::from_utf8(name.clone()).map_err(|_| wrong)?;
            let file = self.object(*file)?;
            let data = file.value.dictionary("EF").and_then(|ef| ef.reference("F")).ok_or(wrong)?;
            let data = self.object(data)?;
            let content = inflate(&data, left).ok_or(wrong)?;
            left = left.saturating_sub(u64::try_from(content.len()).unwrap_or(u64::MAX));
            files.push((name, content));
        }
        Ok(files)
    }
}

/// The content of a stream, at most this long.
fn inflate(object: &Object<'_>, bytes_max: u64) -> Option<Vec<u8>> {
    let data = object.stream?;
    let mut out = Vec::new();
    if !object.value.is("Filter", "FlateDecode") {
        let plain = object.value.get("Filter").is_none();
        let fits = u64::try_from(data.len()).is_ok_and(|length| length <= bytes_max);
        return (plain && fits).then(|| data.to_vec());
    }
    let mut inflated = ZlibDecoder::new(data).take(bytes_max.saturating_add(1));
    inflated.read_to_end(&mut out).ok()?;
    u64::try_from(out.len()).is_ok_and(|length| length <= bytes_max).then_some(out)
}

const START: &str = "startxref";
/// The last lines of a file are within this.
const TAIL_BYTES: usize = 64;
const ENTRY_BYTES: usize = 20;
/// Most objects of a file: a certificate has a few per page.
const OBJECTS_MAX: u32 = 100_000;
/// Most nodes of the tree of pages.
const NODES_MAX: usize = 4 * PAGES_MAX;
/// Most attached files.
const FILES_MAX: usize = 16;
