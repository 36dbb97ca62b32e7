//! The judicial directory (跨链互认目录): what the contract `directory` and its callers share.
//!
//! | Key | Value |
//! |---|---|
//! | `dir/<id>` | [`DirectoryEntry`] |
//! | `agc/<msp id>` | the filing number that the organisation declared |

use serde::{Deserialize, Serialize};
use smkit::sm3::Sm3Digest;

use crate::{
    canonical,
    codes::{self, ErrorCode},
    contract::DecodeError,
    evidence_id::EvidenceId,
    limits::{MSP_ID_BYTES_MAX, PAGE_RECORDS_MAX, TIME_MS_MAX},
};

/// Name of the contract.
pub const NAME: &str = "directory";
/// Version of the contract.
pub const VERSION: &str = "1";
/// `Declare(filing number)`: the caller's organisation says under which number it is filed.
pub const DECLARE: &str = "Declare";
/// `Declared(msp id)` → the filing number, or nothing.
pub const DECLARED: &str = "Declared";
/// `Admit(id, certificate document's sm3, submitter's certificate, its authority's certificate, process.json)` →
/// [`DirectoryEntry`]; certificates in DER.
pub const ADMIT: &str = "Admit";
/// `Get(id)` → [`DirectoryEntry`], or nothing.
pub const GET: &str = "Get";
/// `List(cursor, limit)` → [`DirectoryPage`] by rising id; the cursor is the last id.
pub const LIST: &str = "List";

/// What a record must show before it is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// National cryptography only.
    Algorithms,
    /// An identity that an authority certified.
    Identity,
    /// A bound of the time.
    Time,
    /// A complete process log.
    ProcessLog,
    /// A filing number.
    FilingNumber,
    /// A certificate that can be verified.
    Certificate,
}

impl Gate {
    /// Every gate.
    pub const ALL: [Self; 6] = [
        Self::Algorithms,
        Self::Identity,
        Self::Time,
        Self::ProcessLog,
        Self::FilingNumber,
        Self::Certificate,
    ];

    /// What is said of a record that does not pass.
    pub const fn code(self) -> &'static ErrorCode {
        match self {
            Self::Algorithms => &codes::GATE_ALGORITHMS,
            Self::Identity => &codes::GATE_IDENTITY,
            Self::Time => &codes::GATE_TIME,
            Self::ProcessLog => &codes::GATE_PROCESS_LOG,
            Self::FilingNumber => &codes::GATE_FILING_NUMBER,
            Self::Certificate => &codes::GATE_CERTIFICATE,
        }
    }

    /// The payload of a refusal: the codes of the gates, separated by commas.
    pub fn to_payload(gates: &[Self]) -> Vec<u8> {
        gates.iter().map(|gate| gate.code().code).collect::<Vec<_>>().join(",").into_bytes()
    }

    /// The gates of a refusal; those that are not known are left out.
    pub fn from_payload(payload: &[u8]) -> Vec<Self> {
        let text = std::str::from_utf8(payload).unwrap_or_default();
        let known = |code: &str| Self::ALL.into_iter().find(|gate| gate.code().code == code);
        text.split(',').filter_map(known).collect()
    }
}

/// Whether a text has the form of filing numbers seen in practice (备案编号): one ideograph for the province, `网信备`, 20
/// digits, `号`.
pub fn is_filing_number(text: &str) -> bool {
    let mut chars = text.chars();
    let province = chars.next().is_some_and(|c| ('\u{4e00}'..='\u{9fa5}').contains(&c));
    let digits = chars.as_str().strip_prefix("网信备").and_then(|rest| rest.strip_suffix('号'));
    province && digits.is_some_and(|d| d.len() == 20 && d.bytes().all(|b| b.is_ascii_digit()))
}

/// A record that passed every gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The record.
    pub id: EvidenceId,
    /// SM3 of its bytes.
    pub record_sm3: Sm3Digest,
    /// The transaction that recorded it.
    pub record_tx_id: Sm3Digest,
    /// Its agency's organisation.
    pub msp_id: String,
    /// The filing number that the agency declared.
    pub filing_number: String,
    /// SM3 of the authority's certificate, DER.
    pub authority_sm3: Sm3Digest,
    /// Bound of the record's time in microseconds.
    pub time_bound_us: u32,
    /// Digest of the last entry of the process log that was shown.
    pub process_head: Sm3Digest,
    /// SM3 of the certificate's document.
    pub certificate_sm3: Sm3Digest,
    /// When it was admitted, unix milliseconds, by the clock of the agency's node.
    pub admitted_at_ms: u64,
    /// The transaction that admitted it.
    pub tx_id: Sm3Digest,
}

/// Some entries.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DirectoryPage {
    /// By rising id.
    pub entries: Vec<DirectoryEntry>,
    /// Where to go on; empty at the end.
    pub cursor: String,
}

/// State key of an entry.
pub fn entry_key(id: &EvidenceId) -> String {
    format!("dir/{id}")
}

