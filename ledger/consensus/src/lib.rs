//! Decides, among validators of whom fewer than a third may lie, which block comes next.
//!
//! It does not send, store, wait or build anything: it takes events and returns actions. Bodies
//! of blocks, the write-ahead log, timers and the network are the caller's; so is the judgement
//! whether a body is valid.
//!
//! # Model
//!
//! Malachite's sans-I/O core (Tendermint) is wrapped by one type, [`Engine`]. It votes on 32-byte
//! header hashes. The caller owns it on one thread, gives it one [`Event`] at a time and performs
//! the returned [`Action`]s **in order**:
//!
//! ```text
//! start(h) ─► RoundStarted ─► NeedBlock ─► (build, store, send body) ─► Built
//!          ─► Wal… Flush Broadcast(proposal, votes) ─► (peers) ─► Message, Validated …
//!          ─► Flush Decided ─► (block + certificate durable) Finalized ─► start(h+1)
//! ```
//!
//! After a crash, [`Engine::recover`] replays the records of the height that was open. A node that
//! missed a height gets [`Event::Synced`] with the certificate and then the validated body.
//!
//! # Invariants
//!
//! - Nothing that carries an own signature is in an action list before an [`Action::Flush`] that
//!   follows every record appended so far.
//! - One statement per (height, round, kind): the engine refuses to sign a second one, even if the
//!   core asks for it, and halts when its key turns out to have signed elsewhere.
//! - A height never starts twice, nor after a higher one.
//! - After any [`EngineError`], or a panic inside, every call fails: no voting on doubt.
//! - The same events give the same actions; no clock and no randomness reaches them.
//! - What peers send is bounded ([`limits`]) and never an error, only [`Action::Refused`].
//!
//! # Standards
//!
//! GB/T 32918.2 (SM2 signatures) and GB/T 32905 (SM3). Votes are signed over
//! [`changbai_wire::Vote::sign_bytes`], proposals over [`ProposalStatement::sign_bytes`].
//!
//! # Example
//!
//! A channel with one validator decides as soon as its block is built:
//!
//! ```
//! use changbai_consensus::{Action, Engine, Event, Member, ValidatorSet};
//! use smkit::{OsRandom, sm2::{PrivateKey, SignerId, SigningKey}, sm3};
//!
//! let key = SigningKey::new(PrivateKey::generate(&mut OsRandom)?, SignerId::DEFAULT)?;
//! let set = ValidatorSet::new(vec![Member::new(key.verifying_key().clone())])?;
//!
//! let mut engine = Engine::new("evidence", Some(key), 1, set.clone());
//! let asked = engine.start(1, set.clone())?;
//! assert!(asked.contains(&Action::NeedBlock { height: 1, round: 0 }));
//!
//! let actions = engine.step(Event::Built { height: 1, round: 0, block: sm3(b"header") })?;
//! let decided = actions.iter().find_map(|action| match action {
//!     Action::Decided(certificate) => Some(certificate),
//!     _ => None,
//! });
//! assert_eq!(decided.map(|certificate| certificate.verify("evidence", &set)), Some(Ok(1)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(clippy::arithmetic_side_effects)]

pub mod limits;

mod certificate;
mod codec;
mod context;
mod effects;
mod engine;
mod error;
mod event;
mod evidence;
#[cfg(any(test, feature = "faults"))]
pub mod forge;
mod guard;
#[cfg(feature = "mutations")]
pub mod mutation;
mod set;
mod sign;
mod timeouts;
mod verify;

pub use certificate::{CertificateError, CommitCertificate};
pub use codec::CodecError;
pub use engine::{Engine, Peek};
pub use error::EngineError;
pub use event::{
    Action, Equivocation, Event, MessageKind, Origin, Refusal, TimeoutKind, TimeoutToken, WalEntry,
    WalRecord,
};
pub use set::{Member, SetError, ValidatorSet};
pub use sign::{PROPOSAL_DOMAIN, ProposalStatement};
pub use timeouts::Timeouts;
pub use verify::SignatureStats;
