//! Signed notes (C2SP signed-note): a text, an empty line, and one line for each signature over the text.
//!
//! ```text
//! — <name> <base64(key id, 4 bytes ‖ signature)>
//! ```

mod key;

use std::fmt;

pub use key::{CosignerKey, LogKey, NoteKeyError, Signed, VerifierKey, is_key_name};

use crate::text::{self, TextError, from_base64, to_base64};

/// Largest note in bytes, signatures included.
pub const NOTE_BYTES_MAX: usize = 65_536;
/// Most signatures on a note. The convention asks verifiers for at least 16.
pub const SIGNATURES_MAX: usize = 64;

/// A note in its one form; its signatures are claims until a [`VerifierKey`] has checked them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// The first four bytes of the key's hash, to tell keys of one name apart; proves nothing.
    pub key_id: [u8; 4],
    /// What the key's type says it is.
    pub signature: Vec<u8>,
}

impl Note {
    /// A note without signatures yet.
    ///
    /// # Errors
    /// [`TextError`] if the text is empty, has control characters, or does not end with a newline.
    pub fn unsigned(text: &str) -> Result<Self, TextError> {
        let text = text::lines(text.as_bytes(), NOTE_BYTES_MAX)?;
        Ok(Self { text: text.to_owned(), signatures: Vec::new() })
    }

    /// Reads a note with at least one signature. [`to_string`](ToString::to_string) gives the same bytes back.
    ///
    /// # Errors
    /// [`TextError`]: anything but the one form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TextError> {
        let whole = text::lines(bytes, NOTE_BYTES_MAX)?;
        // The last empty line: the text may have others.
        let split = whole.rfind("\n\n").map(|at| at.saturating_add(1));
        let (text, block) = split.and_then(|at| whole.split_at_checked(at)).ok_or(SIGNATURES)?;
        let first = text.lines().count().saturating_add(2);
        let mut note = Self::unsigned(text)?;
        for (at, line) in block.split_terminator('\n').skip(1).enumerate() {
            let line_number = first.saturating_add(at);
            let wrong = TextError::Line { line: line_number, expected: "a signature" };
            note.add(NoteSignature::from_line(line).ok_or(wrong)?)?;
        }
        if note.signatures.is_empty() { Err(SIGNATURES) } else { Ok(note) }
    }

    /// Adds a signature at the end.
    ///
    /// # Errors
    /// [`TextError::Duplicate`], [`TextError::TooMany`] or [`TextError::TooLong`]; the note is unchanged then.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), TextError> {
        if self.signatures.len() >= SIGNATURES_MAX {
            return Err(TextError::TooMany { max: SIGNATURES_MAX });
        }
        let same = |s: &NoteSignature| s.name == signature.name && s.key_id == signature.key_id;
        if self.signatures.iter().any(same) {
            return Err(TextError::Duplicate);
        }
        let length = self.to_string().len().saturating_add(signature.to_string().len());
        if length.saturating_add(1) > NOTE_BYTES_MAX {
            return Err(TextError::TooLong { max: NOTE_BYTES_MAX });
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// What is signed, its last newline included.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in order.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(out, "{signature}"))
    }
}

impl NoteSignature {
    /// Reads a line, without its newline.
    #[must_use]
    pub fn from_line(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        let bytes = from_base64(encoded)?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        let whole = is_key_name(name) && !signature.is_empty();
        let signature = signature.to_vec();
        whole.then(|| Self { name: name.to_owned(), key_id: *key_id, signature })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.key_id.as_slice(), &self.signature].concat();
        write!(out, "{DASH}{} {}", self.name, to_base64(&bytes))
    }
}

/// An em dash and a space.
const DASH: &str = "\u{2014} ";
const SIGNATURES: TextError =
    TextError::Line { line: 0, expected: "an empty line and at least one signature" };
