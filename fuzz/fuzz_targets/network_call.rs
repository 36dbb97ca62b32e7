//! Messages on the stream of calls: whatever is read is written the same, and is bounded.
#![no_main]

use bytes::Bytes;
use changbai_network::calls::CallMessage;
use changbai_network::limits::{CALL_CODE_BYTES_MAX, CALL_TEXT_BYTES_MAX};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("network_call"), |data: &[u8]| {
    let Ok(message) = CallMessage::decode(Bytes::copy_from_slice(data)) else { return };
    assert_eq!(message.encode(), data, "a message has two forms");
    if let CallMessage::Refused { refusal, .. } = message {
        assert!(refusal.code.len() <= CALL_CODE_BYTES_MAX);
        assert!(refusal.text.len() <= CALL_TEXT_BYTES_MAX);
    }
});
