//! A server that is fed anything: an error, an answer or patience, but no finished handshake and no growth.
//!
//! rustls ends some broken framings (a handshake message that claims more than 64 KiB) without an alert, so silence is no
//! finding.
#![no_main]

use changbai_fuzz::tls::{feed, sent, server};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("tls_server"), |data: &[u8]| {
    let Some((step, data)) = data.split_first() else { return };
    let mut server = server();
    let _ = feed(&mut server, data, usize::from(*step) * 7);
    assert!(server.is_handshaking(), "a handshake without a client");
    let answer = sent(&mut server);
    // One flight of its own, or an alert.
    assert!(answer.len() < 16 * 1024);
});
