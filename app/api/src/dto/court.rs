//! The JSON bodies of answers to courts.

use changbai_core::contract::{NotedQuery, Purpose, QueryPage};
use changbai_core::{EvidenceId, Opening, Stored};
use serde::Serialize;
use smkit::sm3::Sm3Digest;
use utoipa::ToSchema;

use super::EvidenceAnswer;

/// The answer to a court's query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CourtAnswer {
    /// The case number, brackets full-width.
    pub(crate) case_no: String,
    /// The salted commitment to it that the ledger has, 64 hex digits.
    pub(crate) case_commitment: String,
    /// The salt that opens the commitment, 64 hex digits: to be kept with the case's file.
    pub(crate) case_salt: String,
    /// What for.
    pub(crate) purpose: String,
    /// The transaction that notes this query.
    pub(crate) query_tx_id: String,
    /// What was found.
    pub(crate) results: Vec<CourtFinding>,
    /// Evidence ids that the ledger does not have.
    pub(crate) not_found: Vec<String>,
}

/// One record for a court.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CourtFinding {
    /// The record with its place on the ledger.
    #[serde(flatten)]
    pub(crate) evidence: EvidenceAnswer,
    /// The receipt.
    #[schema(value_type = Object)]
    pub(crate) receipt: serde_json::Value,
    /// Paths of what can be fetched.
    pub(crate) links: CourtLinks,
}

/// Where a record's documents are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CourtLinks {
    /// The bundle, which proves itself offline.
    pub(crate) bundle: String,
    /// The certificate as PDF.
    pub(crate) certificate_pdf: String,
    /// The certificate as OFD.
    pub(crate) certificate_ofd: String,
    /// The process log.
    pub(crate) process: String,
}

/// Courts' queries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueriesAnswer {
    /// Oldest first.
    pub(crate) items: Vec<QueryLine>,
    /// Where to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cursor: Option<String>,
}

/// One query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueryLine {
    /// When it was noted, Unix milliseconds.
    pub(crate) at_ms: u64,
    /// Salted commitment to the case number.
    pub(crate) case_commitment: String,
    /// What for.
    pub(crate) purpose: String,
    /// SM3 of the certificate that asked.
    pub(crate) requester_certificate_sm3: String,
    /// The organisation that vouches for it.
    pub(crate) requester_msp_id: String,
    /// The organisation whose node answered.
    pub(crate) answered_by: String,
    /// The record; absent if nothing was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence_id: Option<String>,
    /// The transaction that noted it.
    pub(crate) tx_id: String,
}

impl CourtAnswer {
    pub(crate) fn new(
        case: &Opening,
        purpose: Purpose,
        tx_id: Sm3Digest,
        results: Vec<CourtFinding>,
        missing: &[EvidenceId],
    ) -> Self {
        Self {
            case_no: case.value.clone(),
            case_commitment: case.commitment().to_string(),
            case_salt: Sm3Digest::new(case.salt).to_string(),
            purpose: purpose.code().to_owned(),
            query_tx_id: tx_id.to_string(),
            results,
            not_found: missing.iter().map(EvidenceId::to_string).collect(),
        }
    }
}

impl CourtFinding {
    /// `None` if the receipt is none.
    pub(crate) fn new(stored: &Stored, receipt: &[u8]) -> Option<Self> {
        let path = format!("/api/v1/evidence/{}", stored.record.id());
        Some(Self {
            evidence: EvidenceAnswer::from(stored),
            receipt: serde_json::from_slice(receipt).ok()?,
            links: CourtLinks {
                bundle: format!("{path}/bundle"),
                certificate_pdf: format!("{path}/certificate.pdf"),
                certificate_ofd: format!("{path}/certificate.ofd"),
                process: format!("{path}/process"),
            },
        })
    }
}

impl From<QueryPage> for QueriesAnswer {
    fn from(page: QueryPage) -> Self {
        let line = |query: NotedQuery| QueryLine {
            at_ms: query.at_ms,
            case_commitment: query.case.to_string(),
            purpose: query.purpose.code().to_owned(),
            requester_certificate_sm3: query.requester.to_string(),
            requester_msp_id: query.requester_msp_id,
            answered_by: query.answered_by,
            evidence_id: query.record.map(|id| id.to_string()),
            tx_id: query.tx_id.to_string(),
        };
        let cursor = Some(page.cursor).filter(|cursor| !cursor.is_empty());
        Self { items: page.queries.into_iter().map(line).collect(), cursor }
    }
}
