//! A client that is answered with anything: never a finished handshake.
#![no_main]

use changbai_fuzz::tls::{client, feed, sent};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("tls_client"), |data: &[u8]| {
    let Some((step, data)) = data.split_first() else { return };
    let mut client = client();
    let hello = sent(&mut client);
    assert!(hello.starts_with(&[22, 3, 1]) && hello.len() < 1024);
    let _ = feed(&mut client, data, usize::from(*step) * 7);
    assert!(client.is_handshaking(), "a handshake without a server");
    assert!(client.peer_certificates().is_none(), "a peer out of nothing");
    assert!(sent(&mut client).len() < 16 * 1024);
});
