//! What the node tells of its channels, and what it does to them when its agency's administrators ask.

use std::sync::Arc;

use changbai_core::ledger::BoxFuture;
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::ChannelView;

/// The channels of the node.
pub trait ChannelDirectory: Send + Sync {
    /// All of them, in order of their ids.
    fn channels(&self) -> Vec<Arc<dyn ChannelNode>>;
    /// The one of that id.
    fn channel(&self, id: &str) -> Option<Arc<dyn ChannelNode>>;
    /// Joins the channel that a genesis block begins, and gives its id; the block is durable then. Blocks the thread.
    ///
    /// # Errors
    /// [`JoinError`]; nothing of the channel stays then.
    fn join(&self, genesis: &[u8]) -> Result<String, JoinError>;
}

/// One channel of the node.
pub trait ChannelNode: ChannelView {
    /// How it is.
    fn state(&self) -> ChannelState;
    /// The configuration in force, as the envelope of a genesis block, versions of its elements included.
    fn config(&self) -> Vec<u8>;
    /// Has a `CONFIG_UPDATE` envelope ordered, and waits for its block.
    fn update(&self, envelope: Vec<u8>) -> BoxFuture<'_, Result<UpdateAnswer, UpdateError>>;
}

/// How a channel is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChannelState {
    /// Its id.
    pub channel: String,
    /// Hash of block 0, which tells it from another one of the same id.
    pub genesis: String,
    /// Number of blocks.
    pub height: u64,
    /// Hash of the last block's header.
    pub tip: String,
    /// Transactions in all blocks.
    pub transactions: u64,
    /// How often the configuration has changed.
    pub config_sequence: u64,
    /// MSP ids of the organisations.
    pub organisations: Vec<String>,
    /// The validators, in order.
    pub validators: Vec<ChannelValidator>,
    /// What this node is for the next block.
    pub role: ChannelRole,
    /// Nodes that this one is connected to.
    pub peers_connected: usize,
    /// Blocks that the most advanced of them claims to have.
    pub peers_height: u64,
    /// Whether enough validators are heard to decide anything.
    pub quorum: bool,
    /// Transactions that wait for a block.
    pub waiting: usize,
    /// Why it has halted for good, if it has.
    pub halted: Option<String>,
    /// Why this node does not take part for the time being, if so.
    pub suspended: Option<String>,
    /// Validators that contradicted themselves, the last ones known.
    pub misbehaviour: Vec<Misbehaviour>,
}

/// What a node is on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChannelRole {
    /// It votes.
    Validator,
    /// It follows, and endorses.
    Follower,
}

/// One validator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChannelValidator {
    /// Its organisation.
    pub msp_id: String,
    /// The address that its votes bear.
    pub address: String,
    /// Where it is reached.
    pub endpoint: Option<String>,
    /// Whether it is this node.
    pub own: bool,
}

/// A validator that signed two different statements for one place (双签).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Misbehaviour {
    /// Its address.
    pub validator: String,
    /// What was signed twice.
    pub kind: String,
    /// At which height.
    pub height: u64,
    /// In which round.
    pub round: u32,
}

/// Where a change of the configuration went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UpdateAnswer {
    /// The block.
    pub block_number: u64,
    /// How often the configuration has changed now.
    pub config_sequence: u64,
}

/// Why a channel is not joined.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// Not a genesis block.
    #[error("{0}")]
    Malformed(String),
    /// The node has a channel of that id.
    #[error("the node has a channel {0:?} already")]
    Known(String),
    /// The node does not belong to it.
    #[error("{0}")]
    Foreign(String),
    /// Files, or a part of the node.
    #[error("{0}")]
    Failed(String),
}

/// Why a change of the configuration did not come about.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// It is none, or does not follow from the configuration in force, or too few agreed.
    #[error("{0}")]
    Refused(String),
    /// The node takes no transactions now. Nothing changed.
    #[error("{0}")]
    Unavailable(String),
    /// It may have been ordered or not.
    #[error("{0}")]
    Unknown(String),
}
