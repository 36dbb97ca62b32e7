//! What nodes anchor of their process logs, and what courts' queries leave behind.

use serde::{Deserialize, Serialize};
use smkit::sm3::Sm3Digest;

use super::DecodeError;
use crate::{
    canonical,
    evidence_id::EvidenceId,
    limits::{INTEGER_MAX, MSP_ID_BYTES_MAX, PAGE_RECORDS_MAX, TIME_MS_MAX},
};

/// `AnchorProcess(batch, last page, page hash, root, heads)` → [`AnchoredProcess`]: puts the root over the heads of the
/// chains in the caller's process log on the ledger; the caller's certificate names the log. The same anchor again
/// gives the first one.
pub const ANCHOR_PROCESS: &str = "AnchorProcess";
/// `LastProcessAnchor(certificate sm3)` → [`AnchoredProcess`], or nothing.
pub const LAST_PROCESS_ANCHOR: &str = "LastProcessAnchor";
/// `NoteQuery(case commitment, purpose, requester's certificate sm3, requester's organisation, id …)` → transaction id:
/// a court asked about these records, 0 to [`QUERY_RECORDS_MAX`].
pub const NOTE_QUERY: &str = "NoteQuery";
/// `QueriesOf(id, cursor, limit)` → [`QueryPage`]: courts' queries about a record, oldest first.
pub const QUERIES_OF: &str = "QueriesOf";
/// `QueriesOfCase(case commitment, cursor, limit)` → [`QueryPage`]: what was asked in a case, oldest first.
pub const QUERIES_OF_CASE: &str = "QueriesOfCase";

/// Most records that one query names.
pub const QUERY_RECORDS_MAX: usize = 64;

/// An anchor of a node's process log on the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchoredProcess {
    /// Counted by the node.
    pub batch: u64,
    /// The last page of the log that it covers.
    pub page: u64,
    /// That page's hash.
    pub page_hash: Sm3Digest,
    /// Root over the heads of the chains.
    pub root: Sm3Digest,
    /// How many chains it covers.
    pub heads: u64,
    /// The transaction that put it there.
    pub tx_id: Sm3Digest,
}

/// What a court wants to know a record for (用途).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A case is being filed (立案).
    Filing,
    /// A case is being heard (审理).
    Trial,
    /// A judgment is being enforced (执行).
    Enforcement,
    /// A judgment is being reviewed (审判监督).
    Review,
}

/// One query of a court, as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedQuery {
    /// When the answering node noted it, unix milliseconds.
    pub at_ms: u64,
    /// Salted commitment to the case number.
    pub case: Sm3Digest,
    /// What for.
    pub purpose: Purpose,
    /// SM3 of the certificate that asked.
    pub requester: Sm3Digest,
    /// The organisation that vouches for it.
    pub requester_msp_id: String,
    /// The organisation whose node answered.
    pub answered_by: String,
    /// The record; `None` if the query found nothing.
    pub record: Option<EvidenceId>,
    /// The transaction that noted it.
    pub tx_id: Sm3Digest,
}

/// Some queries of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct QueryPage {
    /// Oldest first.
    pub queries: Vec<NotedQuery>,
    /// Where to go on; empty at the end.
    pub cursor: String,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [Self::Filing, Self::Trial, Self::Enforcement, Self::Review];

    /// The code on the ledger and in requests.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Filing => "filing",
            Self::Trial => "trial",
            Self::Enforcement => "enforcement",
            Self::Review => "review",
        }
    }

    /// The purpose of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.code() == code)
    }
}

/// State key of an anchor.
pub fn anchor_key(certificate_sm3: &Sm3Digest, batch: u64) -> String {
    format!("pan/{certificate_sm3}/{batch:016}")
}

/// State key of the number of the last anchor of a log.
pub fn last_anchor_key(certificate_sm3: &Sm3Digest) -> String {
    format!("pal/{certificate_sm3}")
}

/// State key of a query about a record; `tail` is [`query_tail`].
pub fn record_query_key(id: &EvidenceId, tail: &str) -> String {
    format!("cqr/{id}/{tail}")
}

/// State key of a query in a case about a record, or about nothing that was found.
pub fn case_query_key(case: &Sm3Digest, tail: &str, record: Option<&EvidenceId>) -> String {
    match record {
        Some(id) => format!("cqc/{case}/{tail}/{id}"),
        None => format!("cqc/{case}/{tail}/-"),
    }
}

/// What sorts queries by time: `<13-digit ms>/<transaction id>`.
pub fn query_tail(at_ms: u64, tx_id: &Sm3Digest) -> String {
    format!("{at_ms:013}/{tx_id}")
}

