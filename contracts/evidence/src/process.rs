//! Anchors of process logs, and courts' queries.

use changbai_contract::{Context, ContractError};
use changbai_core::{
    EvidenceId, canonical, codes,
    contract::{self, AnchoredProcess, NotedQuery, Purpose, QueryPage},
    limits::{INTEGER_MAX, MSP_ID_BYTES_MAX, TIME_MS_MAX},
};
use smkit::Sm3Digest;

use crate::{
    broken_state, evidence_id,
    query::{digest, following, number, page_limit},
    refused, text,
};

/// The caller's own log only: the key holds the caller's certificate, which the endorsers have seen.
pub(crate) fn anchor(
    ctx: &mut dyn Context,
    numbers: [&[u8]; 3],
    page_hash: &[u8],
    root: &[u8],
) -> Result<Vec<u8>, ContractError> {
    let mut read = [0; 3];
    for (to, from) in read.iter_mut().zip(numbers) {
        *to = number(from, codes::QUERY)?;
    }
    let [batch, page, heads] = read;
    if batch == 0 || batch.max(page).max(heads) > INTEGER_MAX {
        return Err(refused(codes::QUERY, "the anchor's numbers are out of bounds"));
    }
    let certificate = ctx.caller().certificate_sm3;
    let anchor = AnchoredProcess {
        batch,
        page,
        page_hash: digest(page_hash)?,
        root: digest(root)?,
        heads,
        tx_id: tx_id(ctx)?,
    };
    let key = contract::anchor_key(&certificate, batch);
    if let Some(first) = ctx.get(&key)? {
        let first = AnchoredProcess::from_bytes(&first)
            .map_err(|_| broken_state("an anchor cannot be read"))?;
        if (AnchoredProcess { tx_id: first.tx_id, ..anchor }) == first {
            return Ok(first.to_bytes());
        }
        let message = "another anchor of this log has the number";
        return Err(refused(codes::ANCHOR_TAKEN, message));
    }
    let last = last(ctx, &certificate)?;
    if last.is_some_and(|last| last.batch >= batch || last.page >= page) {
        return Err(refused(codes::ANCHOR_TAKEN, "an anchor covers more than the one before it"));
    }
    ctx.put(&key, anchor.to_bytes())?;
    ctx.put(&contract::last_anchor_key(&certificate), batch.to_string().into_bytes())?;
    Ok(anchor.to_bytes())
}

pub(crate) fn last_anchor(
    ctx: &mut dyn Context,
    certificate: &[u8],
) -> Result<Vec<u8>, ContractError> {
    let certificate = digest(certificate)?;
    Ok(last(ctx, &certificate)?.map(|anchor| anchor.to_bytes()).unwrap_or_default())
}

fn last(
    ctx: &mut dyn Context,
    certificate: &Sm3Digest,
) -> Result<Option<AnchoredProcess>, ContractError> {
    let Some(batch) = ctx.get(&contract::last_anchor_key(certificate))? else { return Ok(None) };
    let batch = number(&batch, codes::QUERY).map_err(|_| broken_state("an anchor's number"))?;
    let anchor = ctx.get(&contract::anchor_key(certificate, batch))?;
    let anchor = anchor.and_then(|bytes| AnchoredProcess::from_bytes(&bytes).ok());
    anchor.map(Some).ok_or_else(|| broken_state("an anchor cannot be read"))
}

pub(crate) fn note_query(
    ctx: &mut dyn Context,
    case: &[u8],
    purpose: &[u8],
    requester: &[u8],
    msp_id: &[u8],
    records: &[Vec<u8>],
) -> Result<Vec<u8>, ContractError> {
    if records.len() > contract::QUERY_RECORDS_MAX {
        return Err(refused(codes::QUERY, "a query names at most 64 records"));
    }
    let purpose = Purpose::from_code(text(purpose, codes::QUERY)?)
        .ok_or_else(|| refused(codes::QUERY, "no such purpose of a query"))?;
    let msp_id = text(msp_id, codes::QUERY)?;
    if !(1..=MSP_ID_BYTES_MAX).contains(&msp_id.len()) {
        return Err(refused(codes::QUERY, "the requester's organisation has no name"));
    }
    let at_ms = ctx.time_ms();
    if at_ms > TIME_MS_MAX {
        return Err(refused(codes::QUERY, "the query's time is out of bounds"));
    }
    let mut query = NotedQuery {
        at_ms,
        case: digest(case)?,
        purpose,
        requester: digest(requester)?,
        requester_msp_id: msp_id.to_owned(),
        answered_by: ctx.caller().msp_id.to_owned(),
        record: None,
        tx_id: tx_id(ctx)?,
    };
    let tail = contract::query_tail(at_ms, &query.tx_id);
    for record in records {
        let id = evidence_id(record)?;
        if ctx.get(&contract::record_key(&id))?.is_none() {
            return Err(refused(codes::NOT_FOUND, "a record that the query names does not exist"));
        }
        query.record = Some(id);
        ctx.put(&contract::record_query_key(&id, &tail), query.to_bytes())?;
        ctx.put(&contract::case_query_key(&query.case, &tail, Some(&id)), query.to_bytes())?;
    }
    if records.is_empty() {
        ctx.put(&contract::case_query_key(&query.case, &tail, None), query.to_bytes())?;
    }
    Ok(query.tx_id.to_string().into_bytes())
}

pub(crate) fn queries_of(
    ctx: &mut dyn Context,
    id: &EvidenceId,
    cursor: &[u8],
    limit: &[u8],
) -> Result<Vec<u8>, ContractError> {
    page(ctx, &format!("cqr/{id}"), cursor, limit)
}

pub(crate) fn queries_of_case(
    ctx: &mut dyn Context,
    case: &[u8],
    cursor: &[u8],
    limit: &[u8],
) -> Result<Vec<u8>, ContractError> {
    let case = digest(case)?;
    page(ctx, &format!("cqc/{case}"), cursor, limit)
}

/// One page of the queries below a prefix; the cursor is what follows the prefix in the last key.
fn page(
    ctx: &mut dyn Context,
    prefix: &str,
    cursor: &[u8],
    limit: &[u8],
) -> Result<Vec<u8>, ContractError> {
    let limit = page_limit(limit)?;
    let cursor = text(cursor, codes::CURSOR)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'/' || b == b'-';
    if cursor.len() > CURSOR_BYTES_MAX || !cursor.bytes().all(plain) {
        return Err(refused(codes::CURSOR, "the cursor is not of this listing"));
    }
    let start = match cursor {
        "" => format!("{prefix}/"),
        cursor => following(&format!("{prefix}/{cursor}")),
    };
    let found = ctx.range(&start, &format!("{prefix}0"), limit + 1)?;
    let more = found.len() > limit as usize;
    let mut page = QueryPage::default();
    for (key, value) in found.iter().take(limit as usize) {
        let query = NotedQuery::from_bytes(value);
        page.queries.push(query.map_err(|_| broken_state("a query cannot be read"))?);
        if more {
            let tail = key.strip_prefix(prefix).and_then(|tail| tail.strip_prefix('/'));
            page.cursor = tail.unwrap_or_default().to_owned();
        }
    }
    Ok(page.to_bytes())
}

fn tx_id(ctx: &dyn Context) -> Result<Sm3Digest, ContractError> {
    canonical::digest(ctx.tx_id())
        .ok_or_else(|| broken_state("the transaction id is not 64 hexadecimal digits"))
}

/// A time, a transaction id and an evidence id, with two slashes.
const CURSOR_BYTES_MAX: usize = 13 + 64 + 47 + 2;
