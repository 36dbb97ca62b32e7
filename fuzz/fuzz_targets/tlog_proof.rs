//! A `.tlog-proof` file: what reads is written as it was, and nothing makes its verification panic.
#![no_main]

use changbai_merkle::{TlogProof, leaf_hash};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("tlog_proof"), |data: &[u8]| {
    let Ok(file) = TlogProof::from_bytes(data) else { return };
    assert_eq!(file.to_string().as_bytes(), data);
    let leaf = leaf_hash(file.extra.as_deref().unwrap_or_default());
    if file.verify(&leaf).is_ok() {
        assert!(file.verify(&leaf_hash(b"another leaf")).is_err());
    }
});
