//! A certification request: one DER form, a key whose holder signed it; PEM gives the same back.
#![no_main]

use smkit_pki::{CertificationRequest, REQUEST_BYTES_MAX};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("csr"), |data: &[u8]| {
    let Ok(request) = CertificationRequest::from_der(data) else { return };
    assert_eq!(request.der(), data);
    assert!(data.len() <= REQUEST_BYTES_MAX);
    assert!(!request.subject().attributes().is_empty(), "a request without a name");
    assert!(!request.subject().to_string().chars().any(char::is_control));
    assert_eq!(CertificationRequest::from_pem(&request.to_pem()), Ok(request));
});
