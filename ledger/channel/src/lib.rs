//! Runs one channel: simulates calls, orders transactions, validates blocks and commits them.
//!
//! It does not speak to other machines, read a clock, sleep or spawn: time comes through
//! [`Clock`](changbai_wire::time::Clock), files through [`Files`](changbai_storage::Files), and the
//! thread that drives the [`Orderer`] belongs to the caller. The tools of [`archive`] are apart.
//!
//! # Model
//! 1. [`Channel::collect`] simulates a contract call on a snapshot of the committed state. What it
//!    read (with versions) and would write becomes a read-write set, signed by this node and by as
//!    many nodes of other organisations as the endorsement policy wants: their
//!    [`Channel::process_proposal`] simulates the same. [`Channel::endorse`] does with this node
//!    alone.
//! 2. [`Channel::broadcast`] puts the signed envelope into a bounded queue.
//! 3. The [`Orderer`] passes it on to the validators. The one whose turn it is takes the queue's
//!    head as a block and sends its body; the others check header, time and signatures and put the
//!    body into their consensus logs before they vote. Malachite's core agrees on the header hash.
//! 4. Each node validates the decided block: endorsement policy, duplicate ids, read versions (MVCC),
//!    phantoms. It goes to the block log with one `fdatasync`; then the writes of valid transactions
//!    and one Merkle leaf for every transaction go to the index, and callers of this node are
//!    answered.
//! 5. The next header commits to the tree's root. [`Channel::prove`] joins transaction, path and that
//!    header with its quorum's signatures.
//!
//! An update of the configuration takes the same way as the configuration that it makes: alone in its
//! block, judged before every vote, in force from the next height on.
//!
//! A node that is late, or no validator, takes decided blocks from its peers under the certificates
//! of the validators of their heights. [`Orderer::deliver`] takes messages, [`Orderer::turn`] does
//! everything that can be done now, [`Orderer::take_outbox`] gives what is to be sent.
//!
//! **Invariants**
//! - An [`Outcome`] is sent only after its block is durable.
//! - This node votes for a block only after its body is in the consensus log, and for a configuration
//!   only if it follows from the one in force.
//! - Nothing that a peer sends halts the orderer, unless a quorum's certificate contradicts this
//!   node's ledger; it is bounded before it is worked on.
//! - Invalid transactions stay in the block and in the tree with their code; their writes never apply.
//! - After a failed write the orderer halts and signs nothing more in this process.
//! - The index is derived: lost or damaged, it is rebuilt from the block log, header by header
//!   against the tree's root.
//! - Memory is bounded by [`limits`].
//!
//! # Cost
//! A transaction costs two signatures (endorser, creator), two verifications a node, three SM3 passes
//! over its envelope, and about ten index entries; a block costs each validator three signatures, the
//! verification of the others' votes, and two to four syncs, whatever its size. Signatures dominate.
//!
//! # Standards
//! Hyperledger Fabric 3: transaction flow, validation codes; GB/T 32918.2-2016, GB/T 32905-2016.

pub mod archive;
mod block;
mod body;
mod channel;
mod endorse;
mod endorser;
mod epoch;
mod gateway;
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
mod transaction_log;
mod tuning;
mod validate;

pub use block::Block;
pub use body::{BodyFault, Skew};
pub use channel::{Channel, Condition, OpenError, Parts, Proof, Status, TransactionProof};
pub use endorse::{Endorsed, Invocation, Proposal, SigningIdentity};
pub use endorser::ProposalError;
pub use gateway::{AskError, EndorserFault, Endorsers, FaultReason};
pub use ledger::Recovery;
pub use orderer::{
    Delivery, Destination, Fault, Halted, OrderEvent, Orderer, Outgoing, PeerId, Tally, Turn, Waker,
};
pub use outcome::{BroadcastError, InvokeError, Outcome};
pub use transaction_log::LogError;
pub use tuning::Tuning;
