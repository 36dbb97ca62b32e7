//! An OCSP response: one DER form, one answer a certificate, no signature but the issuer's.
#![no_main]

use changbai_fuzz::pki;
use smkit_pki::{OCSP_BYTES_MAX, OcspResponse};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("ocsp_response"), |data: &[u8]| {
    let Ok(response) = OcspResponse::from_der(data) else { return };
    assert_eq!(response.der(), data);
    assert!(data.len() <= OCSP_BYTES_MAX && !response.answers().is_empty());
    for answer in response.answers() {
        assert_eq!(response.find(&answer.id), Some(answer));
    }
    if response.verify(pki::root().certificate()).is_ok() {
        // Certificates sent along are not signed; what is said is.
        let said = |seed: &[u8]| OcspResponse::from_der(seed).map(|seed| seed.answers().to_vec());
        let genuine = pki::ocsp_seeds();
        assert!(
            genuine.iter().any(|(_, seed)| said(seed).as_deref() == Ok(response.answers())),
            "a forgery"
        );
    }
});
