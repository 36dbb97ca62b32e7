//! A request to a witness: what reads is written as it was; a witness that knows no log of it cosigns nothing.
#![no_main]

use changbai_merkle::AddCheckpoint;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("add_checkpoint"), |data: &[u8]| {
    let Ok(request) = AddCheckpoint::from_bytes(data) else { return };
    assert_eq!(request.to_string().as_bytes(), data);
});
