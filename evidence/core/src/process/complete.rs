//! Whether a chain is the complete log of a record.

use smkit::sm3::Sm3Digest;

use super::{ActorRole, Entry, Step, detail};
use crate::record::Record;

/// Why a chain is not the complete log of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFault {
    /// Step or time of the entry is out of order.
    Order(u32),
    /// A step of the recording is missing.
    Missing(Step),
    /// The entry does not agree with the record or its transaction.
    Detail(u32, Step),
}

/// Whether `chain` (linked, from its first entry on) is the complete log of `record`, which the transaction wrote at
/// `place` (block and index; `None` if that is not known here and so not compared): the recording steps are all there,
/// once each, in order, nothing before the first; no entry is dated before the one it follows; what they were about is
/// this record and this transaction; and whoever handed it in is the record's submitter.
///
/// # Errors
/// [`LogFault`], the first one found.
pub fn check_complete(
    chain: &[Entry],
    record: &Record,
    tx_id: &Sm3Digest,
    place: Option<(u64, u32)>,
) -> Result<(), LogFault> {
    let mut expected = Step::RECORDING.into_iter();
    for entry in chain.iter().filter(|entry| entry.what.step.is_recording()) {
        if expected.next() != Some(entry.what.step) {
            return Err(LogFault::Order(entry.sequence));
        }
    }
    if let Some(missing) = expected.next() {
        return Err(LogFault::Missing(missing));
    }
    if chain.first().is_none_or(|entry| entry.what.step != Step::Collected) {
        return Err(LogFault::Order(1));
    }
    let mut pairs = chain.iter().zip(chain.iter().skip(1));
    if let Some((_, entry)) = pairs.find(|(a, b)| b.what.at.at_ms < a.what.at.at_ms) {
        return Err(LogFault::Order(entry.sequence));
    }
    match chain.iter().find(|entry| !agrees(entry, record, tx_id, place)) {
        Some(entry) => Err(LogFault::Detail(entry.sequence, entry.what.step)),
        None => Ok(()),
    }
}

fn agrees(entry: &Entry, record: &Record, tx_id: &Sm3Digest, place: Option<(u64, u32)>) -> bool {
    let what = &entry.what;
    let submitter = Some(record.parts().submitter.certificate_sm3);
    let hands_in = matches!(what.actor.role, ActorRole::Client | ActorRole::Admin);
    match what.step {
        Step::Collected => {
            what.detail == detail::collected(record)
                && what.actor.certificate_sm3 == submitter
                && hands_in
        }
        Step::Hashed => what.detail == detail::hashed(record),
        Step::Submitted | Step::Viewed | Step::Verified => what.detail == detail::submitted(record),
        Step::Endorsed => what.detail == *tx_id,
        Step::Committed => {
            place.is_none_or(|(block, index)| what.detail == detail::committed(tx_id, block, index))
        }
        // Digests of what was handed out, and of transactions that only the ledger has.
        Step::Exported | Step::CourtQuery => true,
    }
}
