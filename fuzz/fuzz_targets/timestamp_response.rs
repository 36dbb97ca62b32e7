//! A time-stamp response or token: one DER form, and nothing verifies but what the authority signed.
#![no_main]

use changbai_fuzz::pki;
use smkit_pki::{TIME_STAMP_BYTES_MAX, TimeStampResponse, TimeStampToken};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("timestamp_response"), |data: &[u8]| {
    if let Ok(response) = TimeStampResponse::from_der(data) {
        assert_eq!(response.der(), data);
        check(response.token());
    }
    if let Ok(token) = TimeStampToken::from_der(data) {
        assert_eq!(token.der(), data);
        check(&token);
    }
});

fn check(token: &TimeStampToken) {
    assert!(token.der().len() <= TIME_STAMP_BYTES_MAX);
    let known = [pki::time_stamp_authority().certificate().clone()];
    let imprint = smkit::sm3(pki::CONTENT);
    if let Ok(verified) = token.verify(&imprint, pki::validator(), &known) {
        assert_eq!(verified.gen_time, pki::grant().gen_time, "a forgery");
    }
}
