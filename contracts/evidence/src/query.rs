//! Functions that only read.

use std::collections::VecDeque;

use changbai_contract::{Context, ContractError};
use changbai_core::{
    BusinessType, CivilDate, ErrorCode, EvidenceId, Record, Uscc, canonical, codes,
    contract::{self, ListCursor, RecordPage, StoredRecord, Version, VersionChain},
    evidence_id::serial_text,
    limits::{HISTORY_STEPS_MAX, PAGE_BYTES_MAX, PAGE_RECORDS_MAX, SERIAL_MAX, TIME_MS_MAX},
};
use smkit::Sm3Digest;

use crate::{broken_state, refused, text};

pub(crate) fn get(ctx: &mut dyn Context, id: &EvidenceId) -> Result<Vec<u8>, ContractError> {
    Ok(ctx.get(&contract::record_key(id))?.unwrap_or_default())
}

pub(crate) fn find_duplicate(ctx: &mut dyn Context, key: &[u8]) -> Result<Vec<u8>, ContractError> {
    let key = digest(key)?;
    match ctx.get(&contract::duplicate_key(&key))? {
        Some(id) => Ok(load(ctx, &state_id(&id)?)?.to_bytes()),
        None => Ok(Vec::new()),
    }
}

pub(crate) fn history(ctx: &mut dyn Context, id: &EvidenceId) -> Result<Vec<u8>, ContractError> {
    let mut versions = VecDeque::new();
    let mut truncated = false;
    let Some(stored) = ctx.get(&contract::record_key(id))? else {
        return Ok(VersionChain::default().to_bytes());
    };
    let (version, mut before) = version(&stored)?;
    versions.push_back(version);
    for step in 0..=HISTORY_STEPS_MAX {
        let Some(previous) = before else { break };
        if step == HISTORY_STEPS_MAX {
            truncated = true;
            break;
        }
        let (older, next) = self::version(&load(ctx, &previous)?.to_bytes())?;
        versions.push_front(older);
        before = next;
    }
    let mut after = ctx.get(&contract::next_key(id))?;
    for step in 0..=HISTORY_STEPS_MAX {
        let Some(next) = after else { break };
        if step == HISTORY_STEPS_MAX {
            truncated = true;
            break;
        }
        let next = state_id(&next)?;
        let (newer, _) = self::version(&load(ctx, &next)?.to_bytes())?;
        versions.push_back(newer);
        after = ctx.get(&contract::next_key(&next))?;
    }
    Ok(VersionChain { versions: versions.into(), truncated }.to_bytes())
}

pub(crate) fn find_by_digest(
    ctx: &mut dyn Context,
    sm3: &[u8],
    cursor: &[u8],
    limit: &[u8],
) -> Result<Vec<u8>, ContractError> {
    let sm3 = digest(sm3)?;
    let limit = page_limit(limit)?;
    let (mut from, to) = contract::digest_range(&sm3);
    if !cursor.is_empty() {
        let after: EvidenceId = text(cursor, codes::CURSOR)?
            .parse()
            .map_err(|_| refused(codes::CURSOR, "the cursor is not an evidence id"))?;
        from = following(&contract::digest_key(&sm3, &after));
    }
    let mut page = PageBuilder::new(limit);
    for (key, _) in ctx.range(&from, &to, limit + 1)? {
        let id = key.rsplit('/').next().unwrap_or_default();
        let id = state_id(id.as_bytes())?;
        if !page.push(ctx, &id, || id.to_string())? {
            break;
        }
    }
    Ok(page.finish())
}

pub(crate) fn list(
    ctx: &mut dyn Context,
    business_type: &[u8],
    from: &[u8],
    to: &[u8],
    cursor: &[u8],
    limit: &[u8],
) -> Result<Vec<u8>, ContractError> {
    let types = match text(business_type, codes::BUSINESS_TYPE_UNKNOWN)? {
        "" => BusinessType::ALL.to_vec(),
        code => vec![BusinessType::from_code(code).ok_or_else(|| {
            refused(codes::BUSINESS_TYPE_UNKNOWN, "no business type has this code")
        })?],
    };
    let from_ms = optional_number(from)?.unwrap_or(0);
    let to_ms = optional_number(to)?.unwrap_or(u64::MAX);
    let limit = page_limit(limit)?;
    let cursor = match text(cursor, codes::CURSOR)? {
        "" => None,
        text => Some(
            ListCursor::parse(text)
                .ok_or_else(|| refused(codes::CURSOR, "the cursor is not of this listing"))?,
        ),
    };

    // One more than the page from each type: enough to merge, and to know whether something follows.
    let mut found = Vec::new();
    for business_type in types {
        let (mut start, end) = contract::type_range(business_type, from_ms, to_ms);
        if let Some(after) = &cursor {
            start =
                start.max(following(&contract::type_key(business_type, after.at_ms, &after.id)));
        }
        if start >= end {
            continue;
        }
        for (key, _) in ctx.range(&start, &end, limit + 1)? {
            let entry = contract::parse_type_key(&key);
            found.push(entry.ok_or_else(|| broken_state("a listing key cannot be read"))?);
        }
    }
    found.sort_unstable();
    let mut page = PageBuilder::new(limit);
    for entry in found {
        if !page.push(ctx, &entry.id, || entry.text())? {
            break;
        }
    }
    Ok(page.finish())
}

