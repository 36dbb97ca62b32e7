//! Keeps a channel's blocks, what is derived from them, and what its validator has promised.
//!
//! It does not know what a block, a transaction or a vote is, verifies no signature, and holds no
//! lock on its directory: one process at a time is the caller's affair.
//!
//! # Model
//!
//! * [`BlockLog`]: append-only segments of frames, one `fdatasync` a block. The only durable truth.
//!   [`LogReader`] reads one without changing anything.
//! * [`ConsensusWal`]: votes and proposals of heights under way, flushed before they are sent, and
//!   the **floor**, the last block known to be durable in the block log.
//! * [`Index`]: an ordered map derived from the block log; it may be deleted at any time.
//!
//! One height goes: append and flush to the consensus log (before anything is sent) → append to the
//! block log → commit to the index → [`ConsensusWal::reset`]. A start goes: open the consensus log →
//! open the block log with its floor → open the index, rebuild it if it is damaged → apply the
//! blocks it lacks → replay the consensus log's entries of the next height.
//!
//! # Invariants
//!
//! * A block whose append has returned is never lost or cut silently; damage is refused with file
//!   and offset ([`StorageError::Corrupt`]).
//! * Nothing is served without its SM3 digest having been checked at that moment.
//! * A failed write or sync ends writing for good in this process ([`StorageError::Poisoned`]).
//! * The index is either intact as of some commit, or says that it is damaged.
//! * Every length read from disk is bounded before memory is taken ([`limits`]).
//!
//! # What cannot be told from a torn write
//!
//! A crash may spoil only the block log's last frame, one above the floor. After
//! [`ConsensusWal::close`] nothing is above the floor, and after the death of the process alone
//! only a block whose [`ConsensusWal::reset`] had not begun. So damage is mistaken for a torn write
//! only where it hits the **last frame, above the floor**: then that frame is cut off, reported in
//! [`LogRecovery::truncated`], and its block, whose body and votes the consensus log still holds, is
//! decided and written again. Undetected are:
//! * a power failure before a header slot of the consensus log reached the disk, **and** later
//!   damage to a record flushed after that slot: the log takes its own end for torn;
//! * the consensus log replaced by a copy at most one block old, or lost while the block log is at
//!   block 0 or 1: no block is lost, but votes of the height under way are forgotten. An older copy
//!   or a later loss is refused ([`StorageError::FloorMissing`]);
//! * both logs replaced by older copies of themselves: only other nodes, or the index, which keeps
//!   what it has applied, can know.
//!
//! # Standards
//!
//! SM3: GB/T 32905. LZ4 block format 1.6. CRC-32 (IEEE 802.3) and XXH3-128 guard against chance, not
//! against people: for those there are the block's own hash and its certificate.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use changbai_storage::{BlockLog, ConsensusWal, Files, LogOptions, StdFiles};
//!
//! # let dir = tempfile::tempdir()?;
//! # let dir = dir.path();
//! let files: Arc<dyn Files> = Arc::new(StdFiles);
//! let (mut wal, entries) = ConsensusWal::open(Arc::clone(&files), &dir.join("consensus.wal"))?;
//! assert!(entries.is_empty());
//! let (mut log, _) =
//!     BlockLog::open(files, &dir.join("blocks"), LogOptions::default(), wal.floor())?;
//! wal.append(0, 1, b"a vote")?;
//! wal.flush()?; // only now may the vote be sent
//! let position = log.append(0, b"a block", &[])?;
//! wal.reset(1)?;
//! assert_eq!(log.read(position)?, b"a block");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod digest;
mod error;
mod files;
pub mod frame;
mod index;
mod journal;
pub mod limits;
mod log;
#[cfg(feature = "mutations")]
pub mod mutation;
mod wal;

#[cfg(any(test, feature = "faults"))]
pub use files::faulty;

pub use error::StorageError;
pub use files::{DeferredSync, File, Files, ReadOnlyFiles, StdFiles};
pub use index::{Index, IndexBatch, IndexSnapshot, IndexState, KeyValue, MemoryIndex};
pub use journal::{Journal, Kept};
pub use log::{BlockLog, LogOptions, LogReader, LogRecovery, Position, Progress, Torn, Truncated};
pub use wal::{ConsensusWal, Entry, RecordError, decode_records};

#[cfg(test)]
mod tests;
