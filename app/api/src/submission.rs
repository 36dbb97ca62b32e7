//! The bodies of `POST /evidence`, parsed: pure functions from bytes to a submission.

use std::collections::BTreeMap;
use std::fmt;

use changbai_core::business::{BusinessType, FieldError};
use changbai_core::{Collection, CustodyMode, EvidenceId, OriginalRef, RecordError, codes};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use smkit::sm3::Sm3Digest;
use utoipa::ToSchema;

use crate::domain::of_code;
use crate::problem::{Code, Problem};

#[cfg(test)]
mod tests;

/// What a submission says besides its originals: the `metadata` part, and the JSON body's other members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The business type; `general` when none is named.
    pub business_type: BusinessType,
    /// Fields by their English or Chinese names, already checked against the business type.
    pub fields: BTreeMap<String, String>,
    /// The record that this one is a new version of.
    pub previous: Option<EvidenceId>,
    /// How the originals were collected.
    pub collection: Collection,
}

/// The JSON body of `POST /evidence` for originals that stay with the submitter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "business_type": "general",
    "fields": {"title": "采购合同"},
    "originals": [{"sm3": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
                   "size_bytes": 3, "media_type": "application/pdf"}]
}))]
pub struct SubmissionBody {
    /// `general`, `real_estate_registration`, `administrative_penalty`, `public_resource_trading`, or the
    /// Chinese name; `general` when absent.
    #[serde(default)]
    business_type: Option<String>,
    /// Fields of the business type, by English or Chinese name.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    fields: Fields,
    /// The originals, 1 to 64, in order.
    originals: Vec<OriginalBody>,
    /// Id of the record that this one is a new version of.
    #[serde(default)]
    previous: Option<String>,
    /// How the originals were collected.
    #[serde(default)]
    collection: Option<CollectionBody>,
}

/// The `metadata` part of a multipart submission: the same without `originals`, which follow as parts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MetadataBody {
    /// As in the JSON body.
    #[serde(default)]
    business_type: Option<String>,
    /// As in the JSON body.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    fields: Fields,
    /// As in the JSON body.
    #[serde(default)]
    previous: Option<String>,
    /// As in the JSON body.
    #[serde(default)]
    collection: Option<CollectionBody>,
}

/// One original by digest.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OriginalBody {
    /// SM3 of the original, 64 lower-case hex digits.
    sm3: String,
    /// Length in bytes.
    size_bytes: u64,
    /// Media type without parameters; `application/octet-stream` when absent.
    #[serde(default)]
    media_type: Option<String>,
}

/// How the originals were collected before they came here.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectionBody {
    /// By which means, such as `upload` or `scan`.
    method: String,
    /// From where, such as the name of a business system.
    source: String,
}

/// The media type of an original whose type nobody said.
pub(crate) const MEDIA_TYPE_DEFAULT: &str = "application/octet-stream";

/// Parses the JSON body of a submission by digest: an entry point for fuzzing.
///
/// # Errors
/// A problem with a pointer to the first fault.
pub fn parse_submission(bytes: &[u8]) -> Result<(Metadata, Vec<OriginalRef>), Problem> {
    let body: SubmissionBody = json(bytes)?;
    let mut originals = Vec::with_capacity(body.originals.len().min(64));
    for (index, original) in body.originals.into_iter().enumerate() {
        originals.push(original.checked(index)?);
    }
    check_originals(&originals)?;
    let rest = MetadataBody {
        business_type: body.business_type,
        fields: body.fields,
        previous: body.previous,
        collection: body.collection,
    };
    Ok((rest.checked()?, originals))
}

/// Parses the `metadata` part of a multipart submission: an entry point for fuzzing.
///
/// # Errors
/// A problem with a pointer to the first fault.
pub fn parse_metadata(bytes: &[u8]) -> Result<Metadata, Problem> {
    json::<MetadataBody>(bytes)?.checked()
}

