//! Build, identify and submit evidence records, and read them back from a ledger.
//!
//! It does **not** know HTTP, files, threads or how a ledger works: a ledger is whatever implements
//! [`LedgerClient`], the time is whatever implements [`changbai_wire::time::Clock`], and salts come from an
//! [`smkit::Random`]. It does not judge bundles (`changbai-receipt`) and keeps no originals (`changbai-custody`).
//!
//! # Model
//!
//! A [`Record`] (存证记录) is one canonical JSON document: who (agency, submitter), what (business type with its
//! fields, the originals as SM3 digests), when (time with its error bound) and how collected. Its name is an
//! [`EvidenceId`] of 47 characters that can be checked offline. Personal values are never in it: it carries salted
//! [`Commitment`]s, whose [`Opening`]s stay with the agency. [`EvidenceService`] validates a [`Submission`], builds
//! the record, and has the evidence contract write it; [`contract`] holds the names, keys and encodings that the
//! service and the contract share.
//!
//! # Invariants
//!
//! - Two different byte strings never parse to the same record: parsing re-encodes and compares.
//! - No personal value and no file name is ever part of a record, an error or a `Debug` output.
//! - One submission key (organisation, submitter, business type, originals) has at most one record.
//! - A submission is reported as recorded only after the ledger made it durable; when its outcome is not known, the
//!   error says so ([`SubmitError::OutcomeUnknown`]).
//!
//! # Standards
//!
//! GB 32100 (unified social credit code), ISO 7064 MOD 37,36 (check character), RFC 8785 (canonical JSON, the subset
//! of sorted ASCII keys, strings and integers), GB/T 2260 (region), GB/T 32905 (SM3).
//!
//! # Example
//!
//! ```
//! use changbai_core::EvidenceId;
//!
//! let id: EvidenceId = "CC22010011220100MB9999999R2026112200000000012ZU".parse()?;
//! assert_eq!(id.region(), "220100");
//! assert_eq!(id.serial(), 1119);
//! // One wrong character is noticed without asking anybody.
//! assert!("CC22010011220100MB9999999R2026112200000000013ZU".parse::<EvidenceId>().is_err());
//! # Ok::<(), changbai_core::EvidenceIdError>(())
//! ```

pub mod batch;
pub mod business;
pub mod canonical;
mod check;
pub mod codes;
pub mod commitment;
pub mod contract;
pub mod court;
pub mod date;
pub mod directory;
pub mod domain;
pub mod evidence_id;
pub mod ledger;
pub mod limits;
pub mod openings;
pub mod process;
pub mod record;
pub mod service;
mod text;
pub mod transaction_log;
pub mod uscc;

pub use batch::{BatchEntry, BatchEntryError, BatchLeaf, BatchRoot, BatchTree, LeafError};
pub use business::{BusinessType, FieldError, FieldSpec};
pub use codes::{ErrorCode, Kind};
pub use commitment::{Commitment, Opening};
pub use court::{CaseNumber, CaseSecret};
pub use date::CivilDate;
pub use evidence_id::{EvidenceId, EvidenceIdError};
pub use ledger::{
    Committed, ConfigurationProof, LedgerClient, LedgerError, LedgerProof, LedgerStatus,
};
pub use openings::{OpeningStore, OpeningStoreError};
pub use record::{
    Agency, Collection, CustodyMode, OriginalRef, Record, RecordError, RecordParts, RecordTime,
    SubmitterRef,
};
pub use service::{
    Admission, Admitted, AgencyProfile, CourtQuery, EvidenceService, Handed, Listed, Page, Query,
    QueryError, Stored, Submission, SubmitError, Submitted, Submitter, TimeGate, TimeRefusal,
};
pub use transaction_log::{LogHead, TransactionLog, log_origin};
pub use uscc::{Uscc, UsccError};
