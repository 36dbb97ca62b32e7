//! The JSON bodies of answers.

mod court;
mod directory;

pub(crate) use court::{CourtAnswer, CourtFinding, QueriesAnswer};
pub(crate) use directory::{DirectoryAnswer, DirectoryLine};

use changbai_core::ledger::{BlockView, TransactionView};
use changbai_core::{BatchRoot, OriginalRef, Record, Stored, Submitted};
use serde::Serialize;
use utoipa::ToSchema;

/// The answer to a submission.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SubmissionAnswer {
    /// The evidence id (存证编号), 47 characters.
    pub(crate) evidence_id: String,
    /// The transaction that recorded it, 64 hex digits.
    pub(crate) tx_id: String,
    /// Number of its block.
    pub(crate) block_number: u64,
    /// SM3 of the first original.
    pub(crate) sm3: String,
    /// All originals, in order.
    pub(crate) originals: Vec<OriginalAnswer>,
    /// The business type.
    pub(crate) business_type: String,
    /// Whether the same submission was recorded before; then this is the first record.
    pub(crate) duplicate: bool,
    /// The record's time, Unix milliseconds.
    pub(crate) at_ms: u64,
}

/// The answer to a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    /// The evidence id (存证编号), 47 characters.
    pub(crate) evidence_id: String,
    /// The transaction that recorded it, 64 hex digits.
    pub(crate) tx_id: String,
    /// Number of its block.
    pub(crate) block_number: u64,
    /// Root over the digests, 64 hex digits.
    pub(crate) root: String,
    /// Number of digests.
    pub(crate) size: u64,
    /// The business type.
    pub(crate) business_type: String,
    /// Whether the same batch was recorded before; then this is the first record.
    pub(crate) duplicate: bool,
    /// The record's time, Unix milliseconds.
    pub(crate) at_ms: u64,
}

/// A submission that is answered later.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationAnswer {
    /// Its id.
    pub(crate) operation_id: String,
    /// `evidence` or `batch`; absent when only its end is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'static str>,
    /// `running`, `succeeded`, `failed` or `interrupted`.
    pub(crate) state: String,
    /// Its last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<String>,
    /// The HTTP status that the synchronous form would have had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// Where the record is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<String>,
    /// The answer of the synchronous form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub(crate) answer: Option<serde_json::Value>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<OperationFault>,
}

/// Why an operation failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationFault {
    /// The stable code.
    pub(crate) code: String,
    /// In Chinese.
    pub(crate) title: String,
    /// In English.
    pub(crate) title_en: String,
}

impl BatchAnswer {
    pub(crate) fn new(submitted: &Submitted, batch: &BatchRoot) -> Self {
        let parts = submitted.record.parts();
        Self {
            evidence_id: parts.id.to_string(),
            tx_id: submitted.tx_id.clone(),
            block_number: submitted.block_number,
            root: batch.root.to_string(),
            size: batch.size,
            business_type: parts.business_type.code().to_owned(),
            duplicate: submitted.duplicate,
            at_ms: parts.time.at_ms,
        }
    }
}

impl OperationAnswer {
    pub(crate) fn new(operation_id: String, kind: Option<&'static str>) -> Self {
        Self {
            operation_id,
            kind,
            state: String::new(),
            step: None,
            status: None,
            location: None,
            answer: None,
            problem: None,
        }
    }
}

/// One original of a record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OriginalAnswer {
    /// SM3, 64 hex digits.
    pub(crate) sm3: String,
    /// Length in bytes.
    pub(crate) size_bytes: u64,
    /// Media type.
    pub(crate) media_type: String,
    /// `platform` or `submitter`.
    pub(crate) custody: String,
}

