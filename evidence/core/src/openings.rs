//! Where the openings of commitments are kept.

use crate::{commitment::Opening, record::Record};

/// Keeps the openings of a record's commitments, encrypted, with the agency. Calls block (they write and sync files);
/// [`EvidenceService`](crate::EvidenceService) moves them off the async threads through
/// [`Offload`](crate::service::Offload).
///
/// Openings belong to one record, by its digest and not by its id alone: an id whose submission had an unknown outcome
/// may be tried again with other salts, and neither attempt may overwrite or erase what the other one needs.
pub trait OpeningStore: Send + Sync {
    /// Keeps the openings of `record`, replacing what was there. Durable when it returns.
    ///
    /// # Errors
    /// [`OpeningStoreError`]; then nothing may be recorded that depends on them.
    fn put(&self, record: &Record, openings: &[Opening]) -> Result<(), OpeningStoreError>;

    /// The openings of `record`; `None` if there are none (never had any, or erased).
    ///
    /// # Errors
    /// [`OpeningStoreError::Damaged`] if they cannot be authenticated.
    fn openings(&self, record: &Record) -> Result<Option<Vec<Opening>>, OpeningStoreError>;

    /// Erases the openings of `record`: it stays provable, the values are gone. No error if there are none.
    ///
    /// # Errors
    /// [`OpeningStoreError::Io`].
    fn erase(&self, record: &Record) -> Result<(), OpeningStoreError>;
}

/// Why openings could not be kept or read. Never holds a value or a salt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningStoreError {
    /// The store could not be read or written.
    #[error("the store of openings failed: {reason}")]
    Io {
        /// Operation, file and cause.
        reason: String,
    },
    /// What is stored is not what was written.
    #[error("stored openings are damaged: {reason}")]
    Damaged {
        /// File, offset and cause.
        reason: String,
    },
}
