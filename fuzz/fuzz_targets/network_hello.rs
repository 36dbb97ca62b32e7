//! Messages that open a link: whatever is read is written the same, and is bounded.
#![no_main]

use changbai_network::hello::{CHANNEL_BYTES_MAX, Greeting, Message};
use changbai_network::limits::HELLO_BYTES_MAX;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("network_hello"), |data: &[u8]| {
    if let Ok(greeting) = Greeting::decode(data) {
        assert_eq!(greeting.encode(), data, "a greeting has two forms");
    }
    let Ok(message) = Message::decode(data) else { return };
    assert_eq!(message.encode(), data, "a message has two forms");
    assert!(data.len() <= HELLO_BYTES_MAX, "a node would not read what it may be sent");
    if let Message::Hello(hello) = message {
        assert!((1..=CHANNEL_BYTES_MAX).contains(&hello.channel.len()));
    }
});
