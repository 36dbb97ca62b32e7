//! The optional documents of a bundle: each is judged, or named as one that was not.

use changbai_core::Record;

use super::{checkpoint, process};
use crate::{
    bundle::Bundle,
    reasons::{self, Reason},
    receipt::Receipt,
    report::Finding,
    trust::Trust,
};

/// Elements `log_consistency`, `witness`, `time_token`, `process_log` and `seal`.
pub(super) fn check(
    bundle: &Bundle,
    record: Option<&Record>,
    receipt: Option<&Receipt>,
    trust: Option<&Trust>,
) -> Vec<Finding> {
    let [log_consistency, witness, time_token] =
        checkpoint::check(bundle.checkpoint.as_deref(), receipt, trust);
    let documents = bundle.certificate_pdf.is_some() || bundle.certificate_ofd.is_some();
    vec![
        log_consistency,
        witness,
        time_token,
        process::check(bundle, record, receipt, trust),
        // The certificate's own crate knows these documents; its caller settles the element.
        unjudged(documents, reasons::SEAL_ABSENT, reasons::SEAL_UNCHECKED),
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
    ]
    .map(Finding::new)
    .into()
}

fn unjudged(present: bool, absent: &'static Reason, unchecked: &'static Reason) -> Finding {
    Finding::new(if present { unchecked } else { absent })
}
