//! The verification itself: which claim of a bundle rests on which proof.
//!
//! Every check yields one [`Finding`](crate::report::Finding) for one element. A check runs whenever its inputs
//! could be read, even if another one failed, so that a report names everything that is wrong.

mod anchor;
mod attached;
mod batch;
mod certificates;
mod checkpoint;
mod contents;
mod header;
mod process;
mod revocation;
mod time_bound;
mod transaction;

use std::io::Read;

use changbai_core::{Record, RecordError};

use crate::{
    bundle::{Bundle, BundleError, HashedOriginal, read_bundle},
    page::is_ours,
    reasons,
    receipt::{Receipt, ReceiptError},
    report::{Assurance, Claims, Finding, Report},
    trust::Trust,
};

/// Judges a bundle offline.
///
/// `supplied` are originals at hand outside the bundle; each must be one of the record's. `trust` is what the reader
/// trusts, obtained independently of the bundle; without it the best verdict is
/// [`Verdict::Unchecked`](crate::Verdict::Unchecked), and with roots alone [`Assurance::Roots`]. Takes no time from
/// anywhere: certificates are judged at the time in the header that the validators signed.
pub fn verify(bundle: &Bundle, supplied: &[HashedOriginal], trust: Option<&Trust>) -> Report {
    let mut claims = Claims::default();
    let record = Record::from_bytes(&bundle.record);
    if let Ok(record) = &record {
        claims.of_record(record);
    }
    let receipt = Receipt::from_bytes(&bundle.receipt);
    let attached = attached::check(bundle, record.as_ref().ok(), receipt.as_ref().ok(), trust);
    let [transaction, inclusion, header, certificates, trust, validators, revocation] =
        match &receipt {
            Ok(receipt) => on_receipt(receipt, bundle, record.as_ref().ok(), trust, &mut claims),
            Err(_) => without_receipt(),
        };
    let (batch, place) = batch::check(record.as_ref().ok(), bundle.batch.as_deref());
    let original = match &record {
        Ok(record) if record.batch().is_some() => {
            claims.originals_sm3.extend(place.iter().map(|place| place.leaf.sm3.to_string()));
            batch::original(place.as_ref(), &bundle.originals, supplied)
        }
        _ => contents::originals(record.as_ref().ok(), &bundle.originals, supplied),
    };
    let mut findings = vec![
        on_container(bundle, receipt.as_ref().err()),
        on_record(&record),
        transaction,
        inclusion,
        header,
        certificates,
        trust,
        original,
        contents::disclosures(record.as_ref().ok(), bundle.disclosures.as_deref()),
        validators.clone(),
        batch,
        time_bound::check(record.as_ref().ok()),
        revocation,
    ];
    findings.extend(attached);
    Report::new(findings, claims, anchor::assurance(&validators))
}

/// Reads a bundle and judges it; what [`verify`] and [`read_bundle`](crate::read_bundle()) do in one step, with every
/// reading error turned into the report that says it.
///
/// A source that fails (as opposed to a bundle that is wrong) gives [`Verdict::Unchecked`](crate::Verdict::Unchecked).
pub fn verify_reader(
    input: &mut dyn Read,
    supplied: &[HashedOriginal],
    trust: Option<&Trust>,
) -> Report {
    match read_bundle(input) {
        Ok(bundle) => verify(&bundle, supplied, trust),
        Err(error) => unreadable(&error),
    }
}

