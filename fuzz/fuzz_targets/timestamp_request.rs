//! A request for a time stamp: one DER form, and what an authority grants answers it.
#![no_main]

use changbai_fuzz::pki;
use smkit_pki::{TIME_STAMP_REQUEST_BYTES_MAX, TimeStampRequest};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("timestamp_request"), |data: &[u8]| {
    let Ok(request) = TimeStampRequest::from_der(data) else { return };
    assert_eq!(request.der(), data);
    assert!(data.len() <= TIME_STAMP_REQUEST_BYTES_MAX);
    let authority = pki::time_stamp_authority();
    let granted = authority.grant(&request, pki::grant());
    assert_eq!(granted.is_ok(), authority.check(&request).is_ok());
    if let Ok(granted) = granted {
        let known = [authority.certificate().clone()];
        let verified = granted.token().verify_for(&request, pki::validator(), &known);
        assert_eq!(verified.expect("our own").gen_time, pki::grant().gen_time);
    }
});
