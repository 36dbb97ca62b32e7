//! `Create`: the only function that writes.

use changbai_contract::{Context, ContractError};
use changbai_core::{EvidenceId, Record, canonical, codes, contract, contract::StoredRecord};

use crate::{broken_state, refused, refused_with};

pub(crate) fn create(ctx: &mut dyn Context, bytes: &[u8]) -> Result<Vec<u8>, ContractError> {
    let record =
        Record::from_bytes(bytes).map_err(|error| refused(error.code(), error.to_string()))?;
    let agency = &record.parts().agency;
    if ctx.caller().msp_id != agency.msp_id {
        return Err(refused(codes::FOREIGN_AGENCY, "the caller is not of the record's agency"));
    }

    let id = *record.id();
    let record_key = contract::record_key(&id);
    if ctx.get(&record_key)?.is_some() {
        return Err(refused(codes::ID_TAKEN, "the evidence id is already in use"));
    }
    let duplicate_key = contract::duplicate_key(&record.duplicate_key());
    if let Some(first) = ctx.get(&duplicate_key)? {
        return Err(refused_with(codes::DUPLICATE, "already recorded", first));
    }
    if let Some(previous) = record.previous() {
        link(ctx, &record, previous)?;
    }

    let tx_id = canonical::digest(ctx.tx_id())
        .ok_or_else(|| broken_state("the transaction id is not 64 hexadecimal digits"))?;
    let stored = StoredRecord { tx_id, record: bytes.to_vec() };
    ctx.put(&record_key, stored.to_bytes())?;
    ctx.put(&duplicate_key, id.to_string().into_bytes())?;
    for original in record.originals() {
        ctx.put(&contract::digest_key(&original.sm3, &id), Vec::new())?;
    }
    let parts = record.parts();
    ctx.put(&contract::type_key(parts.business_type, parts.time.at_ms, &id), Vec::new())?;
    Ok(id.to_string().into_bytes())
}

/// Makes `record` the successor of `previous`.
fn link(
    ctx: &mut dyn Context,
    record: &Record,
    previous: &EvidenceId,
) -> Result<(), ContractError> {
    let Some(stored) = ctx.get(&contract::record_key(previous))? else {
        return Err(refused(codes::PREVIOUS_NOT_FOUND, "the previous record does not exist"));
    };
    let before = StoredRecord::from_bytes(&stored)
        .ok()
        .and_then(|stored| Record::from_bytes(&stored.record).ok())
        .ok_or_else(|| broken_state("the previous record cannot be read"))?;
    let agency = &record.parts().agency;
    if before.parts().agency.msp_id != agency.msp_id || before.parts().agency.code != agency.code {
        return Err(refused(codes::FOREIGN_PREVIOUS, "the previous record is another agency's"));
    }
    let next_key = contract::next_key(previous);
    if let Some(next) = ctx.get(&next_key)? {
        let message = "the previous record already has a newer version";
        return Err(refused_with(codes::PREVIOUS_NOT_LATEST, message, next));
    }
    let digests = |record: &Record| record.originals().iter().map(|o| o.sm3).collect::<Vec<_>>();
    if before.batch() == record.batch() && digests(&before) == digests(record) {
        return Err(refused(codes::PREVIOUS_SAME, "a new version has other originals"));
    }
    ctx.put(&next_key, record.id().to_string().into_bytes())
}
