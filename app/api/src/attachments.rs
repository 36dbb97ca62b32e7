//! Proofs that a bundle holds beside record and receipt, and who supplies them.
//!
//! The node hands these sources to the API; a source that is not there leaves its entry out, and verification then
//! says that it is absent.

use std::sync::Arc;

use changbai_core::Record;
use changbai_core::ledger::BoxFuture;
use changbai_receipt::Receipt;

/// The evidence that a proof is about. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The record.
    pub record: Record,
    /// The transaction that recorded it, lower-case hex.
    pub tx_id: String,
    /// Its receipt, as it goes into the bundle.
    pub receipt: Arc<Receipt>,
}

/// Why a proof could not be supplied: the bundle is not handed out without it then, rather than in two forms.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Supplies `checkpoint.json`.
pub trait CheckpointSource: Send + Sync {
    /// A checkpoint that covers the receipt's header, as the bundle's entry; issues one if there is none. `None`: this
    /// node keeps no checkpoints of that channel.
    ///
    /// # Errors
    /// [`SourceError`] if there should be one, and it cannot be had now.
    fn checkpoint(&self, subject: Subject) -> BoxFuture<'_, Result<Option<Vec<u8>>, SourceError>>;
}

/// The sources of a node.
#[derive(Clone, Default)]
pub struct Attachments {
    /// Checkpoints of the transaction log.
    pub checkpoints: Option<Arc<dyn CheckpointSource>>,
}

impl std::fmt::Debug for Attachments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachments").field("checkpoints", &self.checkpoints.is_some()).finish()
    }
}
