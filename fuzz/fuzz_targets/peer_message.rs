//! Messages between nodes: what is read means the same once written, and fits its class.
#![no_main]

use changbai_wire::PeerMessage;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("peer_message"), |data: &[u8]| {
    let Ok(message) = PeerMessage::decode(data) else { return };
    assert!(data.len() <= message.class().message_bytes_max());
    assert_eq!(message.encode().as_deref(), Ok(data), "a message has two forms");
});
