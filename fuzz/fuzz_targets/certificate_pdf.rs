//! A certificate as PDF from anywhere: judged without a panic, and never `verified` without a trust file.
#![no_main]

use changbai_certificate::{Grounds, judge_pdf};
use changbai_receipt::Verdict;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("certificate_pdf"), |data: &[u8]| {
    let grounds =
        Grounds { trust: None, now_unix_seconds: 1_800_000_000, lists: &[], originals: &[] };
    assert_ne!(judge_pdf(data, &grounds).verdict, Verdict::Verified);
});
