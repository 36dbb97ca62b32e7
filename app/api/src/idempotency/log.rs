//! Answers on disk: two append-only generations, the older dropped when the younger is full.
//!
//! Frame: `u32 length ‖ payload ‖ SM3(payload)`, big endian; payload = key(32) ‖ request(32) ‖
//! u64 expiry in ms ‖ u16 status ‖ u16 length of location ‖ location ‖ body. Written without fsync: what a
//! power cut takes, the duplicate key of the domain gives back. A file is read up to its first damaged
//! frame and cut there.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use smkit::sm3::{Sm3Digest, sm3};

use super::{AnswerStore, StoredAnswer};

const PAYLOAD_BYTES_MAX: usize = 64 << 10;
const FIXED_BYTES: usize = 32 + 32 + 8 + 2 + 2;
const NAMES: [&str; 2] = ["answers.0", "answers.1"];

/// The answers of one node, in two files of a directory of their own. One owner at a time: the caller
/// holds the data directory's lock.
#[derive(Debug)]
pub struct AnswerLog {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    generation_max: usize,
    young: Generation,
    old: Generation,
}

#[derive(Debug)]
struct Generation {
    file: File,
    name: &'static str,
    end: u64,
    places: HashMap<Sm3Digest, Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    length: u32,
}

impl AnswerLog {
    /// Opens or creates the files in `dir`; damaged tails are cut and logged. Keeps at most
    /// `entries_max` answers.
    ///
    /// # Errors
    /// When the directory cannot be created or the files cannot be opened, read or cut.
    pub fn open(dir: &Path, entries_max: usize) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let [first, second] = NAMES;
        let (a, b) = (Generation::open(dir, first)?, Generation::open(dir, second)?);
        // The file written to last is the younger one; a wrong guess only changes which goes first.
        let modified = |g: &Generation| g.file.metadata().and_then(|m| m.modified()).ok();
        let (young, old) = if modified(&a) >= modified(&b) { (a, b) } else { (b, a) };
        let generation_max = (entries_max / 2).max(1);
        let inner = Inner { dir: dir.to_owned(), generation_max, young, old };
        Ok(Self { inner: Mutex::new(inner) })
    }

    /// Answers kept now, expired ones of a generation not yet dropped included.
    #[must_use]
    pub fn len(&self) -> usize {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.young.places.len() + inner.old.places.len()
    }

    /// True when no answer is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl AnswerStore for AnswerLog {
    fn get(&self, key: &Sm3Digest, now_ms: u64) -> Option<StoredAnswer> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let generation =
            [&inner.young, &inner.old].into_iter().find(|g| g.places.contains_key(key))?;
        match generation.read(key) {
            Ok(answer) => Some(answer).filter(|answer| now_ms < answer.expires_ms),
            Err(error) => {
                tracing::warn!(file = generation.name, %error, "api::idempotency answer unreadable");
                None
            }
        }
    }

    fn put(&self, key: &Sm3Digest, answer: &StoredAnswer) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = inner.append(key, answer) {
            tracing::warn!(%error, "api::idempotency answer not kept");
        }
    }
}

impl Inner {
    fn append(&mut self, key: &Sm3Digest, answer: &StoredAnswer) -> io::Result<()> {
        if self.young.places.len() >= self.generation_max {
            let fresh = Generation::create(&self.dir, self.old.name)?;
            self.old = std::mem::replace(&mut self.young, fresh);
        }
        self.young.append(key, answer)
    }
}

impl Generation {
    fn create(dir: &Path, name: &'static str) -> io::Result<Self> {
        let file = options().truncate(true).open(dir.join(name))?;
        Ok(Self { file, name, end: 0, places: HashMap::new() })
    }

    fn open(dir: &Path, name: &'static str) -> io::Result<Self> {
        let file = options().truncate(false).open(dir.join(name))?;
        let length = file.metadata()?.len();
        let mut generation = Self { file, name, end: 0, places: HashMap::new() };
        generation.scan()?;
        if generation.end < length {
            let (offset, bytes) = (generation.end, length - generation.end);
            tracing::warn!(file = name, offset, bytes, "api::idempotency damaged tail cut");
            generation.file.set_len(generation.end)?;
        }
        Ok(generation)
    }

