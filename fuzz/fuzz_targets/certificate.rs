//! A certificate: one DER form, an SM2 key, an SM2 signature algorithm in both places; PEM gives the same back.
#![no_main]

use smkit::sm2::PublicKey;
use smkit_pki::{CERTIFICATE_BYTES_MAX, Certificate, PEM_CERTIFICATES_MAX};

/// OBJECT IDENTIFIER 1.2.156.10197.1.301, the curve.
const SM2_CURVE: &[u8] = &[0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];
/// OBJECT IDENTIFIER 1.2.156.10197.1.501, the signature algorithm.
const SM2_WITH_SM3: &[u8] = &[0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x75];

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("certificate"), |data: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(data) {
        assert_eq!(certificate.der(), data);
        check(&certificate);
    }
    if let Ok(found) = std::str::from_utf8(data).map(Certificate::pem_many)
        && let Ok(found) = found
    {
        assert!((1..=PEM_CERTIFICATES_MAX).contains(&found.len()));
        found.iter().for_each(check);
    }
});

fn check(certificate: &Certificate) {
    let der = certificate.der();
    assert!(der.len() <= CERTIFICATE_BYTES_MAX);
    let count = |oid: &[u8]| der.windows(oid.len()).filter(|window| *window == oid).count();
    assert!(count(SM2_CURVE) >= 1 && count(SM2_WITH_SM3) >= 2, "not an SM2 certificate");
    let key = certificate.public_key();
    assert_eq!(PublicKey::from_sec1(&key.to_sec1()).as_ref(), Ok(key), "a key off the curve");
    let again = Certificate::from_pem(&certificate.to_pem());
    assert_eq!(again.as_ref(), Ok(certificate));
    for text in [certificate.subject(), certificate.issuer()] {
        assert!(!text.chars().any(char::is_control), "a name with control characters");
    }
    assert!(!certificate.serial_hex().is_empty());
}