impl AnchoredProcess {
    /// Canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let json = JsonAnchor {
            batch: self.batch,
            heads: self.heads,
            page: self.page,
            page_hash: self.page_hash.to_string(),
            root: self.root.to_string(),
            tx_id: self.tx_id.to_string(),
        };
        // A struct of strings and integers always has a JSON form.
        canonical::to_bytes(&json).unwrap_or_default()
    }

    /// # Errors
    /// [`DecodeError`] for anything but what [`to_bytes`](Self::to_bytes) writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = || DecodeError { what: "anchor of a process log" };
        let json: JsonAnchor = canonical::from_bytes(bytes, 1_024).map_err(|_| malformed())?;
        let digest = |text: &str| canonical::digest(text).ok_or_else(malformed);
        if json.batch.max(json.heads).max(json.page) > INTEGER_MAX {
            return Err(malformed());
        }
        Ok(Self {
            batch: json.batch,
            page: json.page,
            page_hash: digest(&json.page_hash)?,
            root: digest(&json.root)?,
            heads: json.heads,
            tx_id: digest(&json.tx_id)?,
        })
    }
}

impl NotedQuery {
    /// Canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(&JsonQuery::of(self)).unwrap_or_default()
    }

    /// # Errors
    /// [`DecodeError`] for anything but what [`to_bytes`](Self::to_bytes) writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = || DecodeError { what: "query of a court" };
        let json: JsonQuery = canonical::from_bytes(bytes, 2_048).map_err(|_| malformed())?;
        json.read().ok_or_else(malformed)
    }
}

impl QueryPage {
    /// Canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let queries = self.queries.iter().map(JsonQuery::of).collect();
        let json = JsonPage { cursor: self.cursor.clone(), queries };
        canonical::to_bytes(&json).unwrap_or_default()
    }

    /// # Errors
    /// [`DecodeError`] for anything but what [`to_bytes`](Self::to_bytes) writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = || DecodeError { what: "queries of courts" };
        let json: JsonPage = canonical::from_bytes(bytes, 1 << 20).map_err(|_| malformed())?;
        if json.queries.len() > PAGE_RECORDS_MAX as usize {
            return Err(malformed());
        }
        let queries = json.queries.into_iter().map(JsonQuery::read).collect::<Option<_>>();
        Ok(Self { queries: queries.ok_or_else(malformed)?, cursor: json.cursor })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonAnchor {
    batch: u64,
    heads: u64,
    page: u64,
    page_hash: String,
    root: String,
    tx_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonPage {
    cursor: String,
    queries: Vec<JsonQuery>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonQuery {
    answered_by: String,
    at_ms: u64,
    case: String,
    purpose: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<String>,
    requester: String,
    requester_msp_id: String,
    tx_id: String,
}

impl JsonQuery {
    fn of(query: &NotedQuery) -> Self {
        Self {
            answered_by: query.answered_by.clone(),
            at_ms: query.at_ms,
            case: query.case.to_string(),
            purpose: query.purpose.code().to_owned(),
            record: query.record.map(|id| id.to_string()),
            requester: query.requester.to_string(),
            requester_msp_id: query.requester_msp_id.clone(),
            tx_id: query.tx_id.to_string(),
        }
    }

    fn read(self) -> Option<NotedQuery> {
        let record = match self.record {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        let names = [&self.answered_by, &self.requester_msp_id];
        let named = names.iter().all(|name| (1..=MSP_ID_BYTES_MAX).contains(&name.len()));
        (named && self.at_ms <= TIME_MS_MAX).then_some(NotedQuery {
            at_ms: self.at_ms,
            case: canonical::digest(&self.case)?,
            purpose: Purpose::from_code(&self.purpose)?,
            requester: canonical::digest(&self.requester)?,
            requester_msp_id: self.requester_msp_id,
            answered_by: self.answered_by,
            record,
            tx_id: canonical::digest(&self.tx_id)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use smkit::sm3::sm3;

    use super::*;

    #[test]
    fn anchors_and_queries_read_back_and_nothing_else_does() {
        let anchor = AnchoredProcess {
            batch: 4,
            page: 9,
            page_hash: sm3(b"page"),
            root: sm3(b"root"),
            heads: 3,
            tx_id: sm3(b"tx"),
        };
        assert_eq!(AnchoredProcess::from_bytes(&anchor.to_bytes()), Ok(anchor));
        let query = NotedQuery {
            at_ms: 1_795_312_800_000,
            case: sm3(b"case"),
            purpose: Purpose::Trial,
            requester: sm3(b"judge"),
            requester_msp_id: "CourtMSP".to_owned(),
            answered_by: "ChangchunMSP".to_owned(),
            record: "CC22010011220100MB9999999R2026112200000000012ZU".parse().ok(),
            tx_id: sm3(b"tx"),
        };
        assert_eq!(NotedQuery::from_bytes(&query.to_bytes()), Ok(query.clone()));
        let nothing = NotedQuery { record: None, ..query.clone() };
        let page = QueryPage { queries: vec![query, nothing], cursor: "c".to_owned() };
        assert_eq!(QueryPage::from_bytes(&page.to_bytes()), Ok(page.clone()));
        let bytes = page.to_bytes();
        for at in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert_ne!(QueryPage::from_bytes(&flipped).as_ref(), Ok(&page));
        }
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::from_code(purpose.code()), Some(purpose));
        }
    }
}
