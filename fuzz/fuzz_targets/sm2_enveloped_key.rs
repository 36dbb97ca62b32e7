//! `SM2EnvelopedKey`: the key that comes out is one, and goes in again.
#![no_main]

use std::sync::LazyLock;

use changbai_fuzz::Seeded;
use smkit::sm2::PrivateKey;

static KEY: LazyLock<PrivateKey> = LazyLock::new(changbai_fuzz::kit::private_key);

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("sm2_enveloped_key"), |data: &[u8]| {
    let Ok(key) = KEY.open_enveloped_der(data) else { return };
    let again = PrivateKey::from_bytes(&key.to_bytes()).expect("a number in range");
    assert_eq!(again.public_key(), key.public_key());
    let der = key.to_enveloped_der(KEY.public_key(), &mut Seeded(1)).expect("a seeded source");
    let opened = KEY.open_enveloped_der(&der).expect("our own form");
    assert_eq!(opened.to_bytes(), key.to_bytes());
});