/// One record with its place on the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceAnswer {
    /// The evidence id.
    pub(crate) evidence_id: String,
    /// The transaction that recorded it.
    pub(crate) tx_id: String,
    /// Number of its block.
    pub(crate) block_number: u64,
    /// The block's time, Unix milliseconds.
    pub(crate) committed_at_ms: u64,
    /// SM3 of the canonical record.
    pub(crate) record_sm3: String,
    /// The record itself; its canonical bytes are in the bundle.
    #[schema(value_type = Object)]
    pub(crate) record: serde_json::Value,
}

/// One line of a listing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceLine {
    /// The evidence id.
    pub(crate) evidence_id: String,
    /// The transaction that recorded it.
    pub(crate) tx_id: String,
    /// The business type.
    pub(crate) business_type: String,
    /// The record's time, Unix milliseconds.
    pub(crate) at_ms: u64,
    /// The originals, in order.
    pub(crate) originals: Vec<OriginalAnswer>,
    /// The record that this one is a new version of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<String>,
}

/// One page of a listing; `Link: rel="next"` repeats the cursor as an address.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidencePage {
    /// The records.
    pub(crate) items: Vec<EvidenceLine>,
    /// Where to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

/// All versions of one evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistoryAnswer {
    /// Oldest first.
    pub(crate) versions: Vec<VersionLine>,
}

/// One version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionLine {
    /// Its id.
    pub(crate) evidence_id: String,
    /// The transaction that recorded it.
    pub(crate) tx_id: String,
    /// The record's time, Unix milliseconds.
    pub(crate) at_ms: u64,
}

/// One block.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BlockAnswer {
    /// Its number.
    pub(crate) number: u64,
    /// SM3 of its header.
    pub(crate) hash: String,
    /// SM3 of the header before.
    pub(crate) previous_hash: String,
    /// SM3 over its transactions.
    pub(crate) data_hash: String,
    /// The channel.
    pub(crate) channel_id: String,
    /// The proposer's clock, Unix milliseconds.
    pub(crate) time_ms: u64,
    /// Leaves of the transaction log that the header commits to.
    pub(crate) log_size: u64,
    /// Root of the transaction log.
    pub(crate) log_root: String,
    /// SM3 of the validator set.
    pub(crate) validators_hash: String,
    /// Serialized size.
    pub(crate) size_bytes: u64,
    /// Its transactions, in order.
    pub(crate) transactions: Vec<TransactionLine>,
}

/// One transaction of a block.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransactionLine {
    /// Its id; empty when the envelope was too broken to have one.
    pub(crate) tx_id: String,
    /// What validation said, `VALID` or a reason.
    pub(crate) code: String,
}

/// Blocks, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BlockPage {
    /// The blocks.
    pub(crate) items: Vec<BlockAnswer>,
    /// Number of blocks on the ledger.
    pub(crate) height: u64,
}

/// One transaction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransactionAnswer {
    /// Its id.
    pub(crate) tx_id: String,
    /// Number of its block.
    pub(crate) block_number: u64,
    /// Position in the block, from 0.
    pub(crate) index: u32,
    /// What validation said, `VALID` or a reason.
    pub(crate) code: String,
    /// The block's time, Unix milliseconds.
    pub(crate) time_ms: u64,
    /// Organisation of the creator.
    pub(crate) creator_msp_id: String,
    /// Subject of the creator's certificate.
    pub(crate) creator_subject: String,
    /// Contract called.
    pub(crate) contract: String,
    /// Function called.
    pub(crate) function: String,
    /// Organisations that endorsed.
    pub(crate) endorsers: Vec<String>,
    /// SM3 of the envelope.
    pub(crate) envelope_sm3: String,
    /// Size of the envelope.
    pub(crate) size_bytes: u64,
}

/// The answer of `POST /verify`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerifyAnswer {
    /// `verified`, `not_verified` or `unchecked`.
    pub(crate) verdict: String,
    /// SM3 of what was asked about, when it was an original or a digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sm3: Option<String>,
    /// The evidence that the elements speak of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence_id: Option<String>,
    /// One reason per element.
    #[schema(value_type = Vec<ElementAnswer>)]
    pub(crate) elements: Vec<serde_json::Value>,
    /// Evidence with this digest, oldest id first, at most 10.
    pub(crate) matches: Vec<EvidenceLine>,
    /// The same under this node's signature: a file in itself, which `changbai verify` checks offline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signed_verdict: Option<String>,
}

