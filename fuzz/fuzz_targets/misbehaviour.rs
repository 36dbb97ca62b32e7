//! What convicts a log of two histories: what reads is written as it was, and convicts nobody whose keys are unknown.
#![no_main]

use changbai_witness::Misbehaviour;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("misbehaviour"), |data: &[u8]| {
    let Ok(case) = Misbehaviour::from_bytes(data) else { return };
    assert_eq!(case.to_bytes().expect("what was read"), data);
    assert!(case.verify(&[]).is_err());
});
