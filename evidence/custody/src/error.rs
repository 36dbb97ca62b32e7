//! What can go wrong in the store.

use std::io;
use std::path::{Path, PathBuf};

use smkit::Sm3Digest;

/// Why the store did not do what was asked. Never holds content or keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// The system refused.
    #[error("cannot {operation} {}", file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// What was tried.
        operation: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What is stored is not what was written.
    #[error("{} is damaged at offset {offset}: {reason}", file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// Where the damage was noticed.
        offset: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The original is larger than allowed.
    #[error("the original has more than {bytes_max} bytes")]
    TooLarge {
        /// The bound.
        bytes_max: u64,
    },
    /// No original of this digest is held here.
    #[error("no original with SM3 {0} is held here")]
    NotHeld(Sm3Digest),
    /// No randomness was to be had, or sealing failed.
    #[error("sealing failed: {0}")]
    Seal(&'static str),
}

impl CustodyError {
    pub(crate) fn io(file: &Path, operation: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { file: file.to_owned(), operation, source }
    }

    pub(crate) fn damaged(file: &Path, offset: u64, reason: &'static str) -> Self {
        Self::Damaged { file: file.to_owned(), offset, reason }
    }
}
