//! Encodings of state values and query results.

use serde::{Deserialize, Serialize};
use smkit::sm3::Sm3Digest;

use crate::{canonical, evidence_id::EvidenceId, limits};

/// A record with the transaction that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// Transaction id.
    pub tx_id: Sm3Digest,
    /// The canonical record.
    pub record: Vec<u8>,
}

/// Some records of a listing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RecordPage {
    /// The records, in the order of the listing.
    pub records: Vec<StoredRecord>,
    /// Where to go on; empty at the end.
    pub cursor: String,
}

/// The versions of an evidence around the one asked for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct VersionChain {
    /// Oldest first.
    pub versions: Vec<Version>,
    /// Whether there are older or newer versions than one answer may hold.
    pub truncated: bool,
}

/// One version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its id.
    pub id: EvidenceId,
    /// The transaction that recorded it.
    pub tx_id: Sm3Digest,
    /// Its record time, unix milliseconds.
    pub at_ms: u64,
}

/// Bytes that a contract of this version does not write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the contract's answer is malformed: {what}")]
pub struct DecodeError {
    /// Which part.
    pub what: &'static str,
}

impl StoredRecord {
    /// Transaction id ‖ record.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.tx_id.as_bytes().to_vec();
        bytes.extend(&self.record);
        bytes
    }

    /// # Errors
    /// [`DecodeError`] if there is no record after the id or it is longer than a record can be.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.split_first_chunk::<32>() {
            Some((tx_id, record)) if (1..=limits::RECORD_BYTES_MAX).contains(&record.len()) => {
                Ok(Self { tx_id: Sm3Digest::new(*tx_id), record: record.to_vec() })
            }
            _ => Err(DecodeError { what: "stored record" }),
        }
    }
}

impl RecordPage {
    /// u16 length of cursor ‖ cursor ‖ u32 count ‖ (u32 length ‖ [`StoredRecord`])…, integers big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(u16::try_from(self.cursor.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(self.cursor.as_bytes());
        bytes.extend(u32::try_from(self.records.len()).unwrap_or(u32::MAX).to_be_bytes());
        for stored in &self.records {
            let stored = stored.to_bytes();
            bytes.extend(u32::try_from(stored.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend(stored);
        }
        bytes
    }

    /// # Errors
    /// [`DecodeError`] for anything but one complete page within its bounds.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let page = || -> Option<Self> {
            let (length, rest) = bytes.split_first_chunk::<2>()?;
            let (cursor, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
            let cursor = String::from_utf8(cursor.to_vec()).ok()?;
            let (count, mut rest) = rest.split_first_chunk::<4>()?;
            let count = u32::from_be_bytes(*count);
            if count > limits::PAGE_RECORDS_MAX {
                return None;
            }
            let mut records = Vec::new();
            for _ in 0..count {
                let (length, after) = rest.split_first_chunk::<4>()?;
                let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
                let (stored, after) = after.split_at_checked(length)?;
                records.push(StoredRecord::from_bytes(stored).ok()?);
                rest = after;
            }
            rest.is_empty().then_some(Self { records, cursor })
        };
        page().ok_or(DecodeError { what: "page" })
    }
}

impl VersionChain {
    /// Canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let versions = self.versions.iter().map(|version| JsonVersion {
            at_ms: version.at_ms,
            id: version.id.to_string(),
            tx_id: version.tx_id.to_string(),
        });
        let json = JsonChain { truncated: self.truncated, versions: versions.collect() };
        // A struct of strings and integers always has a JSON form.
        canonical::to_bytes(&json).unwrap_or_default()
    }

    /// # Errors
    /// [`DecodeError`] for anything but what [`to_bytes`](Self::to_bytes) writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = DecodeError { what: "versions" };
        let json: JsonChain =
            canonical::from_bytes(bytes, CHAIN_BYTES_MAX).map_err(|_| malformed.clone())?;
        let version = |json: JsonVersion| {
            Some(Version {
                id: json.id.parse().ok()?,
                tx_id: canonical::digest(&json.tx_id)?,
                at_ms: json.at_ms,
            })
        };
        let versions =
            json.versions.into_iter().map(version).collect::<Option<_>>().ok_or(malformed)?;
        Ok(Self { versions, truncated: json.truncated })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonChain {
    truncated: bool,
    versions: Vec<JsonVersion>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonVersion {
    at_ms: u64,
    id: String,
    tx_id: String,
}

/// One version is at most 180 bytes of JSON.
const CHAIN_BYTES_MAX: usize = 512 * (2 * limits::HISTORY_STEPS_MAX + 1);
