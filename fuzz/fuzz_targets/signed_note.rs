//! A signed note: what reads is written as it was, and a checkpoint in it as well.
#![no_main]

use changbai_merkle::{Checkpoint, Note, VerifierKey};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("signed_note"), |data: &[u8]| {
    if let Some(key) = std::str::from_utf8(data).ok().and_then(|text| VerifierKey::from_text(text).ok()) {
        assert_eq!(key.to_string().as_bytes(), data);
    }
    let Ok(note) = Note::from_bytes(data) else { return };
    assert_eq!(note.to_string().as_bytes(), data);
    if let Ok(checkpoint) = Checkpoint::of(&note) {
        assert_eq!(checkpoint.to_string(), note.text());
    }
});
