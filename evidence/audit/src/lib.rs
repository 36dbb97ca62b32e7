//! Keeps the process log (全程留痕) of a node: each step of each record's life, signed, chained, in one file.
//!
//! It does **not** decide what is logged, know a ledger or judge a log that somebody hands in (`changbai-receipt` does).
//!
//! # Model
//!
//! What an entry, a chain and a page are says [`changbai_core::process`]. Steps are queued; one thread takes whatever
//! waits, gives each its place in its record's chain, signs the Merkle root over them, and makes them durable with one
//! write and one sync. Whoever waits for a step waits for that sync, together with all others; steps that nobody waits
//! for share the next one, or are written a moment later. An index of the chains' ends is kept in memory (about 40
//! bytes a record) and rebuilt from the file at the start; links lead from each entry to the one before it.
//!
//! Now and then the node puts the root over the heads of all chains that grew on the ledger ([`DueAnchor`]), with the
//! hash of the last page. Pages are linked, so whatever is taken out of the log, or written anew, later is missed.
//!
//! # Invariants
//!
//! - Nothing is read that is not durable.
//! - A page holds what was signed, or whoever reads it is told where it does not.
//! - After a failed write or sync nothing more is taken.
//! - Only a write that a crash tore is cut; damage before a whole frame is refused.
//!
//! # Standards
//!
//! SF/T 0076-2020 clause 6, GB/T 32918.2 (SM2), GB/T 32905 (SM3), RFC 6962 §2.1 (trees).
//!
//! # Example
//!
//! ```
//! use changbai_audit::{ProcessLog, Signer};
//! use changbai_core::process::{Actor, NewEntry, ProcessJournal, Step};
//! use changbai_core::RecordTime;
//! use smkit::sm2::{PrivateKey, SignerId, SigningKey};
//! use smkit::{OsRandom, sm3::sm3};
//!
//! let dir = tempfile::tempdir()?;
//! let key = SigningKey::new(PrivateKey::generate(&mut OsRandom)?, SignerId::DEFAULT)?;
//! let log = ProcessLog::open(dir.path(), "changchun", Signer { key, certificate: vec![0x30, 0] })?;
//! log.note(vec![NewEntry {
//!     record: "CC22010011220100MB9999999R2026112200000000012ZU".parse()?,
//!     record_sm3: sm3(b"the record"),
//!     step: Step::Viewed,
//!     at: RecordTime { at_ms: 1_795_312_800_000, bound_us: Some(900) },
//!     actor: Actor::PUBLIC,
//!     detail: sm3(b"the record"),
//! }])?;
//! log.close();
//! assert_eq!(log.chain(&sm3(b"the record"), 10)?.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod anchor;
mod error;
mod frame;
pub mod limits;
mod log;
mod scan;
mod tree;
mod writer;

pub use anchor::DueAnchor;
pub use error::OpenError;
pub use frame::Head;
pub use log::{ProcessLog, Signer};
pub use scan::Recovery;
