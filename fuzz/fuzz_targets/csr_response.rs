//! An answer to a certification request: whatever it holds, it opens only into a pair whose keys match.
#![no_main]

use std::sync::LazyLock;

use smkit::sm2::PrivateKey;
use smkit_pki::{CertificationResponse, RESPONSE_BYTES_MAX};

/// The signing key that the seed was made for.
static HOLDER: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::from_bytes(&[2; 32]).expect("a number in range"));

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("csr_response"), |data: &[u8]| {
    let Ok(response) = CertificationResponse::from_der(data) else { return };
    assert_eq!(response.der(), data);
    assert!(data.len() <= RESPONSE_BYTES_MAX);
    let Ok(opened) = response.open(&HOLDER) else { return };
    assert_eq!(opened.signing.public_key(), HOLDER.public_key());
    if let Some((certificate, key)) = &opened.encryption {
        assert_eq!(certificate.public_key(), key.public_key());
    }
});
