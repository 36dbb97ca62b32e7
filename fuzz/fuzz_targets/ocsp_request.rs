//! An OCSP request: one DER form, and a responder that answers all bytes with a well-formed response.
#![no_main]

use std::sync::LazyLock;

use changbai_fuzz::pki;
use smkit_pki::{
    OCSP_CERTIFICATES_MAX, OcspError, OcspRequest, OcspResponder, OcspResponse, Register,
};

static RESPONDER: LazyLock<OcspResponder> = LazyLock::new(pki::responder);

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("ocsp_request"), |data: &[u8]| {
    let answer = RESPONDER.answer(data, &Register::new(), pki::NOW, pki::NOW + 1);
    let response = OcspResponse::from_der(&answer);
    let Ok(request) = OcspRequest::from_der(data) else {
        assert!(matches!(response, Err(OcspError::Failure(_))));
        return;
    };
    assert_eq!(request.der(), data);
    assert!((1..=OCSP_CERTIFICATES_MAX).contains(&request.ids().len()));
    if let Ok(response) = response {
        assert_eq!(response.verify_for(&request, pki::root().certificate()), Ok(()));
    }
});
