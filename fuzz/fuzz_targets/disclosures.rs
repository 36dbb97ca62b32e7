//! Disclosures: what parses writes back to the same bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("disclosures"), |data: &[u8]| {
    changbai_receipt::fuzz::disclosures(data);
});
