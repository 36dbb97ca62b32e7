//! Whole channels as files, for operators: check a block log that nobody runs, write it out in a
//! form that any vendor reads, take such a file in again.
//!
//! Nothing here trusts the bytes it is given. A channel's genesis block is the anchor; from there
//! each block must continue the one before it and carry the certificate of the validators of its
//! height. What that proves, and what it does not, is told in `docs/export-format.md`.

mod chain;
mod container;
mod export;
mod import;
mod manifest;
mod verify;

use std::io;

use changbai_storage::StorageError;

pub use export::{Exported, export};
pub use import::{Import, ImportMode, Imported, import};
pub use manifest::{ExportReader, Manifest};
pub use verify::{LogCheck, LogReport, Scratch, verify_log};

/// Why a channel cannot be checked, written out or taken in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// A file of the ledger is damaged, with file and offset, or cannot be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The export is not one, or is damaged.
    #[error("the export is damaged at offset {offset}: {reason}")]
    Format {
        /// Where, in bytes from its start.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// A block of the export does not belong where it stands, or is not proven.
    #[error("block {number}: {reason}")]
    Block {
        /// Its number.
        number: u64,
        /// What is wrong.
        reason: String,
    },
    /// The export cannot be read or written.
    #[error("cannot {operation} the export")]
    Io {
        /// `read` or `write`.
        operation: &'static str,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// It would be wrong to do it here.
    #[error("refused: {0}")]
    Refused(String),
}

impl ArchiveError {
    fn block(number: u64, reason: impl Into<String>) -> Self {
        Self::Block { number, reason: reason.into() }
    }
}
