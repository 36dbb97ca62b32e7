//! Certificates with foreign algorithms are refused while parsing (made with OpenSSL, see testdata/SOURCE.md).

use smkit_pki::{Certificate, CertificateError, PathError, Purpose, TrustAnchors, verify_chain};

const NOW: i64 = 1_800_000_000;

#[test]
fn foreign_keys_are_refused_by_name() {
    let cases = [
        (include_str!("../../testdata/rsa.pem"), "1.2.840.113549.1.1.1", "RSA"),
        (include_str!("../../testdata/rsa_under_sm2.pem"), "1.2.840.113549.1.1.1", "RSA"),
        (include_str!("../../testdata/p256.pem"), "1.2.840.10045.3.1.7", "NIST P-256"),
        (include_str!("../../testdata/ed25519.pem"), "1.3.101.112", "Ed25519"),
    ];
    for (pem, oid, name) in cases {
        let expected = CertificateError::KeyAlgorithm { oid: oid.into(), name };
        assert_eq!(Certificate::from_pem(pem), Err(expected.clone()));
        assert_eq!(TrustAnchors::from_pem(pem).err(), Some(expected));
    }
}

#[test]
fn a_foreign_signature_on_an_sm2_key_is_refused_by_name() {
    let pem = include_str!("../../testdata/sm2_under_p256.pem");
    let refusal = Certificate::from_pem(pem).unwrap_err();
    assert_eq!(refusal.code(), "PK-1004");
    assert_eq!(
        refusal.to_string(),
        "signature algorithm ECDSA with SHA-256 (1.2.840.10045.4.3.2) is not SM2 with SM3"
    );
}

#[test]
fn version_1_is_refused() {
    let pem = include_str!("../../testdata/sm2_version_1.pem");
    assert!(matches!(Certificate::from_pem(pem), Err(CertificateError::Malformed { .. })));
}

fn as_own_anchor(pem: &str) -> Result<Certificate, PathError> {
    let certificate = Certificate::from_pem(pem).unwrap();
    let anchors = TrustAnchors::from_certificates(vec![certificate.clone()]);
    verify_chain(&certificate, &[], &anchors, NOW, Purpose::CertificateSign)
}

#[test]
fn the_signer_identity_is_not_negotiable() {
    let pem = include_str!("../../testdata/sm2_empty_id.pem");
    assert!(matches!(as_own_anchor(pem), Err(PathError::BadSignature { .. })));
}

#[test]
fn missing_key_usage_allows_nothing() {
    let pem = include_str!("../../testdata/sm2_openssl_root.pem");
    assert!(matches!(as_own_anchor(pem), Err(PathError::KeyUsage { .. })));
}

#[test]
fn critical_name_constraints_are_not_ignored() {
    let pem = include_str!("../../testdata/sm2_unknown_critical.pem");
    assert_eq!(
        as_own_anchor(pem),
        Err(PathError::UnknownCriticalExtension {
            subject: "CN=version 1,O=Test,C=CN".into(),
            oid: "2.5.29.30".into()
        })
    );
}
