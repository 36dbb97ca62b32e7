//! A font that an operator brings: usable, or refused; never a panic.
#![no_main]

use changbai_certificate::FontSource;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("font"), |data: &[u8]| {
    drop(FontSource::from_bytes(data.to_vec()));
});