/// The report on a bundle that could not be read.
pub fn unreadable(error: &BundleError) -> Report {
    let container = match error {
        BundleError::Read(_) => Finding::new(reasons::CONTAINER_UNREADABLE),
        BundleError::Truncated { offset } => {
            Finding::new(reasons::CONTAINER_TRUNCATED).with(offset)
        }
        BundleError::NotCanonical { offset, .. } => {
            Finding::new(reasons::CONTAINER_ALTERED).with(offset)
        }
        BundleError::UnexpectedEntry { name } => Finding::new(reasons::CONTAINER_ENTRY).with(name),
        BundleError::MissingEntry { name } => Finding::new(reasons::CONTAINER_MISSING).with(name),
        BundleError::Checksum { name } => Finding::new(reasons::CONTAINER_CHECKSUM).with(name),
        BundleError::TooLarge { name, .. } => Finding::new(reasons::CONTAINER_TOO_LARGE).with(name),
        BundleError::TrailingBytes { offset } => {
            Finding::new(reasons::CONTAINER_TRAILING).with(offset)
        }
    };
    let [transaction, inclusion, header, certificates, trust, validators, revocation] =
        without_receipt();
    let mut findings = vec![
        container,
        Finding::new(reasons::RECORD_UNCHECKED),
        transaction,
        inclusion,
        header,
        certificates,
        trust,
        Finding::new(reasons::ORIGINAL_UNCHECKED),
        Finding::new(reasons::DISCLOSURES_UNCHECKED),
        validators,
        time_bound::check(None),
        revocation,
    ];
    findings.extend(attached::unreadable());
    Report::new(findings, Claims::default(), Assurance::Nothing)
}

/// Transaction, inclusion, header, certificates, trust, validators and revocation.
fn on_receipt(
    receipt: &Receipt,
    bundle: &Bundle,
    record: Option<&Record>,
    trust: Option<&Trust>,
    claims: &mut Claims,
) -> [Finding; 7] {
    claims.channel = Some(receipt.header.channel_id.clone());
    claims.block_number = Some(receipt.leaf.block_number);
    claims.header_number = Some(receipt.header.number);
    claims.header_time_ms = Some(receipt.header.time_ms);
    claims.validators = Some(receipt.validators.len());
    claims.validators_hash = Some(receipt.header.validators_hash.to_string());

    let opened = transaction::open(receipt);
    if let Ok(opened) = &opened {
        claims.tx_id = Some(opened.decoded.tx_id.to_string());
    }
    // One batch for every signature below the certificates.
    let seats = header::Seats::new(receipt);
    let invalid = transaction::signatures(receipt, opened.as_ref().ok(), &seats);

    let transaction = match &opened {
        Ok(opened) => transaction::check(receipt, opened, &invalid, &bundle.record, record),
        Err(finding) => finding.clone(),
    };
    let header = header::check(receipt, &seats, &invalid.commits);
    let validators = anchor::check(receipt, trust);
    let revocation = revocation::check(receipt, opened.as_ref().ok(), trust);
    let (certificates, trust) = match &opened {
        Ok(opened) => certificates::check(receipt, opened, trust.map(Trust::roots)),
        Err(_) => {
            (Finding::new(reasons::CERTIFICATES_NO_RECEIPT), Finding::new(reasons::TRUST_UNCHECKED))
        }
    };
    let inclusion = header::inclusion(receipt);
    [transaction, inclusion, header, certificates, trust, validators, revocation]
}

fn without_receipt() -> [Finding; 7] {
    [
        Finding::new(reasons::TRANSACTION_UNCHECKED),
        Finding::new(reasons::INCLUSION_UNCHECKED),
        Finding::new(reasons::HEADER_UNCHECKED),
        Finding::new(reasons::CERTIFICATES_NO_RECEIPT),
        Finding::new(reasons::TRUST_UNCHECKED),
        Finding::new(reasons::VALIDATORS_NO_RECEIPT),
        Finding::new(reasons::REVOCATION_UNCHECKED),
    ]
}

fn on_container(bundle: &Bundle, receipt: Option<&ReceiptError>) -> Finding {
    Finding::new(match receipt {
        Some(ReceiptError::Certificate { .. }) => reasons::CONTAINER_CERTIFICATE,
        Some(_) => reasons::CONTAINER_RECEIPT,
        None if bundle.page.as_deref().is_some_and(|page| !is_ours(page)) => {
            reasons::CONTAINER_PAGE
        }
        None if bundle.packed => reasons::CONTAINER_PROVEN,
        None => reasons::CONTAINER_ABSENT,
    })
}

fn on_record(record: &Result<Record, RecordError>) -> Finding {
    match record {
        Ok(record) => Finding::new(reasons::RECORD_PROVEN).with(record.id()),
        Err(_) => Finding::new(reasons::RECORD_ALTERED),
    }
}
