//! A receipt: what parses writes back to the same bytes.
#![no_main]

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("receipt"), |data: &[u8]| {
    changbai_receipt::fuzz::receipt(data);
});