pub(crate) fn last_serial(
    ctx: &mut dyn Context,
    region: &[u8],
    agency: &[u8],
    date: &[u8],
) -> Result<Vec<u8>, ContractError> {
    let agency: Uscc = text(agency, codes::QUERY)?
        .parse()
        .map_err(|_| refused(codes::QUERY, "the agency is not a unified social credit code"))?;
    let date: CivilDate = text(date, codes::QUERY)?
        .parse()
        .map_err(|_| refused(codes::QUERY, "the day is not a calendar day"))?;
    let prefix = EvidenceId::day_prefix(text(region, codes::QUERY)?, &agency, date)
        .map_err(|error| refused(codes::QUERY, error.to_string()))?;
    let end = format!("rec/{prefix}~");
    let any_from = |ctx: &mut dyn Context, serial: u64| -> Result<bool, ContractError> {
        let serial = serial_text(serial).map_err(|_| broken_state("serial out of bounds"))?;
        Ok(!ctx.range(&format!("rec/{prefix}{serial}"), &end, 1)?.is_empty())
    };
    if !any_from(ctx, 0)? {
        return Ok(Vec::new());
    }
    // Ranges only go upwards, so the last id is found by bisection: some id is at or above `low`, none at or above `high`.
    let (mut low, mut high) = (0, 1);
    while high <= SERIAL_MAX && any_from(ctx, high)? {
        low = high;
        high = high.saturating_mul(2);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if middle <= SERIAL_MAX && any_from(ctx, middle)? {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low.to_string().into_bytes())
}

/// Fills a page until its number of records or bytes is reached.
struct PageBuilder {
    page: RecordPage,
    room: usize,
    bytes: usize,
    last: String,
    more: bool,
}

impl PageBuilder {
    fn new(limit: u32) -> Self {
        let room = usize::try_from(limit).unwrap_or(usize::MAX);
        Self { page: RecordPage::default(), room, bytes: 0, last: String::new(), more: false }
    }

    /// Adds the record; `false` once the page is full, and then it was not added.
    fn push(
        &mut self,
        ctx: &mut dyn Context,
        id: &EvidenceId,
        cursor: impl FnOnce() -> String,
    ) -> Result<bool, ContractError> {
        if self.room == 0 || self.bytes >= PAGE_BYTES_MAX {
            self.more = true;
            return Ok(false);
        }
        let stored = load(ctx, id)?;
        self.room -= 1;
        self.bytes += stored.record.len() + ENTRY_OVERHEAD_BYTES;
        self.page.records.push(stored);
        self.last = cursor();
        Ok(true)
    }

    fn finish(mut self) -> Vec<u8> {
        if self.more {
            self.page.cursor = self.last;
        }
        self.page.to_bytes()
    }
}

fn load(ctx: &mut dyn Context, id: &EvidenceId) -> Result<StoredRecord, ContractError> {
    let stored = ctx.get(&contract::record_key(id))?;
    let stored = stored.ok_or_else(|| broken_state("a key names a record that does not exist"))?;
    StoredRecord::from_bytes(&stored).map_err(|_| broken_state("a record cannot be read"))
}

fn version(stored: &[u8]) -> Result<(Version, Option<EvidenceId>), ContractError> {
    let stored =
        StoredRecord::from_bytes(stored).map_err(|_| broken_state("a record cannot be read"))?;
    let record =
        Record::from_bytes(&stored.record).map_err(|_| broken_state("a record is none"))?;
    let at_ms = record.parts().time.at_ms;
    Ok((Version { id: *record.id(), tx_id: stored.tx_id, at_ms }, record.previous().copied()))
}

fn state_id(value: &[u8]) -> Result<EvidenceId, ContractError> {
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| broken_state("a value is not an evidence id"))
}

/// The least key above `key`.
pub(crate) fn following(key: &str) -> String {
    format!("{key}\0")
}

pub(crate) fn digest(argument: &[u8]) -> Result<Sm3Digest, ContractError> {
    canonical::digest(text(argument, codes::DIGEST)?)
        .ok_or_else(|| refused(codes::DIGEST, "not 64 lower-case hexadecimal digits"))
}

pub(crate) fn page_limit(argument: &[u8]) -> Result<u32, ContractError> {
    number(argument, codes::QUERY)
        .ok()
        .and_then(|limit| u32::try_from(limit).ok())
        .filter(|limit| (1..=PAGE_RECORDS_MAX).contains(limit))
        .ok_or_else(|| refused(codes::QUERY, "the limit must be between 1 and 200"))
}

fn optional_number(argument: &[u8]) -> Result<Option<u64>, ContractError> {
    if argument.is_empty() {
        return Ok(None);
    }
    // Beyond the last possible time all bounds mean the same.
    number(argument, codes::QUERY).map(|n| Some(if n > TIME_MS_MAX { u64::MAX } else { n }))
}

pub(crate) fn number(argument: &[u8], code: ErrorCode) -> Result<u64, ContractError> {
    let digits = text(argument, code)?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain).ok_or_else(|| refused(code, "not a number"))
}

/// Transaction id and length.
const ENTRY_OVERHEAD_BYTES: usize = 36;
