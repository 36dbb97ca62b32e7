//! The evidence record (存证记录): what the ledger holds about one submission.

mod check;
mod json;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, sync::Arc};

use smkit::sm3::{Sm3Digest, sm3, sm3_parts};

use crate::{
    batch::BatchRoot,
    business::{BusinessType, FieldError},
    canonical::{self, CanonicalError},
    codes::{self, ErrorCode},
    commitment::Commitment,
    domain,
    evidence_id::{EvidenceId, EvidenceIdError},
    limits::RECORD_BYTES_MAX,
    uscc::Uscc,
};

/// An evidence record (存证记录), always valid and together with its one encoding. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Record(Arc<Inner>);

#[derive(PartialEq, Eq)]
struct Inner {
    parts: RecordParts,
    bytes: Vec<u8>,
}

/// The content of a record, for building one and for reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordParts {
    /// Its id; agency and day agree with `agency` and `time`.
    pub id: EvidenceId,
    /// The agency that records.
    pub agency: Agency,
    /// The digests that the record stands for; then it names no originals.
    pub batch: Option<BatchRoot>,
    /// Decides which fields there are.
    pub business_type: BusinessType,
    /// How the originals were collected.
    pub collection: Collection,
    /// Public fields, by key.
    pub fields: BTreeMap<String, String>,
    /// The originals, 1 to 64, each once, in the submitter's order; none with a `batch`.
    pub originals: Vec<OriginalRef>,
    /// Commitments to personal fields, by key.
    pub personal: BTreeMap<String, Commitment>,
    /// The record that this one is a new version of.
    pub previous: Option<EvidenceId>,
    /// Who submitted.
    pub submitter: SubmitterRef,
    /// When.
    pub time: RecordTime,
}

/// The agency (机关) that records an evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agency {
    /// Its unified social credit code.
    pub code: Uscc,
    /// Its organisation on the ledger.
    pub msp_id: String,
    /// Its name.
    pub name: String,
}

/// How the originals were collected before they reached the ledger (在线诉讼规则 art. 17, 18).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// By which means, such as `upload` or `scan`.
    pub method: String,
    /// From where, such as `rest` or the name of a business system.
    pub source: String,
}

/// One original (原件), named by its digest only: file names may hold names of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRef {
    /// SM3 of all its bytes.
    pub sm3: Sm3Digest,
    /// Its length.
    pub size_bytes: u64,
    /// Lower-case media type without parameters, such as `application/pdf`.
    pub media_type: String,
    /// Who keeps it.
    pub custody: CustodyMode,
}

/// Who keeps an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CustodyMode {
    /// The platform, in an encrypted envelope.
    Platform,
    /// The submitter; the platform knows the digest only.
    Submitter,
}

/// The submitter, by certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmitterRef {
    /// SM3 of the certificate's DER.
    pub certificate_sm3: Sm3Digest,
    /// The certificate's subject, RFC 4514.
    pub subject: String,
}

/// The platform's time of a record, with what is known about its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordTime {
    /// Unix milliseconds.
    pub at_ms: u64,
    /// Bound of the error in microseconds. `None`: nobody measured it, and the source reads `local`;
    /// `Some`: the clock is disciplined, and the source reads `synchronised`.
    pub bound_us: Option<u32>,
}

/// Why bytes or parts are not a record. Never repeats a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// Not the canonical JSON of a record.
    #[error(transparent)]
    Encoding(#[from] CanonicalError),
    /// A format version other than 1 (originals) and 2 (a batch), or that of the other sort.
    #[error("record format {found} is not known")]
    Format {
        /// The version found.
        found: u64,
    },
    /// `id` or `previous` is no evidence id.
    #[error("{part} is not an evidence id")]
    Id {
        /// `id` or `previous`.
        part: &'static str,
        /// Why.
        #[source]
        reason: EvidenceIdError,
    },
    /// A part of the record is not what it must be.
    #[error("{part} must be {expected}")]
    Part {
        /// Path of the part, such as `originals[].media_type`.
        part: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A field does not follow the schema of the business type.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl Record {
    /// The record with these parts.
    ///
    /// # Errors
    /// [`RecordError`] naming the first part that is not allowed, or a size above 64 KiB.
    pub fn new(parts: RecordParts) -> Result<Self, RecordError> {
        check::parts(&parts)?;
        let bytes = canonical::to_bytes(&json::Json::from(&parts))?;
        if bytes.len() > RECORD_BYTES_MAX {
            let found_bytes = bytes.len();
            return Err(
                CanonicalError::TooLarge { found_bytes, max_bytes: RECORD_BYTES_MAX }.into()
            );
        }
        Ok(Self(Arc::new(Inner { parts, bytes })))
    }

    /// Reads a record from exactly the bytes that [`to_bytes`](Self::to_bytes) writes.
    ///
    /// # Errors
    /// [`RecordError`] for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        let json: json::Json = canonical::from_bytes(bytes, RECORD_BYTES_MAX)?;
        let parts = RecordParts::try_from(json)?;
        check::parts(&parts)?;
        Ok(Self(Arc::new(Inner { parts, bytes: bytes.to_vec() })))
    }

    /// The canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// A copy of the canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.bytes.clone()
    }

    /// SM3 of the canonical bytes: what any SM3 tool prints for `record.json`.
    pub fn digest(&self) -> Sm3Digest {
        sm3(&self.0.bytes)
    }

    /// Everything in it.
    pub fn parts(&self) -> &RecordParts {
        &self.0.parts
    }

    /// Its id.
    pub fn id(&self) -> &EvidenceId {
        &self.0.parts.id
    }

    /// Its originals.
    pub fn originals(&self) -> &[OriginalRef] {
        &self.0.parts.originals
    }

    /// The digests that it stands for, if it is a batch.
    pub fn batch(&self) -> Option<&BatchRoot> {
        self.0.parts.batch.as_ref()
    }

    /// The record that this one is a new version of.
    pub fn previous(&self) -> Option<&EvidenceId> {
        self.0.parts.previous.as_ref()
    }

    /// The key under which there is at most one record.
    pub fn duplicate_key(&self) -> Sm3Digest {
        let parts = self.parts();
        let (msp_id, subject) = (&parts.agency.msp_id, &parts.submitter.subject);
        match &parts.batch {
            Some(batch) => batch_duplicate_key(msp_id, subject, parts.business_type, batch),
            None => {
                let originals = parts.originals.iter().map(|original| &original.sm3);
                duplicate_key(msp_id, subject, parts.business_type, originals)
            }
        }
    }
}

