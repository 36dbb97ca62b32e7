//! The JSON bodies of answers about the judicial directory.

use changbai_core::directory::{DirectoryEntry, DirectoryPage};
use serde::Serialize;
use utoipa::ToSchema;

/// One page of the directory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DirectoryAnswer {
    /// By rising id.
    pub(crate) items: Vec<DirectoryLine>,
    /// Where to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

/// A record that passed every gate.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DirectoryLine {
    /// The evidence id.
    pub(crate) evidence_id: String,
    /// SM3 of the canonical record.
    pub(crate) record_sm3: String,
    /// The transaction that recorded it.
    pub(crate) record_tx_id: String,
    /// The agency's organisation.
    pub(crate) msp_id: String,
    /// The filing number that the agency declared.
    pub(crate) filing_number: String,
    /// SM3 of the certificate of the authority that certified submitter and node.
    pub(crate) authority_sm3: String,
    /// Bound of the record's time, microseconds.
    pub(crate) time_bound_us: u32,
    /// Digest of the process log's last entry that was shown.
    pub(crate) process_head: String,
    /// SM3 of the certificate's document.
    pub(crate) certificate_sm3: String,
    /// When it was admitted, Unix milliseconds.
    pub(crate) admitted_at_ms: u64,
    /// The transaction that admitted it.
    pub(crate) tx_id: String,
}

impl From<DirectoryEntry> for DirectoryLine {
    fn from(entry: DirectoryEntry) -> Self {
        Self {
            evidence_id: entry.id.to_string(),
            record_sm3: entry.record_sm3.to_string(),
            record_tx_id: entry.record_tx_id.to_string(),
            msp_id: entry.msp_id,
            filing_number: entry.filing_number,
            authority_sm3: entry.authority_sm3.to_string(),
            time_bound_us: entry.time_bound_us,
            process_head: entry.process_head.to_string(),
            certificate_sm3: entry.certificate_sm3.to_string(),
            admitted_at_ms: entry.admitted_at_ms,
            tx_id: entry.tx_id.to_string(),
        }
    }
}

impl From<DirectoryPage> for DirectoryAnswer {
    fn from(page: DirectoryPage) -> Self {
        let cursor = Some(page.cursor).filter(|cursor| !cursor.is_empty());
        Self { items: page.entries.into_iter().map(Into::into).collect(), cursor }
    }
}