/// One element of a verification.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ElementAnswer {
    /// Stable name, such as `inclusion`.
    pub(crate) name: String,
    /// `proven`, `failed`, `absent` or `unchecked`.
    pub(crate) status: String,
    /// Stable code, `VF-nnnn`.
    pub(crate) code: String,
    /// The reason in Chinese.
    pub(crate) reason: String,
    /// The reason in English.
    pub(crate) reason_en: String,
}

impl From<&OriginalRef> for OriginalAnswer {
    fn from(original: &OriginalRef) -> Self {
        Self {
            sm3: original.sm3.to_string(),
            size_bytes: original.size_bytes,
            media_type: original.media_type.clone(),
            custody: original.custody.code().to_owned(),
        }
    }
}

impl From<&Submitted> for SubmissionAnswer {
    fn from(submitted: &Submitted) -> Self {
        let parts = submitted.record.parts();
        Self {
            evidence_id: parts.id.to_string(),
            tx_id: submitted.tx_id.clone(),
            block_number: submitted.block_number,
            sm3: parts.originals.first().map(|o| o.sm3.to_string()).unwrap_or_default(),
            originals: parts.originals.iter().map(OriginalAnswer::from).collect(),
            business_type: parts.business_type.code().to_owned(),
            duplicate: submitted.duplicate,
            at_ms: parts.time.at_ms,
        }
    }
}

impl From<&Stored> for EvidenceAnswer {
    fn from(stored: &Stored) -> Self {
        Self {
            evidence_id: stored.record.id().to_string(),
            tx_id: stored.tx_id.clone(),
            block_number: stored.block_number,
            committed_at_ms: stored.committed_at_ms,
            record_sm3: stored.record.digest().to_string(),
            record: serde_json::from_slice(stored.record.as_bytes()).unwrap_or_default(),
        }
    }
}

impl EvidenceLine {
    pub(crate) fn new(record: &Record, tx_id: &str) -> Self {
        let parts = record.parts();
        Self {
            evidence_id: parts.id.to_string(),
            tx_id: tx_id.to_owned(),
            business_type: parts.business_type.code().to_owned(),
            at_ms: parts.time.at_ms,
            originals: parts.originals.iter().map(OriginalAnswer::from).collect(),
            previous: parts.previous.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&BlockView> for BlockAnswer {
    fn from(block: &BlockView) -> Self {
        let header = &block.header;
        let line = |t: &changbai_core::ledger::TransactionSummary| TransactionLine {
            tx_id: t.tx_id.clone(),
            code: t.code.name().to_owned(),
        };
        Self {
            number: header.number,
            hash: block.hash.to_string(),
            previous_hash: header.previous_hash.to_string(),
            data_hash: header.data_hash.to_string(),
            channel_id: header.channel_id.clone(),
            time_ms: header.time_ms,
            log_size: header.log_size,
            log_root: header.log_root.to_string(),
            validators_hash: header.validators_hash.to_string(),
            size_bytes: block.size_bytes,
            transactions: block.transactions.iter().map(line).collect(),
        }
    }
}

impl From<TransactionView> for TransactionAnswer {
    fn from(transaction: TransactionView) -> Self {
        Self {
            tx_id: transaction.tx_id,
            block_number: transaction.block_number,
            index: transaction.index,
            code: transaction.code.name().to_owned(),
            time_ms: transaction.time_ms,
            creator_msp_id: transaction.creator_msp_id,
            creator_subject: transaction.creator_subject,
            contract: transaction.contract,
            function: transaction.function,
            endorsers: transaction.endorsers,
            envelope_sm3: transaction.envelope_sm3.to_string(),
            size_bytes: transaction.size_bytes,
        }
    }
}
