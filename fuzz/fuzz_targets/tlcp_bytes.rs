//! Records and handshake messages as they arrive at a server that nobody knows yet.
#![no_main]

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("tlcp_bytes"), |data: &[u8]| {
    changbai_fuzz::tlcp::bytes(data);
});
