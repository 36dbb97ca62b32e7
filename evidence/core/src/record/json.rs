//! The JSON shape of a record. Fields stand in the order of their names: that is the canonical order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Agency, Collection, CustodyMode, OriginalRef, RecordError, RecordParts, RecordTime,
    SubmitterRef,
};
use crate::{batch::BatchRoot, business::BusinessType, canonical, evidence_id::EvidenceId};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Json {
    agency: JsonAgency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    batch: Option<JsonBatch>,
    business_type: String,
    collection: JsonCollection,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, String>,
    format: u64,
    id: String,
    originals: Vec<JsonOriginal>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    personal: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    submitter: JsonSubmitter,
    time: JsonTime,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonAgency {
    code: String,
    msp_id: String,
    name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonBatch {
    root: String,
    size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonCollection {
    method: String,
    source: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonOriginal {
    custody: String,
    media_type: String,
    size_bytes: u64,
    sm3: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonSubmitter {
    certificate_sm3: String,
    subject: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonTime {
    at_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bound_us: Option<u32>,
    source: String,
}

impl From<&RecordParts> for Json {
    fn from(parts: &RecordParts) -> Self {
        let original = |original: &OriginalRef| JsonOriginal {
            custody: original.custody.code().to_owned(),
            media_type: original.media_type.clone(),
            size_bytes: original.size_bytes,
            sm3: original.sm3.to_string(),
        };
        Self {
            agency: JsonAgency {
                code: parts.agency.code.to_string(),
                msp_id: parts.agency.msp_id.clone(),
                name: parts.agency.name.clone(),
            },
            batch: parts
                .batch
                .map(|batch| JsonBatch { root: batch.root.to_string(), size: batch.size }),
            business_type: parts.business_type.code().to_owned(),
            collection: JsonCollection {
                method: parts.collection.method.clone(),
                source: parts.collection.source.clone(),
            },
            fields: parts.fields.clone(),
            format: format_of(parts.batch.is_some()),
            id: parts.id.to_string(),
            originals: parts.originals.iter().map(original).collect(),
            personal: parts.personal.iter().map(|(k, v)| (k.clone(), v.to_string())).collect(),
            previous: parts.previous.map(|id| id.to_string()),
            submitter: JsonSubmitter {
                certificate_sm3: parts.submitter.certificate_sm3.to_string(),
                subject: parts.submitter.subject.clone(),
            },
            time: JsonTime {
                at_ms: parts.time.at_ms,
                bound_us: parts.time.bound_us,
                source: parts.time.source().to_owned(),
            },
        }
    }
}

impl TryFrom<Json> for RecordParts {
    type Error = RecordError;

    fn try_from(json: Json) -> Result<Self, RecordError> {
        if json.format != format_of(json.batch.is_some()) {
            return Err(RecordError::Format { found: json.format });
        }
        let business_type = BusinessType::from_code(&json.business_type)
            .ok_or_else(|| part("business_type", "a known code"))?;
        let personal = json.personal.into_iter().map(|(name, text)| {
            Ok((name, text.parse().map_err(|_| part("personal", "64 hexadecimal digits"))?))
        });
        let code = json.agency.code.parse();
        let time = RecordTime { at_ms: json.time.at_ms, bound_us: json.time.bound_us };
        if json.time.source != time.source() {
            return Err(part("time.source", "local without a bound, synchronised with one"));
        }
        let certificate_sm3 = canonical::digest(&json.submitter.certificate_sm3)
            .ok_or_else(|| part("submitter.certificate_sm3", "64 hexadecimal digits"))?;
        Ok(Self {
            id: evidence_id("id", &json.id)?,
            agency: Agency {
                code: code.map_err(|_| part("agency.code", "a unified social credit code"))?,
                msp_id: json.agency.msp_id,
                name: json.agency.name,
            },
            batch: json.batch.map(batch).transpose()?,
            business_type,
            collection: Collection {
                method: json.collection.method,
                source: json.collection.source,
            },
            fields: json.fields,
            originals: json.originals.into_iter().map(original).collect::<Result<_, _>>()?,
            personal: personal.collect::<Result<_, RecordError>>()?,
            previous: json.previous.map(|id| evidence_id("previous", &id)).transpose()?,
            submitter: SubmitterRef { certificate_sm3, subject: json.submitter.subject },
            time,
        })
    }
}

fn original(json: JsonOriginal) -> Result<OriginalRef, RecordError> {
    let custody = [CustodyMode::Platform, CustodyMode::Submitter]
        .into_iter()
        .find(|mode| mode.code() == json.custody)
        .ok_or_else(|| part("originals[].custody", "platform or submitter"))?;
    let sm3 = canonical::digest(&json.sm3)
        .ok_or_else(|| part("originals[].sm3", "64 lower-case hexadecimal digits"))?;
    Ok(OriginalRef { sm3, size_bytes: json.size_bytes, media_type: json.media_type, custody })
}

fn batch(json: JsonBatch) -> Result<BatchRoot, RecordError> {
    let root = canonical::digest(&json.root)
        .ok_or_else(|| part("batch.root", "64 lower-case hexadecimal digits"))?;
    Ok(BatchRoot { root, size: json.size })
}

/// Records of originals keep the number, and the bytes, that they always had.
const fn format_of(batch: bool) -> u64 {
    if batch { FORMAT_BATCH } else { FORMAT }
}

fn evidence_id(part: &'static str, text: &str) -> Result<EvidenceId, RecordError> {
    text.parse().map_err(|reason| RecordError::Id { part, reason })
}

fn part(part: &'static str, expected: &'static str) -> RecordError {
    RecordError::Part { part, expected }
}

const FORMAT: u64 = 1;
const FORMAT_BATCH: u64 = 2;
