//! The checkpoints of one log on disk: `checkpoints.log`, append-only, read through at the start.
//!
//! A record is `<length> <SM3 of the content> <8 digits of SM3 of what stands before>\n<content>\n`, the content canonical
//! JSON with the note and, where there is one, the time-stamp token. Records of one size supersede each other: the note
//! gains cosignatures and a token.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use changbai_core::canonical;
use changbai_merkle::{Checkpoint, Note};
use changbai_witness::NoteStore;
use serde::{Deserialize, Serialize};
use smkit::sm3;

use crate::directory::sync_parent;

/// A checkpoint as it was issued, with what others added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) note: Note,
    /// DER of the time-stamp token.
    pub(crate) token: Option<Vec<u8>>,
}

impl Issued {
    /// Signatures, and the token.
    pub(crate) fn worth(&self) -> usize {
        self.note.signatures().len() + usize::from(self.token.is_some())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Where a record is, and what it is worth.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    length: usize,
    /// Signatures, and the token.
    worth: usize,
}

/// The file, open.
#[derive(Debug)]
pub(crate) struct CheckpointStore {
    path: PathBuf,
    file: File,
    end: u64,
    places: BTreeMap<u64, Place>,
}

impl CheckpointStore {
    /// Opens or creates the file. A record that a crash cut off is removed: nothing of it had left.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let fresh = !path.exists();
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        if fresh {
            file.sync_all()?;
            sync_parent(path)?;
        }
        let damaged = |end: u64, reason: &str| {
            let what = format!("{}: offset {end}: {reason}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        let (mut end, mut places) = (0, BTreeMap::new());
        let mut reader = BufReader::new(&mut file);
        while let Some(record) = next(&mut reader)? {
            let Record { head, content } = record.map_err(|reason| damaged(end, reason))?;
            let (offset, length) = (end + head, content.len());
            let issued = read(&content).ok_or_else(|| damaged(end, "not a checkpoint"))?;
            let (size, worth) = of(&issued);
            places.insert(size, Place { offset, length, worth });
            end = offset + length as u64 + 1;
        }
        let bytes = file.metadata()?.len();
        if end < bytes {
            let bytes = bytes - end;
            tracing::warn!(file = %path.display(), bytes, "node::torn_checkpoint_removed");
            file.set_len(end)?;
            file.sync_all()?;
        }
        Ok(Self { path: path.to_owned(), file, end, places })
    }

    /// Appends; durable when this returns.
    pub(crate) fn append(&mut self, issued: &Issued) -> io::Result<()> {
        let token = issued.token.as_deref().map(encode);
        let content = Content { note: issued.note.to_string(), token };
        let content = canonical::to_bytes(&content).map_err(io::Error::other)?;
        let head = format!("{} {}", content.len(), sm3(&content));
        let head = format!("{head} {}\n", check(&head));
        let (size, worth) = of(issued);
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&[head.as_bytes(), &content, b"\n"].concat())?;
        self.file.sync_data()?;
        let offset = self.end + head.len() as u64;
        self.end = offset + content.len() as u64 + 1;
        self.places.insert(size, Place { offset, length: content.len(), worth });
        Ok(())
    }

    /// The newest checkpoint.
    pub(crate) fn last(&self) -> io::Result<Option<Issued>> {
        self.places.last_key_value().map(|(_, place)| self.load(*place)).transpose()
    }

    /// Of the next checkpoints over at least `size` leaves the best one, of equals the first.
    pub(crate) fn covering(&self, size: u64) -> io::Result<Option<Issued>> {
        let best = self.places.range(size..).take(LOOKED_AT_MAX).map(|(_, place)| *place);
        let best = best.reduce(|best, next| if next.worth > best.worth { next } else { best });
        best.map(|place| self.load(place)).transpose()
    }

    fn load(&self, place: Place) -> io::Result<Issued> {
        let mut content = vec![0; place.length];
        self.file.read_exact_at(&mut content, place.offset)?;
        read(&content).ok_or_else(|| {
            let what = format!("{}: offset {}: damaged", self.path.display(), place.offset);
            io::Error::new(io::ErrorKind::InvalidData, what)
        })
    }
}

impl NoteStore for CheckpointStore {
    fn keep(&mut self, note: &Note) -> io::Result<()> {
        self.append(&Issued { note: note.clone(), token: None })
    }
}

struct Record {
    /// Bytes of its first line.
    head: u64,
    content: Vec<u8>,
}

/// The record that comes next; `None` at the end, and where a crash cut it off: short, or zeros where a file grew before
/// its bytes were there.
fn next(reader: &mut impl BufRead) -> io::Result<Option<Result<Record, &'static str>>> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD_BYTES_MAX).read_until(b'\n', &mut head)?;
    if head.iter().all(|byte| *byte == 0) && zeros(reader)? {
        return Ok(None);
    }
    let Some(line) = head.strip_suffix(b"\n") else {
        let torn = (head.len() as u64) < HEAD_BYTES_MAX;
        return Ok((!torn).then_some(Err("not the head of a record")));
    };
    let line = str::from_utf8(line).ok().and_then(|line| line.rsplit_once(' '));
    let line = line.filter(|(head, digits)| check(head) == *digits);
    let Some((length, digest)) = line.and_then(|(head, _)| head.split_once(' ')) else {
        return Ok(Some(Err("not the head of a record")));
    };
    let length = length.parse::<usize>().ok().filter(|length| *length <= CONTENT_BYTES_MAX);
    let Some(length) = length else { return Ok(Some(Err("not the length of a record"))) };
    let mut content = Vec::new();
    reader.by_ref().take(length as u64 + 1).read_to_end(&mut content)?;
    if content.len() <= length {
        return Ok(None);
    }
    if content.pop() != Some(b'\n') || sm3(&content).to_string() != digest {
        return Ok(Some(Err("a record does not have its digest")));
    }
    Ok(Some(Ok(Record { head: head.len() as u64, content })))
}

/// A damaged length must not make a record look cut off.
fn check(head: &str) -> String {
    let mut digits = sm3(head.as_bytes()).to_string();
    digits.truncate(8);
    digits
}

/// Whether nothing but zeros follows.
fn zeros(reader: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(true);
        }
        if chunk.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        let length = chunk.len();
        reader.consume(length);
    }
}

fn read(content: &[u8]) -> Option<Issued> {
    let content: Content = canonical::from_bytes(content, CONTENT_BYTES_MAX).ok()?;
    let note = Note::from_bytes(content.note.as_bytes()).ok()?;
    Checkpoint::of(&note).ok()?;
    let token = content.token.map(|text| decode(&text));
    Some(Issued { note, token: token.map_or(Some(None), |token| token.map(Some))? })
}

/// Size and worth.
fn of(issued: &Issued) -> (u64, usize) {
    let size = Checkpoint::of(&issued.note).map_or(0, |checkpoint| checkpoint.size);
    (size, issued.worth())
}

fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// A record whose next checkpoints all lack a witness is not searched for ever.
const LOOKED_AT_MAX: usize = 1_024;
const HEAD_BYTES_MAX: u64 = 128;
const CONTENT_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests;
