//! An evidence id: accepted text is what its parts compose.
#![no_main]

use changbai_core::EvidenceId;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("evidence_id"), |data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(id) = text.parse::<EvidenceId>() else { return };
    assert_eq!(id.to_string(), text);
    let composed = EvidenceId::compose(id.region(), &id.agency(), id.date(), id.serial());
    assert_eq!(composed, Ok(id));
});