    fn scan(&mut self) -> io::Result<()> {
        let mut reader = BufReader::new(&self.file);
        reader.seek(SeekFrom::Start(0))?;
        let mut payload = Vec::new();
        while let Some(length) = next_frame(&mut reader, &mut payload)? {
            let Some((key, _)) = decode(&payload) else { break };
            self.places.insert(key, Place { offset: self.end, length });
            self.end += u64::from(length) + 36;
        }
        Ok(())
    }

    fn append(&mut self, key: &Sm3Digest, answer: &StoredAnswer) -> io::Result<()> {
        let payload = encode(key, answer);
        let length =
            u32::try_from(payload.len()).ok().filter(|_| payload.len() <= PAYLOAD_BYTES_MAX);
        let length = length.ok_or_else(|| invalid("the answer is too large to keep"))?;
        let mut frame = Vec::with_capacity(payload.len() + 36);
        frame.extend_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&payload);
        frame.extend_from_slice(sm3(&payload).as_bytes());
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&frame)?;
        self.places.insert(*key, Place { offset: self.end, length });
        self.end += u64::from(length) + 36;
        Ok(())
    }

    fn read(&self, key: &Sm3Digest) -> io::Result<StoredAnswer> {
        let place = self.places.get(key).ok_or_else(|| invalid("no such answer"))?;
        let length = usize::try_from(place.length).map_err(|_| invalid("too long"))?;
        let mut bytes = vec![0; length + 32];
        self.file.read_exact_at(&mut bytes, place.offset + 4)?;
        let (payload, check) = bytes.split_at(length);
        if sm3(payload).as_bytes().as_slice() != check {
            return Err(invalid("the frame fails its digest"));
        }
        match decode(payload) {
            Some((stored, answer)) if stored == *key => Ok(answer),
            _ => Err(invalid("the frame holds another key")),
        }
    }
}

// Ok(None) at the end of the file or of its readable part; errors are the disk's own.
fn next_frame(reader: &mut impl Read, payload: &mut Vec<u8>) -> io::Result<Option<u32>> {
    let (mut length, mut check) = ([0; 4], [0; 32]);
    if !filled(reader, &mut length)? {
        return Ok(None);
    }
    let length = u32::from_be_bytes(length);
    let Some(size) = usize::try_from(length).ok().filter(|size| *size <= PAYLOAD_BYTES_MAX) else {
        return Ok(None);
    };
    payload.resize(size, 0);
    if !filled(reader, payload)? || !filled(reader, &mut check)? {
        return Ok(None);
    }
    Ok((sm3(payload).as_bytes() == &check).then_some(length))
}

fn filled(reader: &mut impl Read, into: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(into) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn encode(key: &Sm3Digest, answer: &StoredAnswer) -> Vec<u8> {
    let location = u16::try_from(answer.location.len()).map_or("", |_| answer.location.as_str());
    let mut out = Vec::with_capacity(FIXED_BYTES + location.len() + answer.body.len());
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(answer.request.as_bytes());
    out.extend_from_slice(&answer.expires_ms.to_be_bytes());
    out.extend_from_slice(&answer.status.to_be_bytes());
    out.extend_from_slice(&u16::try_from(location.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(location.as_bytes());
    out.extend_from_slice(&answer.body);
    out
}

fn decode(payload: &[u8]) -> Option<(Sm3Digest, StoredAnswer)> {
    let (key, rest) = payload.split_first_chunk::<32>()?;
    let (request, rest) = rest.split_first_chunk::<32>()?;
    let (expires, rest) = rest.split_first_chunk::<8>()?;
    let (status, rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (location, body) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let answer = StoredAnswer {
        request: Sm3Digest::new(*request),
        expires_ms: u64::from_be_bytes(*expires),
        status: u16::from_be_bytes(*status),
        location: String::from_utf8(location.to_vec()).ok()?,
        body: body.to_vec(),
    };
    Some((Sm3Digest::new(*key), answer))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    options
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
