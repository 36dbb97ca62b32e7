//! The transparency logs of a node's channels, as the node publishes them.

use std::sync::Arc;

use changbai_core::TransactionLog;
use changbai_core::ledger::BoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The published logs of a node.
pub trait LogDirectory: Send + Sync {
    /// The log of that channel; none if the node does not have the channel, or publishes no log of it.
    fn log(&self, channel: &str) -> Option<Arc<dyn PublishedLog>>;
}

/// One published log.
pub trait PublishedLog: Send + Sync {
    /// The log itself.
    fn log(&self) -> &dyn TransactionLog;

    /// Who signs its checkpoints, and who is asked to cosign them.
    fn description(&self) -> LogDescription;

    /// The newest checkpoint, a signed note; one is issued first if the log has grown.
    ///
    /// # Errors
    /// [`CheckpointError`].
    fn checkpoint(&self) -> BoxFuture<'_, Result<String, CheckpointError>>;

    /// A checkpoint over at least `size` leaves; one is issued first if none covers them. The same one for the same
    /// size, unless a better one (with more cosignatures, with a time-stamp token) has come about since.
    ///
    /// # Errors
    /// [`CheckpointError`].
    fn covering(&self, size: u64) -> BoxFuture<'_, Result<String, CheckpointError>>;
}

/// What a log says of itself. Nobody has to believe it: keys are compared with those of a trust file, or checked by
/// the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogDescription {
    /// First line of its checkpoints.
    pub origin: String,
    /// The key of this node, in the form `name+id+key`.
    pub key: String,
    /// The certificate of that key, PEM; absent where the agency's authority issued none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Number of leaves that the last header commits to.
    pub size: u64,
    /// The witnesses (见证人) that are asked for cosignatures.
    pub witnesses: Vec<WitnessDescription>,
}

/// One witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WitnessDescription {
    /// Its name.
    pub name: String,
    /// Its key, in the form `name+id+key`.
    pub key: String,
    /// The size that it cosigned last, as far as this node knows.
    pub size: u64,
    /// Why it did not cosign the newest checkpoint, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// That one tree is the beginning of another (RFC 6962 §2.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsistencyAnswer {
    /// Leaves of the older tree.
    pub from: u64,
    /// Its root, hex.
    pub from_root: String,
    /// The proof, hex.
    pub path: Vec<String>,
    /// Leaves of the newer tree.
    pub to: u64,
    /// Its root, hex.
    pub to_root: String,
}

/// Why there is no checkpoint. Nothing signed has left then.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The log has fewer leaves.
    #[error("the log has {size} leaves")]
    Beyond {
        /// How many.
        size: u64,
    },
    /// It cannot be issued or read: the reason is the operator's business.
    #[error("{0}")]
    Failed(String),
}
