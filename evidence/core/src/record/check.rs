//! What must hold within a record.

use std::collections::BTreeSet;

use changbai_wire::time::UnixMillis;

use super::{Collection, OriginalRef, RecordError, RecordParts};
use crate::{batch::BatchRoot, date::CivilDate, limits, text};

pub(super) fn parts(parts: &RecordParts) -> Result<(), RecordError> {
    let time = &parts.time;
    require(time.at_ms <= limits::TIME_MS_MAX, "time.at_ms", "a time before the year 2286")?;
    let day = CivilDate::in_china(UnixMillis(time.at_ms)).ok();
    require(day == Some(parts.id.date()), "id", "of the day of time.at_ms at UTC+8")?;
    require(parts.id.agency() == parts.agency.code, "id", "of the agency that records")?;
    require(parts.previous != Some(parts.id), "previous", "another record")?;
    agency_names(&parts.agency.msp_id, &parts.agency.name)?;
    collection(&parts.collection)?;
    plain(&parts.submitter.subject, limits::SUBJECT_CHARS_MAX, "submitter.subject")?;
    match &parts.batch {
        Some(batch) => digests(batch, &parts.originals)?,
        None => originals(&parts.originals)?,
    }
    let personal = parts.personal.keys().map(String::as_str);
    parts.business_type.check_recorded(&parts.fields, personal)?;
    Ok(())
}

pub(super) fn original(original: &OriginalRef) -> Result<(), RecordError> {
    require(
        original.size_bytes <= limits::INTEGER_MAX,
        "originals[].size_bytes",
        "at most 2^53 - 1",
    )?;
    require(
        is_media_type(&original.media_type),
        "originals[].media_type",
        "a lower-case media type without parameters",
    )
}

pub(super) fn collection(collection: &Collection) -> Result<(), RecordError> {
    plain(&collection.method, limits::COLLECTION_CHARS_MAX, "collection.method")?;
    plain(&collection.source, limits::COLLECTION_CHARS_MAX, "collection.source")
}

pub(super) fn agency_names(msp_id: &str, name: &str) -> Result<(), RecordError> {
    let identifier = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    require(
        (1..=limits::MSP_ID_BYTES_MAX).contains(&msp_id.len()) && msp_id.bytes().all(identifier),
        "agency.msp_id",
        "1 to 64 letters, digits, dots, hyphens and underscores",
    )?;
    plain(name, limits::AGENCY_NAME_CHARS_MAX, "agency.name")
}

fn originals(list: &[OriginalRef]) -> Result<(), RecordError> {
    require(
        (1..=limits::ORIGINALS_MAX).contains(&list.len()),
        "originals",
        "between 1 and 64 originals",
    )?;
    let mut seen = BTreeSet::new();
    for one in list {
        original(one)?;
        require(seen.insert(one.sm3), "originals", "different from each other")?;
    }
    Ok(())
}

fn digests(batch: &BatchRoot, list: &[OriginalRef]) -> Result<(), RecordError> {
    let max = u64::try_from(limits::BATCH_DIGESTS_MAX).unwrap_or(u64::MAX);
    require((1..=max).contains(&batch.size), "batch.size", "between 1 and 100000")?;
    require(list.is_empty(), "originals", "absent from a batch")
}

pub(super) fn is_media_type(media_type: &str) -> bool {
    // RFC 6838 §4.2, lower case.
    let name = |half: &str| {
        half.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && half
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b))
    };
    media_type.len() <= limits::MEDIA_TYPE_BYTES_MAX
        && media_type.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}

fn plain(text: &str, chars_max: usize, part: &'static str) -> Result<(), RecordError> {
    match text::check(text, chars_max) {
        Ok(()) => Ok(()),
        Err(text::TextProblem::Empty) => Err(RecordError::Part { part, expected: "not empty" }),
        Err(text::TextProblem::TooLong) => Err(RecordError::Part { part, expected: "shorter" }),
        Err(text::TextProblem::Form) => {
            Err(RecordError::Part { part, expected: "text without control characters" })
        }
    }
}

fn require(condition: bool, part: &'static str, expected: &'static str) -> Result<(), RecordError> {
    if condition { Ok(()) } else { Err(RecordError::Part { part, expected }) }
}
