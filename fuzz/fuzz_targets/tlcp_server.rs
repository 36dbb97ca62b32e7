//! A server's whole handshake with a client whose records are edited on their way.
#![no_main]

use changbai_fuzz::tlcp::{Edited, handshake};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("tlcp_server"), |data: &[u8]| {
    handshake(data, Edited::Client);
});
