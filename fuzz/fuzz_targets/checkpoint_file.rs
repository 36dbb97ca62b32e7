//! `checkpoint.json` of a bundle: what reads is written as it was.
#![no_main]

use changbai_receipt::CheckpointFile;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("checkpoint_file"), |data: &[u8]| {
    let Ok(file) = CheckpointFile::from_bytes(data) else { return };
    assert_eq!(file.to_bytes().expect("what was read"), data);
});
