//! What the evidence contract and its callers share: names, state keys, arguments and results.
//!
//! Arguments are raw texts or records; results are the encodings below. State (all keys ASCII):
//!
//! | Key | Value |
//! |---|---|
//! | `rec/<id>` | [`StoredRecord`]: transaction id (32 bytes) ‖ record |
//! | `dup/<duplicate key hex>` | id of the one record under this key |
//! | `dig/<sm3 hex>/<id>` | empty |
//! | `typ/<business type>/<13-digit ms>/<id>` | empty |
//! | `nxt/<id>` | id of the next version |
//! | `pan/<certificate sm3>/<16-digit batch>` | [`AnchoredProcess`] of the node with this certificate |
//! | `pal/<certificate sm3>` | number of its last anchor |
//! | `cqr/<id>/<13-digit ms>/<tx id>` | [`NotedQuery`] of a court about the record |
//! | `cqc/<case>/<13-digit ms>/<tx id>/<id or ->` | the same, by the case's commitment |

mod encoding;
mod process;
#[cfg(test)]
mod tests;

pub use encoding::{DecodeError, RecordPage, StoredRecord, Version, VersionChain};
pub use process::{
    ANCHOR_PROCESS, AnchoredProcess, LAST_PROCESS_ANCHOR, NOTE_QUERY, NotedQuery, Purpose,
    QUERIES_OF, QUERIES_OF_CASE, QUERY_RECORDS_MAX, QueryPage, anchor_key, case_query_key,
    last_anchor_key, query_tail, record_query_key,
};

use smkit::sm3::Sm3Digest;

use crate::{business::BusinessType, evidence_id::EvidenceId, limits::TIME_MS_MAX};

/// Name of the contract.
pub const NAME: &str = "evidence";
/// Version of the contract.
pub const VERSION: &str = "1";

/// `Create(record)` → id: records a new evidence or a new version.
pub const CREATE: &str = "Create";
/// `Get(id)` → [`StoredRecord`], or nothing.
pub const GET: &str = "Get";
/// `History(id)` → [`VersionChain`].
pub const HISTORY: &str = "History";
/// `FindByDigest(sm3, cursor, limit)` → [`RecordPage`]; the cursor is the last id.
pub const FIND_BY_DIGEST: &str = "FindByDigest";
/// `List(business type or "", from ms or "", to ms or "", cursor, limit)` → [`RecordPage`], oldest first, `from`
/// inclusive, `to` exclusive; the cursor is [`ListCursor`].
pub const LIST: &str = "List";
/// `LastSerial(region, agency, yyyyMMdd)` → the highest serial as decimal text, or nothing.
pub const LAST_SERIAL: &str = "LastSerial";
/// `FindDuplicate(key hex)` → [`StoredRecord`], or nothing.
pub const FIND_DUPLICATE: &str = "FindDuplicate";

/// Where a listing goes on: after this record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListCursor {
    /// Time of the last record seen, unix milliseconds.
    pub at_ms: u64,
    /// Its id.
    pub id: EvidenceId,
}

impl ListCursor {
    /// `<13-digit ms>/<id>`.
    pub fn text(&self) -> String {
        format!("{:013}/{}", self.at_ms, self.id)
    }

    /// Reads exactly what [`text`](Self::text) writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('/')?;
        Some(Self { at_ms: time_component(at)?, id: id.parse().ok()? })
    }
}

/// State key of a record.
pub fn record_key(id: &EvidenceId) -> String {
    format!("rec/{id}")
}

/// State key of the one record under a duplicate key.
pub fn duplicate_key(key: &Sm3Digest) -> String {
    format!("dup/{key}")
}

/// State key that finds a record by the digest of one of its originals.
pub fn digest_key(sm3: &Sm3Digest, id: &EvidenceId) -> String {
    format!("dig/{sm3}/{id}")
}

/// Every [`digest_key`] of `sm3`: from inclusive, to exclusive.
pub fn digest_range(sm3: &Sm3Digest) -> (String, String) {
    (format!("dig/{sm3}/"), format!("dig/{sm3}0"))
}

/// State key that lists records by business type and time.
pub fn type_key(business_type: BusinessType, at_ms: u64, id: &EvidenceId) -> String {
    format!("typ/{business_type}/{at_ms:013}/{id}")
}

/// Every [`type_key`] of `business_type` from `from_ms` (inclusive) to `to_ms` (exclusive).
pub fn type_range(business_type: BusinessType, from_ms: u64, to_ms: u64) -> (String, String) {
    let bound = |ms: u64| {
        if ms > TIME_MS_MAX {
            format!("typ/{business_type}0")
        } else {
            format!("typ/{business_type}/{ms:013}/")
        }
    };
    (bound(from_ms), bound(to_ms))
}

/// Time and id of a [`type_key`]; `None` for any other key.
pub fn parse_type_key(key: &str) -> Option<ListCursor> {
    let (_, rest) = key.strip_prefix("typ/")?.split_once('/')?;
    ListCursor::parse(rest)
}

/// State key of the version that follows `id`.
pub fn next_key(id: &EvidenceId) -> String {
    format!("nxt/{id}")
}

fn time_component(text: &str) -> Option<u64> {
    let digits = text.len() == 13 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
