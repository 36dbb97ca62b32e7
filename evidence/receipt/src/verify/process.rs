//! Element `process_log`: the record's process log (全程留痕) is complete, unaltered, and the submitting node's.

use changbai_core::{
    Record,
    process::{Entry, LogFault, ProcessDocument, ProcessError, check_complete},
};
use changbai_msp::{Role, Roles};
use smkit::{sm2::Signature, sm3};
use smkit_pki::{Certificate, Purpose, TrustAnchors, verify_chain};

use super::transaction::{self, Opened};
use crate::{bundle::Bundle, reasons, receipt::Receipt, report::Finding, trust::Trust};

/// Judges `process.json`. The log is worth what its node's signature is worth: it says what that node took note of,
/// and that nothing of it was changed since.
pub(super) fn check(
    bundle: &Bundle,
    record: Option<&Record>,
    receipt: Option<&Receipt>,
    trust: Option<&Trust>,
) -> Finding {
    let Some(bytes) = &bundle.process else { return Finding::new(reasons::PROCESS_LOG_ABSENT) };
    let Ok(document) = ProcessDocument::from_bytes(bytes) else {
        return Finding::new(reasons::PROCESS_LOG_FORM);
    };
    let (Some(record), Some(receipt)) = (record, receipt) else {
        return Finding::new(reasons::PROCESS_LOG_UNCHECKED);
    };
    let Ok(opened) = transaction::open(receipt) else {
        return Finding::new(reasons::PROCESS_LOG_UNCHECKED);
    };
    judge(&document, record, receipt, &opened, trust).unwrap_or_else(|finding| finding)
}

fn judge(
    document: &ProcessDocument,
    record: &Record,
    receipt: &Receipt,
    opened: &Opened,
    trust: Option<&Trust>,
) -> Result<Finding, Finding> {
    let same = document.channel == receipt.header.channel_id
        && document.record == *record.id()
        && document.record_sm3 == sm3(record.as_bytes());
    if !same {
        return Err(Finding::new(reasons::PROCESS_LOG_OTHER));
    }
    document.check_paths().map_err(|error| match error {
        ProcessError::Part { part: "anchor" } => Finding::new(reasons::PROCESS_LOG_ANCHOR),
        _ => Finding::new(reasons::PROCESS_LOG_ALTERED),
    })?;
    let signer = signer(document, opened)?;
    let chain = document.chain();
    let place = Some((receipt.leaf.block_number, receipt.leaf.index));
    check_complete(&chain, record, opened.decoded.tx_id.digest(), place).map_err(incomplete)?;
    let last_ms = chain.last().map_or(0, |entry| entry.what.at.at_ms);
    match trust.map(Trust::roots).filter(|roots| !roots.is_empty()) {
        None => return Err(Finding::new(reasons::PROCESS_LOG_UNTRUSTED)),
        Some(roots) => vouched(&signer, receipt, roots, last_ms)?,
    }
    let head = chain.last().map(Entry::digest);
    let head = head.map(|head| head.to_string()).unwrap_or_default();
    let anchor = document.anchor.as_ref().map_or_else(|| "-".to_owned(), |a| a.tx_id.to_string());
    Ok(Finding::new(reasons::PROCESS_LOG_PROVEN).with(chain.len()).with(head).with(anchor))
}

/// The signature is right, and its signer is the node that submitted the record: the transaction's creator, or whoever
/// the same authority has certified under the same name since. A peer, as the creator is.
fn signer(document: &ProcessDocument, opened: &Opened) -> Result<Certificate, Finding> {
    let certificate = Certificate::from_der(&document.certificate)
        .map_err(|_| Finding::new(reasons::PROCESS_LOG_FORM))?;
    let message = document.signed(certificate.sm3()).message();
    let signed = Signature::from_der(&document.signature)
        .is_ok_and(|signature| certificate.verifying_key().verify(&message, &signature).is_ok());
    if !signed {
        return Err(Finding::new(reasons::PROCESS_LOG_SIGNATURE));
    }
    let creator = &opened.creator.certificate;
    let renewed = certificate.subject() == creator.subject()
        && certificate.issuer() == creator.issuer()
        && Roles::from_units(&certificate.organisational_units())
            .is_some_and(|roles| roles.contains(Role::Peer));
    if certificate.sm3() != creator.sm3() && !renewed {
        return Err(Finding::new(reasons::PROCESS_LOG_SIGNER));
    }
    Ok(certificate)
}

fn incomplete(fault: LogFault) -> Finding {
    match fault {
        LogFault::Order(sequence) => Finding::new(reasons::PROCESS_LOG_ORDER).with(sequence),
        LogFault::Missing(step) => Finding::new(reasons::PROCESS_LOG_INCOMPLETE).with(step.name()),
        LogFault::Detail(sequence, step) => {
            Finding::new(reasons::PROCESS_LOG_DETAIL).with(sequence).with(step.name())
        }
    }
}

/// The signer chains to a trusted root when the last entry was made; intermediates are those of the receipt.
fn vouched(
    signer: &Certificate,
    receipt: &Receipt,
    roots: &TrustAnchors,
    at_ms: u64,
) -> Result<(), Finding> {
    let at_unix_s = i64::try_from(at_ms / 1_000).unwrap_or(i64::MAX);
    verify_chain(signer, &receipt.intermediates, roots, at_unix_s, Purpose::Signing)
        .map(|_| ())
        .map_err(|_| Finding::new(reasons::PROCESS_LOG_UNVOUCHED))
}
