//! The first bytes of a connection: decided by the third, and the same however they come.
#![no_main]

use smkit_tls::link::{FIRST_BYTES, Protocol, Sniffed, sniff};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("tls_first_bytes"), |data: &[u8]| {
    let whole = sniff(data);
    let steps: Vec<_> = (0..=data.len()).map(|count| sniff(&data[..count])).collect();
    // Once decided, always decided.
    let decided = steps.iter().position(|step| *step != Sniffed::Incomplete);
    if let Some(at) = decided {
        assert!(at <= FIRST_BYTES && steps[at..].iter().all(|step| *step == whole));
    }
    assert!(data.len() < FIRST_BYTES || decided.is_some());
    match whole {
        Sniffed::Is(Protocol::Tlcp) => assert!(data.starts_with(&[22, 1, 1])),
        Sniffed::Is(Protocol::Tls13) => assert!(data.starts_with(&[22, 3])),
        _ => {}
    }
});
