//! A signature: accepted bytes are the only DER form of its two numbers.
#![no_main]

use smkit::sm2::Signature;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("der_signature"), |data: &[u8]| {
    if let Ok(signature) = Signature::from_der(data) {
        assert_eq!(signature.to_der(), data, "a signature has two forms");
        assert!(data.len() <= Signature::DER_BYTES_MAX);
        assert_eq!(Signature::from_bytes(signature.to_bytes()), Ok(signature));
    }
});
