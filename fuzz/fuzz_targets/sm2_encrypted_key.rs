//! Encrypted PKCS#8 (PBES2): what opens is a key in range, and the password is what opens it.
#![no_main]

use smkit::sm2::PrivateKey;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("sm2_encrypted_key"), |data: &[u8]| {
    // A count of rounds in three bytes or four is allowed and takes seconds; two bytes say as much about the reader.
    if data.windows(2).any(|pair| matches!(pair, [2, 3 | 4])) {
        return;
    }
    let Ok(key) = PrivateKey::from_encrypted_pkcs8_der(data, b"secret") else { return };
    let again = PrivateKey::from_bytes(&key.to_bytes()).expect("a number in range");
    assert_eq!(again.public_key(), key.public_key());
    assert!(PrivateKey::from_encrypted_pkcs8_der(data, b"Secret").is_err());
});
