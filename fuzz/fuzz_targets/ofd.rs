//! A document in OFD: whatever it is, there is a report on each element, and nothing is proven without a trust file.
#![no_main]

use changbai_certificate::{DOCUMENT_ELEMENTS, Grounds, judge_ofd};
use changbai_receipt::Verdict;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("ofd"), |data: &[u8]| {
    let now_unix_seconds = changbai_fuzz::pki::NOW;
    let report =
        judge_ofd(data, &Grounds { trust: None, now_unix_seconds, lists: &[], originals: &[] });
    assert_eq!(report.elements.len(), DOCUMENT_ELEMENTS.len());
    assert_ne!(report.verdict, Verdict::Verified);
});
