//! What a log asks of a witness (C2SP tlog-witness): the body of `POST /add-checkpoint`.
//!
//! ```text
//! old <size>
//! <hash in base64>
//! …
//!
//! <checkpoint, a signed note>
//! ```

use std::fmt;

use smkit::Sm3Digest;

use crate::Note;
use crate::note::NOTE_BYTES_MAX;
use crate::text::{self, TextError, decimal, to_base64};

/// Most hashes of a consistency proof in a request.
pub const REQUEST_PATH_MAX: usize = 63;
/// Largest request in bytes.
pub const REQUEST_BYTES_MAX: usize = NOTE_BYTES_MAX + 4_096;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the witness cosigned last, as far as the log knows; 0 for none.
    pub old_size: u64,
    /// The consistency proof from there.
    pub path: Vec<Sm3Digest>,
    /// The checkpoint, signed by its log.
    pub note: Note,
}

impl AddCheckpoint {
    /// Reads a body; [`to_string`](ToString::to_string) gives the same bytes back.
    ///
    /// # Errors
    /// [`TextError`]: anything but the one form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TextError> {
        let text = text::lines(bytes, REQUEST_BYTES_MAX)?;
        let wrong = |line, expected| TextError::Line { line, expected };
        let (head, note) = text.split_once("\n\n").ok_or_else(|| wrong(0, "an empty line"))?;
        let mut lines = head.split('\n').enumerate().map(|(at, l)| (at.saturating_add(1), l));
        let old_size = lines.next().and_then(|(_, line)| decimal(line.strip_prefix("old ")?));
        let old_size = old_size.ok_or_else(|| wrong(1, "old <size>"))?;
        let mut path = Vec::new();
        for (number, line) in lines {
            if path.len() >= REQUEST_PATH_MAX {
                return Err(TextError::TooMany { max: REQUEST_PATH_MAX });
            }
            path.push(text::digest(line).ok_or_else(|| wrong(number, "a hash in base64"))?);
        }
        let note = Note::from_bytes(note.as_bytes())?;
        Ok(Self { old_size, path, note })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "old {}", self.old_size)?;
        for hash in &self.path {
            writeln!(out, "{}", to_base64(hash.as_bytes()))?;
        }
        write!(out, "\n{}", self.note)
    }
}
