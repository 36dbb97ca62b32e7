//! An SM2 ciphertext in its three forms: what is read is written back, and decrypts to as many bytes as it says or not at all.
#![no_main]

use std::sync::LazyLock;

use smkit::sm2::{Ciphertext, PrivateKey};

static KEY: LazyLock<PrivateKey> = LazyLock::new(changbai_fuzz::kit::private_key);

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("sm2_ciphertext"), |data: &[u8]| {
    let legacy = Ciphertext::from_legacy_c1c2c3(data);
    let (raw, der) = (Ciphertext::from_c1c3c2(data), Ciphertext::from_der(data));
    assert_eq!(raw.is_ok(), legacy.is_ok(), "the two orders have one length and one C1");
    if let Ok(raw) = &raw {
        assert_eq!(raw.to_c1c3c2(), data);
    }
    if let Ok(der) = &der {
        assert_eq!(der.to_der(), data, "a ciphertext has two DER forms");
    }
    for ciphertext in [raw, legacy, der].into_iter().flatten() {
        assert_eq!(Ciphertext::from_der(&ciphertext.to_der()).as_ref(), Ok(&ciphertext));
        assert_eq!(Ciphertext::from_c1c3c2(&ciphertext.to_c1c3c2()).as_ref(), Ok(&ciphertext));
        if let Ok(message) = KEY.decrypt(&ciphertext) {
            assert_eq!(message.len(), ciphertext.message_bytes());
        }
    }
});
