//! `ECPrivateKey`: whatever stands beside the number, the number alone makes the same key.
#![no_main]

use smkit::sm2::PrivateKey;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("sm2_sec1_key"), |data: &[u8]| {
    let text = std::str::from_utf8(data).ok();
    let pem = text.and_then(|text| PrivateKey::from_sec1_pem(text).ok());
    for key in PrivateKey::from_sec1_der(data).ok().into_iter().chain(pem) {
        let again = PrivateKey::from_sec1_der(&key.to_sec1_der()).expect("our own form");
        assert_eq!(again.to_bytes(), key.to_bytes());
        let again = PrivateKey::from_sec1_pem(&key.to_sec1_pem()).expect("our own form");
        assert_eq!(again.to_bytes(), key.to_bytes());
        let alone = PrivateKey::from_bytes(&key.to_bytes()).expect("a number in range");
        assert_eq!(alone.public_key(), key.public_key(), "the file named another public key");
    }
});
