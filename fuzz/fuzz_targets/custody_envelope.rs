//! An envelope in custody: its own bytes give the original, any others give none of it.
#![no_main]

use std::fs;
use std::io::Read as _;
use std::sync::LazyLock;

use changbai_custody::{CustodyError, check_envelope};
use changbai_fuzz::custody::{ORIGINAL, Store};

static STORE: LazyLock<Store> = LazyLock::new(Store::new);

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("custody_envelope"), |data: &[u8]| {
    fs::write(&STORE.file, data).expect("the envelope's file");
    let mut content = Vec::new();
    let failure = match STORE.custody.open_original(&STORE.sm3) {
        Ok(mut reader) => reader.read_to_end(&mut content).err().map(|error| error.downcast()),
        Err(error) => Some(Ok(error)),
    };
    match failure {
        None => {
            assert!(data == STORE.intact && content == ORIGINAL, "other bytes were accepted");
            assert_eq!(check_envelope(data), Ok(()));
        }
        Some(failure) => {
            let failure = failure.expect("the reader's errors are the store's");
            assert!(matches!(failure, CustodyError::Damaged { .. }), "{failure}");
            assert!(data != STORE.intact && content.is_empty(), "bytes of a damaged original");
        }
    }
});
