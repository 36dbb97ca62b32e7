//! A bundle: never verified without trust; one that reads has one form.
#![no_main]

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("bundle"), |data: &[u8]| {
    changbai_receipt::fuzz::bundle(data);
});
