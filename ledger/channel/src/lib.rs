//! Runs one channel: simulates calls, orders transactions, validates blocks and commits them.
//!
//! It does not speak to other machines, read a clock, sleep or spawn: time comes through
//! [`Clock`](changbai_wire::time::Clock), files through [`Files`](changbai_storage::Files), and the
//! thread that drives the [`Orderer`] belongs to the caller.
//!
//! # Model
//! 1. [`Channel::endorse`] simulates a contract call on a snapshot of the committed state. What it
//!    read (with versions) and would write becomes a read-write set, signed by the endorser.
//! 2. [`Channel::broadcast`] puts the signed envelope into a bounded queue.
//! 3. The [`Orderer`] takes the queue's head as a block, lets Malachite's core agree on its header
//!    hash, and validates it: all signatures in one batch, the endorsement policy, duplicate ids,
//!    read versions (MVCC), phantoms.
//! 4. The block goes to the block log with one `fdatasync`; then the writes of valid transactions and
//!    one Merkle leaf for every transaction go to the index, and the callers are answered.
//! 5. The next header commits to the tree's root. [`Channel::prove`] joins transaction, path and that
//!    header with its quorum's signatures.
//!
//! **Invariants**
//! - An [`Outcome`] is sent only after its block is durable.
//! - Invalid transactions stay in the block and in the tree with their code; their writes never apply.
//! - After a failed write the orderer halts and signs nothing more in this process.
//! - The index is derived: lost or damaged, it is rebuilt from the block log, header by header
//!   against the tree's root.
//! - Memory is bounded by [`limits`].
//!
//! # Cost
//! A transaction costs two signatures (endorser, creator) and two verifications, three SM3 passes
//! over its envelope, and about ten index entries; a block costs three signatures and two syncs,
//! whatever its size. Signatures dominate.
//!
//! # Standards
//! Hyperledger Fabric 3: transaction flow, validation codes; GB/T 32918.2-2016, GB/T 32905-2016.

mod block;
mod body;
mod channel;
mod endorse;
mod epoch;
mod ledger;
pub mod limits;
mod mempool;
#[cfg(feature = "mutations")]
pub mod mutation;
mod orderer;
mod outcome;
mod signatures;
mod simulate;
mod state;
mod tuning;
mod validate;

pub use block::Block;
pub use body::{BodyFault, Skew};
pub use channel::{Channel, Condition, OpenError, Parts, Proof, Status, TransactionProof};
pub use endorse::{Endorsed, Invocation, SigningIdentity};
pub use epoch::{ConfigRule, FixedConfig};
pub use ledger::Recovery;
pub use orderer::{
    Delivery, Destination, Fault, Halted, OrderEvent, Orderer, Outgoing, PeerId, Turn, Waker,
};
pub use outcome::{BroadcastError, InvokeError, Outcome};
pub use tuning::Tuning;
