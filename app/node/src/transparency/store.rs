//! The checkpoints of one log on disk: `checkpoints.log`, append-only, read whole at the start.
//!
//! A record is `<length> <SM3 of the content>\n<content>\n`, the content canonical JSON with the note and, where there
//! is one, the time-stamp token. Records of one size supersede each other: the note gains cosignatures and a token.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
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
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (mut end, mut places) = (0, BTreeMap::new());
        while let Some(record) = next(bytes.get(end..).unwrap_or_default()) {
            let Record { head, content, whole } = record.map_err(|reason| {
                let what = format!("{}: offset {end}: {reason}", path.display());
                io::Error::new(io::ErrorKind::InvalidData, what)
            })?;
            let offset = (end + head) as u64;
            let (size, worth) = read(content).map(|issued| of(&issued)).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("{}: offset {end}: not a checkpoint", path.display()),
                )
            })?;
            places.insert(size, Place { offset, length: content.len(), worth });
            end += whole;
        }
        if end < bytes.len() {
            tracing::warn!(file = %path.display(), bytes = bytes.len() - end, "node::torn_checkpoint_removed");
            file.set_len(end as u64)?;
            file.sync_all()?;
        }
        Ok(Self { path: path.to_owned(), file, end: end as u64, places })
    }

    /// Appends; durable when this returns.
    pub(crate) fn append(&mut self, issued: &Issued) -> io::Result<()> {
        let token = issued.token.as_deref().map(encode);
        let content = Content { note: issued.note.to_string(), token };
        let content = canonical::to_bytes(&content).map_err(io::Error::other)?;
        let head = format!("{} {}\n", content.len(), sm3(&content));
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

struct Record<'a> {
    head: usize,
    content: &'a [u8],
    whole: usize,
}

/// The record at the beginning of `bytes`; `None` at the end, and where a crash cut it off.
fn next(bytes: &[u8]) -> Option<Result<Record<'_>, &'static str>> {
    if bytes.iter().all(|byte| *byte == 0) {
        // The end, or a file that grew before its bytes were there.
        return None;
    }
    let Some(head) = bytes.iter().take(HEAD_BYTES_MAX).position(|byte| *byte == b'\n') else {
        return (bytes.len() >= HEAD_BYTES_MAX).then_some(Err("not the head of a record"));
    };
    let line = bytes.get(..head).and_then(|line| str::from_utf8(line).ok());
    let Some((length, digest)) = line.and_then(|line| line.split_once(' ')) else {
        return Some(Err("not the head of a record"));
    };
    let Some(length) = length.parse::<usize>().ok().filter(|length| *length <= CONTENT_BYTES_MAX)
    else {
        return Some(Err("not the length of a record"));
    };
    let head = head + 1;
    let content = bytes.get(head..head + length)?;
    bytes.get(head + length)?;
    if sm3(content).to_string() != digest {
        return Some(Err("a record does not have its digest"));
    }
    Some(Ok(Record { head, content, whole: head + length + 1 }))
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
const HEAD_BYTES_MAX: usize = 128;
const CONTENT_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests;
