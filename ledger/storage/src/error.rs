//! What can go wrong below the ledger.

use std::io;
use std::path::{Path, PathBuf};

/// A failure of the block log, the index or the consensus log.
///
/// Only [`StorageError::IndexDamaged`] may be answered by deleting something: the index is derived.
/// Everything else is refused until a person, or another node's copy, repairs it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Bytes on disk are not what was made durable. Nothing was changed.
    #[error("{} is damaged at offset {offset}: {reason}", shown(.file))]
    Corrupt {
        /// The damaged file; the place where it should be when it is missing.
        file: PathBuf,
        /// First byte, from the start of the file, that is not as expected.
        offset: u64,
        /// What was expected there.
        reason: String,
    },
    /// The operating system refused.
    #[error("cannot {operation} {}", shown(.file))]
    Io {
        /// The file or directory in question.
        file: PathBuf,
        /// Verb for the message: `read`, `write`, `sync` …
        operation: &'static str,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The disk is full. Nothing of the operation counts, nothing was synced, and the same call may
    /// be made again once there is space: unlike a failed sync, a refused write leaves no doubt
    /// about what is durable.
    #[error("no space is left for {}", shown(.file))]
    Full {
        /// The file that could not grow.
        file: PathBuf,
    },
    /// An earlier write or sync of this file failed, so that what is on disk is unknown until the
    /// next start. Nothing more may be written or signed.
    #[error("{} took no more writes after an earlier failure", shown(.file))]
    Poisoned {
        /// The file that failed.
        file: PathBuf,
    },
    /// The block log is more than one block beyond what the consensus log knows of: that log was
    /// lost, or is an old copy. Signing on with it could contradict votes already sent.
    #[error(
        "the block log reaches block {height}, but its consensus log {}",
        .floor.map_or_else(|| "is new".to_owned(), |floor| format!("knows only block {floor}"))
    )]
    FloorMissing {
        /// Last block of the block log.
        height: u64,
        /// Last block that the consensus log knows to be durable.
        floor: Option<u64>,
    },
    /// A number does not follow the one before it. A mistake of the caller; nothing was written.
    #[error("expected number {expected}, got {got}")]
    OutOfOrder {
        /// The only acceptable number, or the least.
        expected: u64,
        /// What was given.
        got: u64,
    },
    /// The record is larger than [`crate::limits`] allows. Nothing was written.
    #[error("{bytes} bytes are more than the {bytes_max} allowed")]
    TooLarge {
        /// Size of the record.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// The block log has no such block.
    #[error("block {number} is not in the block log")]
    NotFound {
        /// The block asked for.
        number: u64,
    },
    /// The derived index cannot be trusted: delete it with [`crate::Index::destroy`] and rebuild it
    /// from the block log.
    #[error("the index is damaged: {reason}")]
    IndexDamaged {
        /// What was found.
        reason: String,
    },
}

impl StorageError {
    /// [`StorageError::Corrupt`] from its parts.
    #[must_use]
    pub fn corrupt(file: &Path, offset: u64, reason: impl Into<String>) -> Self {
        Self::Corrupt { file: file.to_owned(), offset, reason: reason.into() }
    }

    /// [`StorageError::IndexDamaged`], also for readers who find an entry of the wrong form.
    #[must_use]
    pub fn index_damaged(reason: String) -> Self {
        Self::IndexDamaged { reason }
    }

    /// Whether the same call may succeed later, with nothing lost and nothing in doubt.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// As [`StorageError::io`], for a write that may be repeated in the same place.
    pub(crate) fn write(file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { file: file.to_owned() }
            }
            _ => Self::Io { file: file.to_owned(), operation: "write", source },
        }
    }

    pub(crate) fn io(file: &Path, operation: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { file: file.to_owned(), operation, source }
    }
}

/// The last two components: enough to find the file below the data directory, and no more of the
/// machine's layout than that.
fn shown(path: &Path) -> String {
    let mut parts: Vec<_> = path.iter().rev().take(2).map(|p| p.to_string_lossy()).collect();
    parts.reverse();
    parts.join("/")
}
