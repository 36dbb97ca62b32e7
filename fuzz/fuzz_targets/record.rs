//! A record: accepted bytes are its one encoding.
#![no_main]

use changbai_core::Record;
use changbai_core::limits::{ORIGINALS_MAX, RECORD_BYTES_MAX};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("record"), |data: &[u8]| {
    let Ok(record) = Record::from_bytes(data) else { return };
    assert!(data.len() <= RECORD_BYTES_MAX);
    match record.batch() {
        Some(batch) => {
            assert!(record.originals().is_empty() && (1..=100_000).contains(&batch.size));
        }
        None => assert!((1..=ORIGINALS_MAX).contains(&record.originals().len())),
    }
    let again = Record::new(record.parts().clone()).expect("parts of a record make one");
    assert_eq!(again.as_bytes(), data, "a record has two forms");
});
