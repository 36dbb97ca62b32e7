//! Checkpoints (C2SP tlog-checkpoint): the state of a log in three lines, the text of a [`Note`].

use std::fmt;

use smkit::Sm3Digest;

use crate::text::{self, TextError, decimal, to_base64};
use crate::{ConsistencyProof, Note, is_key_name};

/// A log's state: origin, number of leaves, root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log; also the name of its keys.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962 root over SM3.
    pub root: Sm3Digest,
}

impl Checkpoint {
    /// Reads the three lines; extension lines are refused, since nothing of ours writes any.
    ///
    /// # Errors
    /// [`TextError`]: anything but the one form.
    pub fn from_text(text: &str) -> Result<Self, TextError> {
        let text = text::lines(text.as_bytes(), CHECKPOINT_BYTES_MAX)?;
        let mut lines = text.split_terminator('\n');
        let wrong = |line, expected| TextError::Line { line, expected };
        let origin = lines.next().filter(|origin| is_key_name(origin));
        let origin = origin.ok_or_else(|| wrong(1, "an origin"))?.to_owned();
        let size = lines.next().and_then(decimal).ok_or_else(|| wrong(2, "a size"))?;
        let root =
            lines.next().and_then(text::digest).ok_or_else(|| wrong(3, "a root in base64"))?;
        match lines.next() {
            None => Ok(Self { origin, size, root }),
            Some(_) => Err(wrong(4, "no further line")),
        }
    }

    /// The checkpoint that a note states.
    ///
    /// # Errors
    /// As [`from_text`](Self::from_text).
    pub fn of(note: &Note) -> Result<Self, TextError> {
        Self::from_text(note.text())
    }

    /// Whether `newer` extends this one, as `path` claims.
    ///
    /// # Errors
    /// [`crate::ProofError`]; another origin is [`crate::ProofError::Root`].
    pub fn extended_by(&self, newer: &Self, path: &[Sm3Digest]) -> Result<(), crate::ProofError> {
        if self.origin != newer.origin {
            return Err(crate::ProofError::Root);
        }
        let (old_size, new_size) = (self.size, newer.size);
        let proof = ConsistencyProof { old_size, new_size, path: path.to_vec() };
        proof.verify(&self.root, &newer.root)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n{}\n{}", self.origin, self.size, to_base64(self.root.as_bytes()))
    }
}

const CHECKPOINT_BYTES_MAX: usize = 1_024;
