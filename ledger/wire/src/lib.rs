//! Defines what the ledger's bytes mean: Fabric-compatible protobuf messages, ids, and the rules by
//! which they are hashed and signed.
//!
//! It does not verify signatures, evaluate policies, keep state or read a clock: it says which bytes
//! a signature covers and whether an envelope has the shape of a transaction; others judge it.
//!
//! # Model
//! - [`proto`] holds the messages, by Fabric's names, numbers and types; [`proto::common::BlockHeader`]
//!   carries our fields at numbers 1001 and up.
//! - A client builds a proposal ([`build_proposal`]), each endorser answers with a
//!   [`response_payload`] and signs [`endorsement_message`], the client joins them ([`assemble`]),
//!   signs the payload and seals the envelope ([`seal`]). [`decode_transaction`] is the way back;
//!   [`decode_envelope`] takes configurations as well.
//! - A block's [`Header`] commits to its envelopes through [`data_hash`], to the validator set
//!   through [`validators_hash`] and to all earlier results through the log root; the
//!   validators' [`Vote`]s sign the header hash. A [`TransactionLeaf`] is one entry of that log.
//! - [`PeerMessage`] is what the nodes of a channel tell each other, in three classes.
//!
//! **Invariants**
//! - Everything signed or hashed is the byte string as received; nothing is re-serialized first.
//! - One value has one encoding: maps are ordered, typed forms are strict, ids are lower-case hex.
//! - Every hash of ours starts with a domain from [`domain`] and length-prefixes what varies. Where
//!   Fabric fixes the construction (transaction id, proposal hash), only the hash becomes SM3.
//! - No input makes this crate panic, and no input larger than [`limits`] allows is decoded.
//!
//! # Standards
//! Hyperledger Fabric 3 protobuf definitions; GB/T 32905-2016 (SM3); GB/T 32918.2-2016 (SM2).
//!
//! ```
//! use changbai_wire::{TxId, build_proposal, decode_proposal, time::UnixMillis};
//!
//! let args = [b"Create".to_vec(), b"{}".to_vec()];
//! let (id, proposal) =
//!     build_proposal("city", "evidence", &args, b"creator", &[7; 24], UnixMillis(1_700_000_000_000));
//! let decoded = decode_proposal(&proposal).expect("a proposal of our own");
//! assert_eq!(decoded.tx_id, id);
//! assert_eq!(id, TxId::derive(&[7; 24], b"creator"));
//! ```
#![warn(clippy::arithmetic_side_effects)]

mod code;
pub mod domain;
mod endorsement;
mod hash;
mod header;
mod headers;
mod ids;
mod leaf;
pub mod limits;
pub mod peer;
mod proposal;
pub mod proto;
mod rwset;
#[cfg(test)]
mod tests;
pub mod time;
mod transaction;
mod vote;

pub use code::{UnknownCode, ValidationCode};
pub use endorsement::{
    EndorsedResponse, EndorsementError, ProposalResponse, Refused, SignedProposal,
};
pub use hash::{
    block_data_hash, data_hash, envelope_digest, envelope_digests, quorum, validators_hash,
};
pub use header::{Header, HeaderError};
pub use ids::{BlockNumber, InvalidTxId, TxId, ValidatorAddress, is_channel_id};
pub use leaf::{InvalidLeaf, TransactionLeaf};
pub use peer::{PeerClass, PeerError, PeerMessage, PeerStatus};
pub use proposal::{
    DecodedProposal, SimulationResult, build_proposal, decode_proposal, endorsement_message,
    proposal_hash, response_payload,
};
pub use rwset::{NsReadWriteSet, RwsetError, TxReadWriteSet};
pub use transaction::{
    AssembleError, Content, DecodedConfig, DecodedTransaction, assemble, decode_envelope,
    decode_transaction, seal,
};
pub use vote::{Vote, VoteKind};
