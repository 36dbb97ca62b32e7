//! Sign checkpoints of a log, cosign those of others, and prove it where a log shows two histories.
//!
//! It does **not** open files or sockets, read a clock or know HTTP: what has to be durable goes through [`NoteStore`],
//! time is given. It does not say whether a record is right; that is `changbai-receipt`.
//!
//! # Model
//! - [`Issuer`] is a log's side: it signs a checkpoint only if it extends the last one, and hands the signature out only
//!   once the note is durable.
//! - [`Witness`] is somebody else's side (见证人: a court, a notary, another agency): per log one last checkpoint; a new
//!   one is cosigned if its log signed it and it provably extends the last, after the new one is durable.
//! - [`Monitor`] is anybody's side: it compares what nodes and witnesses show with each other and with what they showed
//!   before. What contradicts is a [`Misbehaviour`], a document that convinces whoever holds the log's keys.
//!
//! **Invariants**
//! - No two roots are signed for one size, and no smaller size after a larger one, across restarts.
//! - A signature does not exist outside before its note is durable.
//! - A store that failed once is not asked again: what it holds is not known any more.
//!
//! # Standards
//! In the shape of C2SP tlog-checkpoint, tlog-cosignature and tlog-witness, with SM2 and SM3
//! (GB/T 32918, GB/T 32905); see `docs/transparency.md`.
//!
//! ```
//! use changbai_witness::{Issuer, Witness, WitnessedLog, Memory};
//! use changbai_merkle::{AddCheckpoint, Checkpoint, CosignerKey, Frontier, LogKey, leaf_hash};
//! use smkit::{OsRandom, sm2::{PrivateKey, SignerId, SigningKey}};
//!
//! let key = || SigningKey::new(PrivateKey::generate(&mut OsRandom).unwrap(), SignerId::DEFAULT).unwrap();
//! let log = LogKey::new("changbai/log/city/00", key())?;
//! let court = CosignerKey::new("court.example", key())?;
//! let known = WitnessedLog::new("changbai/log/city/00", vec![log.verifier().clone()], None)?;
//! let mut witness = Witness::new(court, vec![known])?;
//! let mut issuer = Issuer::new(log, None)?;
//!
//! let mut tree = Frontier::new();
//! tree.append(leaf_hash(b"a transaction"), &mut |_, _| ())?;
//! let head = Checkpoint { origin: "changbai/log/city/00".to_owned(), size: 1, root: tree.root() };
//! let mut note = issuer.issue(&head, &[], &mut Memory::default())?;
//! let ask = AddCheckpoint { old_size: 0, path: Vec::new(), note: note.clone() };
//! note.add(witness.add_checkpoint(&ask, 1_795_000_000, &mut Memory::default())?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod issuer;
mod misbehaviour;
mod monitor;
mod store;
#[cfg(test)]
mod tests;
mod witness;

pub use issuer::{IssueError, Issuer};
pub use misbehaviour::{Contradiction, MISBEHAVIOUR_BYTES_MAX, Misbehaviour, MisbehaviourError};
pub use monitor::{Monitor, Observation};
pub use store::{Memory, NoteStore};
pub use witness::{AddError, Witness, WitnessError, WitnessedLog};
