//! Entry points for fuzzers: foreign bytes in, properties asserted, nothing out.
//!
//! Each panics when an invariant of this crate is broken, and for no other reason; they are for fuzz targets and
//! tests, not for callers.

use std::io;

use crate::{
    Bundle, BundleParts, Receipt, Verdict, disclosures_from_bytes, disclosures_to_bytes,
    read_bundle, verify, verify_reader,
};

/// A bundle: never verified without trust; what reads as one without originals writes back to the same bytes.
///
/// # Panics
/// If one of these does not hold.
pub fn bundle(data: &[u8]) {
    let report = verify_reader(&mut &*data, &[], None);
    assert_ne!(report.verdict, Verdict::Verified, "verified without trust");
    let Ok(bundle) = read_bundle(&mut &*data) else { return };
    if bundle.originals.is_empty() {
        let parts = BundleParts {
            record: &bundle.record,
            receipt: &bundle.receipt,
            disclosures: bundle.disclosures.as_deref(),
            batch: bundle.batch.as_deref(),
            checkpoint: bundle.checkpoint.as_deref(),
            process: bundle.process.as_deref(),
            certificate_pdf: bundle.certificate_pdf.as_deref(),
            certificate_ofd: bundle.certificate_ofd.as_deref(),
            page: bundle.page.as_deref(),
            originals: Vec::new(),
        };
        let mut again = Vec::new();
        let written =
            crate::write_bundle(&mut again, &parts, &mut |_| Ok(Box::new(io::empty()) as _));
        assert!(written.is_ok() && again == data, "a bundle has two forms");
    }
}

/// A receipt: what parses writes back to the same bytes, and is never verified without trust.
///
/// # Panics
/// If one of these does not hold.
pub fn receipt(data: &[u8]) {
    if let Ok(receipt) = Receipt::from_bytes(data) {
        let again = receipt.to_bytes();
        assert!(again.is_ok_and(|again| again == data), "a receipt has two forms");
    }
    let report = verify(&Bundle::from_parts(Vec::new(), data.to_vec(), None), &[], None);
    assert_eq!(report.verdict, Verdict::NotVerified, "no record, yet not refused");
}

/// Disclosures: what parses writes back to the same bytes.
///
/// # Panics
/// If this does not hold.
pub fn disclosures(data: &[u8]) {
    if let Ok(openings) = disclosures_from_bytes(data) {
        let again = disclosures_to_bytes(&openings);
        assert!(again.is_ok_and(|again| again == data), "disclosures have two forms");
    }
}
