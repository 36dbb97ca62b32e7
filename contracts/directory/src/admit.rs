//! `Admit`: every gate is asked, and only a record that passes all of them gets an entry.

use changbai_contract::{Context, ContractError};
use changbai_core::{
    EvidenceId, Record, canonical, codes, contract,
    contract::StoredRecord,
    directory::{self, DirectoryEntry, Gate},
    limits::TIME_MS_MAX,
};
use changbai_msp::Identity;
use smkit::sm3;

use crate::{broken_state, gates, refused, text};

/// What the caller shows beside the ledger's state.
pub(crate) struct Shown<'a> {
    /// SM3 of the certificate's document, hexadecimal.
    pub(crate) certificate: &'a [u8],
    /// The submitter's certificate, DER.
    pub(crate) submitter: &'a [u8],
    /// Its authority's certificate, DER.
    pub(crate) authority: &'a [u8],
    /// `process.json`.
    pub(crate) process: &'a [u8],
}

pub(crate) fn admit(
    ctx: &mut dyn Context,
    id: &EvidenceId,
    shown: &Shown<'_>,
) -> Result<Vec<u8>, ContractError> {
    let stored = ctx.get_of(contract::NAME, &contract::record_key(id))?;
    let stored = stored.ok_or_else(|| refused(codes::NOT_FOUND, "no such evidence"))?;
    let stored =
        StoredRecord::from_bytes(&stored).map_err(|_| broken_state("the record cannot be read"))?;
    let record = Record::from_bytes(&stored.record)
        .map_err(|_| broken_state("the record cannot be read"))?;
    let agency = &record.parts().agency.msp_id;
    if ctx.caller().msp_id != agency {
        return Err(refused(codes::FOREIGN_AGENCY, "the record is another agency's"));
    }
    let key = directory::entry_key(id);
    if ctx.get(&key)?.is_some() {
        return Err(refused(codes::DIRECTORY_ADMITTED, "the record is in the directory already"));
    }
    let certificate_sm3 = canonical::digest(text(shown.certificate, codes::DIGEST)?)
        .ok_or_else(|| refused(codes::DIGEST, "not 64 lower-case hexadecimal digits"))?;
    let node = Identity::parse(ctx.caller().identity)
        .map_err(|_| broken_state("the caller's identity cannot be read"))?;

    let mut failed = Vec::new();
    let certified = gates::certified(&record, &node.certificate, shown, &mut failed);
    let time_bound_us = gates::time_bound(&record, &mut failed);
    let log = gates::process_log(ctx, &record, &stored.tx_id, certified.as_ref(), shown)?;
    if log.is_none() {
        failed.push(Gate::ProcessLog);
    }
    let filing_number = ctx.get(&directory::filing_key(agency))?;
    let filing_number = filing_number.and_then(|number| String::from_utf8(number).ok());
    if filing_number.is_none() {
        failed.push(Gate::FilingNumber);
    }
    if !log.as_ref().is_some_and(|log| log.handed_out(&certificate_sm3)) {
        failed.push(Gate::Certificate);
    }
    let (Some(authority), Some(time_bound_us), Some(log), Some(filing_number), true) =
        (certified, time_bound_us, log, filing_number, failed.is_empty())
    else {
        return Err(named(&failed));
    };
    let admitted_at_ms = ctx.time_ms();
    if admitted_at_ms > TIME_MS_MAX {
        return Err(refused(codes::QUERY, "the time is out of bounds"));
    }
    let tx_id = canonical::digest(ctx.tx_id())
        .ok_or_else(|| broken_state("the transaction id is not 64 hexadecimal digits"))?;
    let entry = DirectoryEntry {
        id: *id,
        record_sm3: sm3(&stored.record),
        record_tx_id: stored.tx_id,
        msp_id: agency.clone(),
        filing_number,
        authority_sm3: authority.sm3(),
        time_bound_us,
        process_head: log.head,
        certificate_sm3,
        admitted_at_ms,
        tx_id,
    };
    ctx.put(&key, entry.to_bytes())?;
    Ok(entry.to_bytes())
}

fn named(failed: &[Gate]) -> ContractError {
    let texts: Vec<_> = failed.iter().map(|gate| gate.code().en).collect();
    ContractError::Refused {
        code: codes::DIRECTORY_REFUSED.code.to_owned(),
        message: texts.join("; "),
        payload: Gate::to_payload(failed),
    }
}