/// State key of an organisation's filing number.
pub fn filing_key(msp_id: &str) -> String {
    format!("agc/{msp_id}")
}

impl DirectoryEntry {
    /// Canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A struct of strings and integers always has a JSON form.
        canonical::to_bytes(&Json::of(self)).unwrap_or_default()
    }

    /// # Errors
    /// [`DecodeError`] for anything but what [`to_bytes`](Self::to_bytes) writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = || DecodeError { what: "entry of the judicial directory" };
        let json: Json = canonical::from_bytes(bytes, 4_096).map_err(|_| malformed())?;
        json.read().ok_or_else(malformed)
    }
}

impl DirectoryPage {
    /// Canonical JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let entries = self.entries.iter().map(Json::of).collect();
        let json = JsonPage { cursor: self.cursor.clone(), entries };
        canonical::to_bytes(&json).unwrap_or_default()
    }

    /// # Errors
    /// [`DecodeError`] for anything but what [`to_bytes`](Self::to_bytes) writes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let malformed = || DecodeError { what: "page of the judicial directory" };
        let json: JsonPage = canonical::from_bytes(bytes, 1 << 20).map_err(|_| malformed())?;
        if json.entries.len() > PAGE_RECORDS_MAX as usize {
            return Err(malformed());
        }
        let entries = json.entries.into_iter().map(Json::read).collect::<Option<_>>();
        Ok(Self { entries: entries.ok_or_else(malformed)?, cursor: json.cursor })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonPage {
    cursor: String,
    entries: Vec<Json>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    admitted_at_ms: u64,
    authority_sm3: String,
    certificate_sm3: String,
    filing_number: String,
    id: String,
    msp_id: String,
    process_head: String,
    record_sm3: String,
    record_tx_id: String,
    time_bound_us: u32,
    tx_id: String,
}

impl Json {
    fn of(entry: &DirectoryEntry) -> Self {
        Self {
            admitted_at_ms: entry.admitted_at_ms,
            authority_sm3: entry.authority_sm3.to_string(),
            certificate_sm3: entry.certificate_sm3.to_string(),
            filing_number: entry.filing_number.clone(),
            id: entry.id.to_string(),
            msp_id: entry.msp_id.clone(),
            process_head: entry.process_head.to_string(),
            record_sm3: entry.record_sm3.to_string(),
            record_tx_id: entry.record_tx_id.to_string(),
            time_bound_us: entry.time_bound_us,
            tx_id: entry.tx_id.to_string(),
        }
    }

    fn read(self) -> Option<DirectoryEntry> {
        let named = (1..=MSP_ID_BYTES_MAX).contains(&self.msp_id.len());
        let sound = named && is_filing_number(&self.filing_number);
        (sound && self.admitted_at_ms <= TIME_MS_MAX).then_some(DirectoryEntry {
            id: self.id.parse().ok()?,
            record_sm3: canonical::digest(&self.record_sm3)?,
            record_tx_id: canonical::digest(&self.record_tx_id)?,
            msp_id: self.msp_id,
            filing_number: self.filing_number,
            authority_sm3: canonical::digest(&self.authority_sm3)?,
            time_bound_us: self.time_bound_us,
            process_head: canonical::digest(&self.process_head)?,
            certificate_sm3: canonical::digest(&self.certificate_sm3)?,
            admitted_at_ms: self.admitted_at_ms,
            tx_id: canonical::digest(&self.tx_id)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use smkit::sm3::sm3;

    use super::*;

    #[test]
    fn entries_read_back_and_gates_are_named() {
        let entry = DirectoryEntry {
            id: "CC22010011220100MB9999999R2026112200000000012ZU".parse().unwrap(),
            record_sm3: sm3(b"record"),
            record_tx_id: sm3(b"record tx"),
            msp_id: "ChangchunMSP".to_owned(),
            filing_number: "吉网信备22010624273626860016号".to_owned(),
            authority_sm3: sm3(b"ca"),
            time_bound_us: 900,
            process_head: sm3(b"head"),
            certificate_sm3: sm3(b"pdf"),
            admitted_at_ms: 1_795_312_800_000,
            tx_id: sm3(b"tx"),
        };
        assert_eq!(DirectoryEntry::from_bytes(&entry.to_bytes()), Ok(entry.clone()));
        let page = DirectoryPage { entries: vec![entry.clone()], cursor: "c".to_owned() };
        assert_eq!(DirectoryPage::from_bytes(&page.to_bytes()), Ok(page));
        let odd = DirectoryEntry { filing_number: "1".to_owned(), ..entry };
        assert!(DirectoryEntry::from_bytes(&odd.to_bytes()).is_err());
        let gates = [Gate::Time, Gate::Certificate];
        assert_eq!(Gate::from_payload(&Gate::to_payload(&gates)), gates);
        assert_eq!(Gate::from_payload(b"EV-0000,\xff"), []);
    }
}
