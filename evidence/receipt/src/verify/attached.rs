//! The optional documents of a bundle: each is judged, or named as one that was not.

use changbai_core::Record;

use super::process;
use crate::{
    bundle::Bundle,
    reasons::{self, Reason},
    receipt::Receipt,
    report::Finding,
    trust::Trust,
};

/// Elements `log_consistency`, `witness`, `time_token`, `process_log`, `seal` and `revocation`.
pub(super) fn check(
    bundle: &Bundle,
    record: Option<&Record>,
    receipt: Option<&Receipt>,
    trust: Option<&Trust>,
) -> Vec<Finding> {
    let checkpoint = bundle.checkpoint.is_some();
    let documents = bundle.certificate_pdf.is_some() || bundle.certificate_ofd.is_some();
    vec![
        unjudged(checkpoint, reasons::LOG_CONSISTENCY_ABSENT, reasons::LOG_CONSISTENCY_UNCHECKED),
        unjudged(checkpoint, reasons::WITNESS_ABSENT, reasons::WITNESS_UNCHECKED),
        unjudged(checkpoint, reasons::TIME_TOKEN_ABSENT, reasons::TIME_TOKEN_UNCHECKED),
        process::check(bundle, record, receipt, trust),
        // The certificate's own crate knows these documents; its caller settles the element.
        unjudged(documents, reasons::SEAL_ABSENT, reasons::SEAL_UNCHECKED),
        unjudged(receipt.is_none(), reasons::REVOCATION_ABSENT, reasons::REVOCATION_UNCHECKED),
    ]
}

/// The same elements, and `batch`, for a bundle that could not be read.
pub(super) fn unreadable() -> Vec<Finding> {
    [
        reasons::BATCH_UNREAD,
        reasons::LOG_CONSISTENCY_UNREAD,
        reasons::WITNESS_UNCHECKED,
        reasons::TIME_TOKEN_UNCHECKED,
        reasons::PROCESS_LOG_UNREAD,
        reasons::SEAL_UNREAD,
        reasons::REVOCATION_UNCHECKED,
    ]
    .map(Finding::new)
    .into()
}

fn unjudged(present: bool, absent: &'static Reason, unchecked: &'static Reason) -> Finding {
    Finding::new(if present { unchecked } else { absent })
}
