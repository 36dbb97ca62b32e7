//! Where process logs are kept.

use smkit::sm3::Sm3Digest;

use super::{Entry, NewEntry, ProcessDocument};
use crate::ledger::BoxFuture;

/// A node's process log, as the evidence floor and the API use it.
pub trait ProcessJournal: Send + Sync {
    /// Logs steps, in order, after everything that was handed over before. They are queued when this returns, and
    /// durable when the future says so; dropping it takes nothing back. Entries of one call stand together.
    ///
    /// The future fails if they could not be made durable: then nothing may be done that must not go unlogged.
    fn append(&self, steps: Vec<NewEntry>) -> BoxFuture<'static, Result<(), JournalError>>;

    /// Logs steps that nobody waits for: they become durable with the next ones that somebody waits for, or a moment
    /// later.
    ///
    /// # Errors
    /// [`JournalError::Busy`] or [`JournalError::Stopped`]; nothing was taken.
    fn note(&self, steps: Vec<NewEntry>) -> Result<(), JournalError>;

    /// The durable entries of the record with these bytes, first to last, at most `limit`; none if there are none.
    /// Reads files.
    ///
    /// # Errors
    /// [`JournalError`].
    fn chain(&self, record_sm3: &Sm3Digest, limit: usize) -> Result<Vec<Entry>, JournalError>;

    /// The first `limit` durable entries of the record with what proves them; `None` if there are none. Reads files.
    ///
    /// # Errors
    /// [`JournalError`].
    fn document(
        &self,
        record_sm3: &Sm3Digest,
        limit: usize,
    ) -> Result<Option<ProcessDocument>, JournalError>;
}

/// Why a step could not be logged, or a log not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// As many entries wait as may; nothing was taken.
    #[error("too many entries of the process log wait to be written")]
    Busy,
    /// The log can no longer be written: what was handed over may be lost, and nothing more is taken.
    #[error("the process log has stopped: {reason}")]
    Stopped {
        /// Operation, file and cause.
        reason: String,
    },
    /// The log could not be read.
    #[error("the process log cannot be read: {reason}")]
    Io {
        /// Operation, file and cause.
        reason: String,
    },
    /// What is stored is not what was written.
    #[error("the process log is damaged: {reason}")]
    Damaged {
        /// File, offset and what is wrong there.
        reason: String,
    },
}
