//! A leaf's inclusion in a checkpoint as one file (in the shape of C2SP tlog-proof), extension `.tlog-proof`.
//!
//! ```text
//! changbai/tlog-proof/v1
//! extra <base64>
//! index <n>
//! <hash in base64, the leaf's sibling first>
//! …
//!
//! <checkpoint, a signed note, as it stands>
//! ```
//!
//! `extra` is optional and not covered by a signature: it is worth what the leaf that is computed from it proves. The
//! version line is ours, because the tree's hash is SM3.

use std::fmt;

use smkit::Sm3Digest;
use thiserror::Error;

use crate::note::NOTE_BYTES_MAX;
use crate::text::{self, TextError, decimal, from_base64, to_base64};
use crate::{Checkpoint, InclusionProof, Note, PATH_LEN_MAX, ProofError};

/// The first line.
pub const TLOG_PROOF_VERSION: &str = "changbai/tlog-proof/v1";
/// Most bytes that `extra` says.
pub const EXTRA_BYTES_MAX: usize = 65_535;
const FILE_BYTES_MAX: usize = NOTE_BYTES_MAX + 2 * EXTRA_BYTES_MAX + 64 * PATH_LEN_MAX;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Whatever helps a reader to find the leaf; ours holds the leaf's data.
    pub extra: Option<Vec<u8>>,
    /// The leaf's place in the log, from 0.
    pub index: u64,
    /// Sibling hashes, the leaf's first.
    pub path: Vec<Sm3Digest>,
    /// The checkpoint, with the signatures that were there.
    pub note: Note,
}

impl TlogProof {
    /// Reads a file; [`to_string`](ToString::to_string) gives the same bytes back.
    ///
    /// # Errors
    /// [`TextError`]: anything but the one form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TextError> {
        let text = text::lines(bytes, FILE_BYTES_MAX)?;
        let wrong = |line, expected| TextError::Line { line, expected };
        let (head, note) = text.split_once("\n\n").ok_or_else(|| wrong(0, "an empty line"))?;
        let mut lines = head.split('\n').enumerate().map(|(at, l)| (at.saturating_add(1), l));
        let mut next = || lines.next().unwrap_or_default();
        if next().1 != TLOG_PROOF_VERSION {
            return Err(wrong(1, TLOG_PROOF_VERSION));
        }
        let (mut number, mut line) = next();
        let mut extra = None;
        if let Some(encoded) = line.strip_prefix("extra ") {
            let bytes = from_base64(encoded).filter(|bytes| bytes.len() <= EXTRA_BYTES_MAX);
            extra = Some(bytes.ok_or_else(|| wrong(number, "base64"))?);
            (number, line) = next();
        }
        let index = line.strip_prefix("index ").and_then(decimal);
        let index = index.ok_or_else(|| wrong(number, "index <n>"))?;
        let mut path = Vec::new();
        for (number, line) in lines {
            if path.len() >= PATH_LEN_MAX {
                return Err(TextError::TooMany { max: PATH_LEN_MAX });
            }
            path.push(text::digest(line).ok_or_else(|| wrong(number, "a hash in base64"))?);
        }
        let note = Note::from_bytes(note.as_bytes())?;
        Ok(Self { extra, index, path, note })
    }

    /// Verifies that `leaf` (a [`leaf_hash`](crate::leaf_hash)) is where the file says in the checkpoint that it
    /// carries, and gives that checkpoint. Who signed it is still to be checked.
    ///
    /// # Errors
    /// [`TlogProofError`].
    pub fn verify(&self, leaf: &Sm3Digest) -> Result<Checkpoint, TlogProofError> {
        let checkpoint = Checkpoint::of(&self.note)?;
        let (index, size, path) = (self.index, checkpoint.size, self.path.clone());
        InclusionProof { index, size, path }.verify(leaf, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{TLOG_PROOF_VERSION}")?;
        if let Some(extra) = &self.extra {
            writeln!(out, "extra {}", to_base64(extra))?;
        }
        writeln!(out, "index {}", self.index)?;
        for hash in &self.path {
            writeln!(out, "{}", to_base64(hash.as_bytes()))?;
        }
        write!(out, "\n{}", self.note)
    }
}

/// Why a file does not prove a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlogProofError {
    /// Its note is no checkpoint.
    #[error("the note is not a checkpoint: {0}")]
    Checkpoint(#[from] TextError),
    /// The path does not lead to the checkpoint's root.
    #[error(transparent)]
    Path(#[from] ProofError),
}
