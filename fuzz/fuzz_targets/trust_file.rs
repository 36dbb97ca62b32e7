//! A trust file: what reads has roots, keeps its channels, and reads the same after it was written.
#![no_main]

use changbai_receipt::Trust;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("trust_file"), |data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(trust) = Trust::parse(text) else { return };
    assert!(!trust.roots().is_empty());
    assert_eq!(trust.channels().is_empty(), !text.contains("\nChannel: "), "a channel is lost");
    let written = trust.to_text();
    let again = Trust::parse(&written).expect("what we wrote");
    assert_eq!(again.channels(), trust.channels());
    assert_eq!(again.to_text(), written);
});
