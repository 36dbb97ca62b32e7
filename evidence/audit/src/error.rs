//! Why the log cannot be opened.

use std::path::{Path, PathBuf};

use changbai_core::process::JournalError;

/// Why the log cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file could not be created, read, cut or synced.
    #[error("the process log {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// What stands there is not what was written, and more follows: nothing is cut.
    #[error("the process log {} is damaged at byte {offset}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged frame begins.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// The file belongs to another channel.
    #[error("the process log {} is of the channel {found:?}", path.display())]
    OtherChannel {
        /// The file.
        path: PathBuf,
        /// The channel in the file.
        found: String,
    },
    /// The writing thread could not be started.
    #[error("the process log's thread: {0}")]
    Thread(#[source] std::io::Error),
}

impl OpenError {
    pub(crate) fn io(path: &Path) -> impl Fn(std::io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, offset: u64, what: &'static str) -> Self {
        Self::Damaged { path: path.to_owned(), offset, what }
    }
}

pub(crate) fn io(doing: &str, error: &std::io::Error) -> JournalError {
    JournalError::Io { reason: format!("{doing}: {error}") }
}

pub(crate) fn damaged(offset: u64, what: &str) -> JournalError {
    JournalError::Damaged { reason: format!("{what} at byte {offset}") }
}