/// SM3(`changbai/core/duplicate/v1` ‖ organisation ‖ submitter's subject ‖ business type ‖ u32 number of originals ‖
/// their digests in order), each text behind its u32 length in bytes, integers big-endian.
pub fn duplicate_key<'a>(
    msp_id: &str,
    subject: &str,
    business_type: BusinessType,
    originals: impl ExactSizeIterator<Item = &'a Sm3Digest>,
) -> Sm3Digest {
    let mut bytes = key_head(domain::DUPLICATE, msp_id, subject, business_type);
    bytes.extend(u32::try_from(originals.len()).unwrap_or(u32::MAX).to_be_bytes());
    for original in originals {
        bytes.extend(original.as_bytes());
    }
    sm3_parts(&[&bytes])
}

/// SM3(`changbai/core/batch-duplicate/v1` ‖ organisation ‖ submitter's subject ‖ business type ‖ root ‖ u64 size), texts
/// and integers as in [`duplicate_key`]. The root stands for the digests and their order.
pub fn batch_duplicate_key(
    msp_id: &str,
    subject: &str,
    business_type: BusinessType,
    batch: &BatchRoot,
) -> Sm3Digest {
    let mut bytes = key_head(domain::BATCH_DUPLICATE, msp_id, subject, business_type);
    bytes.extend(batch.root.as_bytes());
    bytes.extend(batch.size.to_be_bytes());
    sm3_parts(&[&bytes])
}

fn key_head(domain: &[u8], msp_id: &str, subject: &str, business_type: BusinessType) -> Vec<u8> {
    let mut bytes = domain.to_vec();
    for text in [msp_id, subject, business_type.code()] {
        bytes.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// Whether `text` is a lower-case media type without parameters.
pub(crate) fn is_media_type(text: &str) -> bool {
    check::is_media_type(text)
}

/// Checks the names of an agency.
pub(crate) fn check_agency(msp_id: &str, name: &str) -> Result<(), RecordError> {
    check::agency_names(msp_id, name)
}

impl RecordError {
    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Encoding(CanonicalError::TooLarge { .. }) => codes::RECORD_TOO_LARGE,
            Self::Encoding(_) | Self::Format { .. } => codes::RECORD_MALFORMED,
            Self::Id { .. } => codes::EVIDENCE_ID,
            Self::Part { part: "business_type", .. } => codes::BUSINESS_TYPE_UNKNOWN,
            Self::Part { part, .. }
                if part.starts_with("originals") || part.starts_with("batch") =>
            {
                codes::ORIGINALS
            }
            Self::Part { .. } => codes::PROVENANCE,
            Self::Field(error) => error.code(),
        }
    }
}

impl OriginalRef {
    /// Checks the size and the media type.
    ///
    /// # Errors
    /// [`RecordError::Part`].
    pub fn check(&self) -> Result<(), RecordError> {
        check::original(self)
    }
}

impl CustodyMode {
    /// `platform` or `submitter`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Submitter => "submitter",
        }
    }
}

impl RecordTime {
    /// `local` or `synchronised`.
    pub fn source(&self) -> &'static str {
        if self.bound_us.is_some() { "synchronised" } else { "local" }
    }
}

impl Collection {
    /// Collected by `method` from `source`.
    ///
    /// # Errors
    /// [`RecordError::Part`] if a text is empty, longer than 200 characters, or holds control characters.
    pub fn new(method: &str, source: &str) -> Result<Self, RecordError> {
        let collection = Self { method: method.to_owned(), source: source.to_owned() };
        check::collection(&collection)?;
        Ok(collection)
    }
}

impl Default for Collection {
    /// Uploaded through the platform's interface.
    fn default() -> Self {
        Self { method: "upload".to_owned(), source: "api".to_owned() }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Record").field(&self.0.parts).finish()
    }
}
