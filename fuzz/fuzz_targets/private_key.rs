//! A private key file: whatever it holds beside the number, the number alone makes the same key.
#![no_main]

use smkit::sm2::PrivateKey;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("private_key"), |data: &[u8]| {
    let pem = std::str::from_utf8(data).ok().and_then(|text| PrivateKey::from_pkcs8_pem(text).ok());
    for key in PrivateKey::from_pkcs8_der(data).ok().into_iter().chain(pem) {
        let written = key.to_pkcs8_der().expect("a fixed size");
        let again = PrivateKey::from_pkcs8_der(&written).expect("our own form");
        assert_eq!(again.to_bytes(), key.to_bytes());
        let alone = PrivateKey::from_bytes(&key.to_bytes()).expect("a number in range");
        assert_eq!(alone.public_key(), key.public_key(), "the file named another public key");
    }
});
