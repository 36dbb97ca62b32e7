//! A client's whole handshake with a server whose records are edited on their way.
#![no_main]

use changbai_fuzz::tlcp::{Edited, handshake};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("tlcp_client"), |data: &[u8]| {
    handshake(data, Edited::Server);
});
