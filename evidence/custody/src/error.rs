//! What can go wrong in custody.

use std::io;
use std::path::{Path, PathBuf};

use smkit::Sm3Digest;

use crate::store::StoreError;

/// Why custody did not do what was asked. Never holds content or keys.
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
    /// The store of objects failed.
    #[error("{place}: {source}")]
    Store {
        /// Which object.
        place: String,
        /// What it said.
        source: StoreError,
    },
    /// What is stored is not what was written.
    #[error("{} is damaged at offset {offset}: {reason}", file.display())]
    Damaged {
        /// Which file or object.
        file: PathBuf,
        /// Where the damage was noticed.
        offset: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// The agency has the original's key, but the store has lost its object.
    #[error("{place} is missing from the store")]
    Missing {
        /// Which object.
        place: String,
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
    /// The keys of this original were destroyed.
    #[error("the original was erased: {reason}")]
    Erased {
        /// When, Unix milliseconds.
        at_ms: u64,
        /// As it was given.
        reason: String,
    },
    /// It must stay until then.
    #[error("the original must be kept until {until_ms} (Unix milliseconds)")]
    Locked {
        /// Unix milliseconds.
        until_ms: u64,
    },
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

    pub(crate) fn store(place: String) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Store { place, source }
    }

    /// Whether trying again later may help: nothing is known to be lost.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Store { source, .. } => !matches!(source, StoreError::Short),
            Self::Io { .. } => true,
            _ => false,
        }
    }
}