/// What every list of originals must hold to before anything is stored or submitted.
pub(crate) fn check_originals(originals: &[OriginalRef]) -> Result<(), Problem> {
    let max = changbai_core::limits::ORIGINALS_MAX;
    if originals.is_empty() || originals.len() > max {
        return Err(of_code(&codes::ORIGINALS).at("/originals", format!("1 to {max} are needed")));
    }
    for (index, original) in originals.iter().enumerate() {
        let pointer = format!("/originals/{index}");
        if let Err(error) = original.check() {
            return Err(of_code(&codes::ORIGINALS).at(pointer, error.to_string()));
        }
        if originals.iter().take(index).any(|earlier| earlier.sm3 == original.sm3) {
            return Err(of_code(&codes::ORIGINALS).at(pointer, "the same original twice"));
        }
    }
    Ok(())
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            business_type: BusinessType::General,
            fields: BTreeMap::new(),
            previous: None,
            collection: Collection::default(),
        }
    }
}

impl MetadataBody {
    pub(crate) fn checked(self) -> Result<Metadata, Problem> {
        let business_type = match self.business_type {
            None => BusinessType::General,
            Some(text) => {
                text.parse().map_err(|error: changbai_core::business::UnknownBusinessType| {
                    of_code(&codes::BUSINESS_TYPE_UNKNOWN).at("/business_type", error.to_string())
                })?
            }
        };
        business_type.check(&self.fields.0).map_err(|error| field_problem(&error))?;
        let previous = self.previous.map(|text| evidence_id(&text, "/previous")).transpose()?;
        let collection = match self.collection {
            None => Collection::default(),
            Some(body) => {
                Collection::new(&body.method, &body.source).map_err(|error: RecordError| {
                    of_code(&codes::PROVENANCE).at("/collection", error.to_string())
                })?
            }
        };
        Ok(Metadata { business_type, fields: self.fields.0, previous, collection })
    }
}

impl OriginalBody {
    fn checked(self, index: usize) -> Result<OriginalRef, Problem> {
        let sm3 = digest(&self.sm3, &format!("/originals/{index}/sm3"))?;
        let media_type = self.media_type.unwrap_or_else(|| MEDIA_TYPE_DEFAULT.to_owned());
        Ok(OriginalRef {
            sm3,
            size_bytes: self.size_bytes,
            media_type,
            custody: CustodyMode::Submitter,
        })
    }
}

/// Reads an SM3 digest in lower-case hex.
pub(crate) fn digest(text: &str, pointer: &str) -> Result<Sm3Digest, Problem> {
    let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    text.parse().ok().filter(|_| lower).ok_or_else(|| {
        of_code(&codes::DIGEST).at(pointer, "64 lower-case hexadecimal digits are needed")
    })
}

/// Reads an evidence id.
pub(crate) fn evidence_id(text: &str, pointer: &str) -> Result<EvidenceId, Problem> {
    text.parse().map_err(|error: changbai_core::EvidenceIdError| {
        of_code(&codes::EVIDENCE_ID).at(pointer, error.to_string())
    })
}

/// The problem of a refused field; the detail names fields, never values.
pub(crate) fn field_problem(error: &FieldError) -> Problem {
    let (code, name) = match error {
        FieldError::Missing { name, .. } => (&codes::FIELD_MISSING, *name),
        FieldError::TooLong { name, .. } => (&codes::FIELD_TOO_LONG, *name),
        FieldError::Format { name, .. } => (&codes::FIELD_FORMAT, *name),
        FieldError::Twice { name, .. } => (&codes::FIELD_TWICE, *name),
        // The unknown name is the client's own text: it stays in the detail, out of the pointer.
        _ => (&codes::FIELD_UNKNOWN, ""),
    };
    let pointer = if name.is_empty() { "/fields".to_owned() } else { format!("/fields/{name}") };
    of_code(code).at(pointer, error.to_string())
}

/// Reads strict JSON of a known shape.
pub(crate) fn json<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        // The category and place only: serde's messages may quote the body.
        let place = format!("line {} column {}", error.line(), error.column());
        let what = match error.classify() {
            serde_json::error::Category::Data => {
                "a member is unknown, missing or of the wrong type"
            }
            serde_json::error::Category::Eof => "the body ends early",
            _ => "this is not JSON",
        };
        Problem::new(Code::Malformed).technical(format!("{what}, at {place}"))
    })
}

/// Field values by name; a name given twice is an error instead of a silent choice.
#[derive(Debug, Default)]
struct Fields(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            if fields.insert(name, value).is_some() {
                return Err(A::Error::custom("a field is given twice"));
            }
        }
        Ok(Fields(fields))
    }
}
