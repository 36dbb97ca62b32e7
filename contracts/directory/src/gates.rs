//! The gates, one function each; the crate's page says what each of them proves.

use changbai_contract::{Context, ContractError};
use changbai_core::{
    Record, contract,
    contract::AnchoredProcess,
    directory::Gate,
    process::{Entry, ProcessDocument, Step, check_complete},
};
use changbai_msp::{Role, Roles};
use smkit::{Sm3Digest, sm2::Signature, sm3};
use smkit_pki::Certificate;

use crate::{admit::Shown, broken_state};

/// A process log that passed.
pub(crate) struct Log {
    /// Digest of its last entry.
    pub(crate) head: Sm3Digest,
    /// Details of the anchored entries that say that something was handed out.
    exported: Vec<Sm3Digest>,
}

impl Log {
    pub(crate) fn handed_out(&self, document: &Sm3Digest) -> bool {
        self.exported.contains(document)
    }
}

/// Gates `algorithms` and `identity`: the authority that certified both the submitter and the calling node. One step:
/// a longer chain would rest on certificates that nothing here proves.
pub(crate) fn certified(
    record: &Record,
    node: &Certificate,
    shown: &Shown<'_>,
    failed: &mut Vec<Gate>,
) -> Option<Certificate> {
    let (submitter, authority) =
        (Certificate::from_der(shown.submitter), Certificate::from_der(shown.authority));
    let (Ok(submitter), Ok(authority)) = (submitter, authority) else {
        failed.extend([Gate::Algorithms, Gate::Identity]);
        return None;
    };
    let hands_in = Roles::from_units(&submitter.organisational_units())
        .is_some_and(|roles| roles.contains(Role::Client) || roles.contains(Role::Admin));
    let certified = submitter.sm3() == record.parts().submitter.certificate_sm3
        && authority.is_ca()
        && node.verify_issued_by(&authority).is_ok()
        && submitter.verify_issued_by(&authority).is_ok()
        && !submitter.is_ca()
        && hands_in;
    if !certified {
        failed.push(Gate::Identity);
        return None;
    }
    Some(authority)
}

/// Gate `time`.
pub(crate) fn time_bound(record: &Record, failed: &mut Vec<Gate>) -> Option<u32> {
    let bound_us = record.parts().time.bound_us.filter(|bound_us| *bound_us <= TIME_BOUND_US_MAX);
    if bound_us.is_none() {
        failed.push(Gate::Time);
    }
    bound_us
}

/// Gate `process log`: `None` if it fails.
pub(crate) fn process_log(
    ctx: &mut dyn Context,
    record: &Record,
    tx_id: &Sm3Digest,
    authority: Option<&Certificate>,
    shown: &Shown<'_>,
) -> Result<Option<Log>, ContractError> {
    let Ok(document) = ProcessDocument::from_bytes(shown.process) else { return Ok(None) };
    let same = document.channel == ctx.channel()
        && document.record == *record.id()
        && document.record_sm3 == sm3(record.as_bytes());
    let chain = document.chain();
    if !same
        || document.check_paths().is_err()
        || check_complete(&chain, record, tx_id, None).is_err()
    {
        return Ok(None);
    }
    let Some(signer) = signer(&document, authority) else { return Ok(None) };
    let Some(anchor) = &document.anchor else { return Ok(None) };
    let key = contract::anchor_key(&signer, anchor.batch);
    let Some(on_ledger) = ctx.get_of(contract::NAME, &key)? else { return Ok(None) };
    let on_ledger = AnchoredProcess::from_bytes(&on_ledger)
        .map_err(|_| broken_state("an anchor cannot be read"))?;
    // The path from the anchored entry to this root was checked above.
    let anchored: Vec<&Entry> =
        chain.iter().filter(|entry| entry.sequence <= anchor.sequence).collect();
    let recorded = anchored.iter().any(|entry| entry.what.step == Step::Committed);
    if on_ledger.root != anchor.root || on_ledger.tx_id != anchor.tx_id || !recorded {
        return Ok(None);
    }
    let exported = anchored.iter().filter(|entry| entry.what.step == Step::Exported);
    let head = chain.last().map(Entry::digest);
    Ok(head.map(|head| Log { head, exported: exported.map(|entry| entry.what.detail).collect() }))
}

/// SM3 of the certificate that signed the log rightly, if the authority issued it to a peer.
fn signer(document: &ProcessDocument, authority: Option<&Certificate>) -> Option<Sm3Digest> {
    let certificate = Certificate::from_der(&document.certificate).ok()?;
    let peer = Roles::from_units(&certificate.organisational_units())?.contains(Role::Peer);
    let issued = certificate.verify_issued_by(authority?).is_ok();
    let message = document.signed(certificate.sm3()).message();
    let signature = Signature::from_der(&document.signature).ok()?;
    let signed = certificate.verifying_key().verify(&message, &signature).is_ok();
    (peer && issued && signed).then(|| certificate.sm3())
}

/// Greatest error of a record's time that counts as trusted, microseconds.
const TIME_BOUND_US_MAX: u32 = 10_000;
