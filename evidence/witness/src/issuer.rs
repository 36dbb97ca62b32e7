//! A log's side: which checkpoints are signed.

use std::io;

use changbai_merkle::{Checkpoint, LogKey, Note, ProofError, TextError};
use smkit::Sm3Digest;
use thiserror::Error;

use crate::store::NoteStore;

/// Signs the checkpoints of one log, each an extension of the one before.
#[derive(Debug)]
pub struct Issuer {
    key: LogKey,
    last: Option<Checkpoint>,
    broken: bool,
}

impl Issuer {
    /// Goes on after `last`, the newest note that the store holds.
    ///
    /// # Errors
    /// [`IssueError::Foreign`] if that note is of another log; [`IssueError::Text`] if it is no checkpoint.
    pub fn new(key: LogKey, last: Option<&Note>) -> Result<Self, IssueError> {
        let last = last.map(Checkpoint::of).transpose()?;
        if last.as_ref().is_some_and(|last| last.origin != key.verifier().name()) {
            return Err(IssueError::Foreign);
        }
        Ok(Self { key, last, broken: false })
    }

    /// Signs `head` if it extends the last checkpoint by `path` (a consistency proof), and gives the note once `store`
    /// has made it durable.
    ///
    /// # Errors
    /// [`IssueError`]; nothing signed has left then.
    pub fn issue(
        &mut self,
        head: &Checkpoint,
        path: &[Sm3Digest],
        store: &mut dyn NoteStore,
    ) -> Result<Note, IssueError> {
        if self.broken {
            return Err(IssueError::Broken);
        }
        if head.origin != self.key.verifier().name() {
            return Err(IssueError::Foreign);
        }
        match &self.last {
            Some(last) if head.size < last.size => {
                return Err(IssueError::Smaller { last: last.size, size: head.size });
            }
            Some(last) if head.size == last.size && head.root == last.root => {
                return Err(IssueError::Unchanged);
            }
            Some(last) => last.extended_by(head, path).map_err(|source| IssueError::Rewritten {
                last: last.size,
                size: head.size,
                source,
            })?,
            None => {}
        }
        let mut note = Note::unsigned(&head.to_string())?;
        note.add(self.key.sign(note.text()))?;
        store.keep(&note).map_err(|error| {
            // Whether the note is durable is not known: nothing that contradicts it may be signed.
            self.broken = true;
            IssueError::Store(error)
        })?;
        self.last = Some(head.clone());
        Ok(note)
    }

    /// The last checkpoint signed.
    #[must_use]
    pub const fn last(&self) -> Option<&Checkpoint> {
        self.last.as_ref()
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &LogKey {
        &self.key
    }
}

/// Why a checkpoint is not signed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The log has not grown.
    #[error("the last checkpoint says the same")]
    Unchanged,
    /// Of another log than the key.
    #[error("the checkpoint is of another log")]
    Foreign,
    /// The log is shorter than what was signed: an old copy of the ledger.
    #[error("a checkpoint over {last} leaves was signed, and the log has {size}")]
    Smaller {
        /// What was signed.
        last: u64,
        /// What the log has.
        size: u64,
    },
    /// The log does not continue what was signed.
    #[error("the log of {size} leaves does not extend the checkpoint over {last}: {source}")]
    Rewritten {
        /// What was signed.
        last: u64,
        /// What the log has.
        size: u64,
        /// What is wrong with the proof.
        source: ProofError,
    },
    /// The checkpoint has no text of the one form.
    #[error("not a checkpoint: {0}")]
    Text(#[from] TextError),
    /// The note could not be made durable.
    #[error("the checkpoint cannot be kept: {0}")]
    Store(io::Error),
    /// The store failed before; a restart reads what it holds.
    #[error("the store of checkpoints failed earlier")]
    Broken,
}
