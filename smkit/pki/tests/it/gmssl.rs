//! Certificates, keys, lists, responses and messages made by GmSSL.

use std::sync::LazyLock;

use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{
    Admission, Certificate, CertificateId, CertificationRequest, EnvelopedData, OcspRequest,
    OcspResponse, PathError, Purpose, Revocation, RevocationList, RevocationMode, RevocationReason,
    SignedData, TrustAnchors, Validator, verify_chain,
};

/// A second inside the validity of every certificate of the file: 2026-12-01.
const NOW: i64 = 1_796_083_200;

static FILE: LazyLock<serde_json::Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../testdata/x509_gmssl.json")).unwrap());

fn bytes(path: &str) -> Vec<u8> {
    hex::decode(FILE.pointer(path).unwrap().as_str().unwrap()).unwrap()
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_der(&bytes(&format!("/certs_der/{name}"))).unwrap()
}

fn verify(name: &str, at: i64) -> Result<Certificate, PathError> {
    let anchors = TrustAnchors::from_certificates(vec![certificate("root")]);
    verify_chain(&certificate(name), &[], &anchors, at, Purpose::Signing)
}

#[test]
fn signing_certificates_verify() {
    assert_eq!(verify("ssign", NOW).unwrap(), certificate("root"));
    assert_eq!(verify("csign", NOW).unwrap(), certificate("root"));
    assert_eq!(certificate("root").subject_key_id().map(<[u8]>::len), Some(32));
}

#[test]
fn encryption_certificates_do_not_sign() {
    for name in ["senc", "cenc"] {
        assert_eq!(certificate(name).verify_issued_by(&certificate("root")), Ok(()));
        assert!(matches!(verify(name, NOW), Err(PathError::KeyUsage { .. })), "{name}");
    }
}

#[test]
fn validity_of_the_file_holds() {
    let leaf = certificate("ssign");
    assert!(matches!(verify("ssign", leaf.not_after() + 1), Err(PathError::Expired { .. })));
    assert!(matches!(verify("ssign", leaf.not_before() - 1), Err(PathError::NotYetValid { .. })));
}

#[test]
fn names_are_read() {
    let leaf = certificate("ssign");
    assert_eq!(leaf.subject(), "CN=localhost,OU=NDRC,O=CCG,L=Changchun,ST=Jilin,C=CN");
    assert_eq!(leaf.organisational_units(), ["NDRC"]);
    assert_eq!(leaf.common_name().as_deref(), Some("localhost"));
    assert_eq!(leaf.serial_hex(), "fe6c342aaf04f0c9d7b1792a");
}

#[test]
fn private_keys_belong_to_their_certificates() {
    for name in ["ssign", "senc", "csign", "cenc"] {
        let secret = bytes(&format!("/keys_d/{name}")).try_into().unwrap();
        let key = PrivateKey::from_bytes(&secret).unwrap();
        assert_eq!(key.public_key(), certificate(name).public_key());
    }
    let root = PrivateKey::from_bytes(&bytes("/root_key_d").try_into().unwrap()).unwrap();
    assert_eq!(root.public_key(), certificate("root").public_key());
}

#[test]
fn plain_pkcs8_is_read_and_written_alike() {
    let der = bytes("/plain_pkcs8_der/ssign");
    let key = PrivateKey::from_pkcs8_der(&der).unwrap();
    assert_eq!(key.to_pkcs8_der().unwrap().to_vec(), der);
    assert!(PrivateKey::from_pkcs8_der(&bytes("/encrypted_pkcs8_der/ssign")).is_err());
    let signing = SigningKey::new(key, SignerId::DEFAULT).unwrap();
    let signature = signing.sign(b"message");
    assert_eq!(certificate("ssign").verifying_key().verify(b"message", &signature), Ok(()));
}

#[test]
fn other_structures_are_no_certificates() {
    for path in ["/crl_der", "/csr_der/ssign", "/ocsp_response_der", "/cms_signed_data_der"] {
        assert!(Certificate::from_der(&bytes(path)).is_err(), "{path}");
    }
}

#[test]
fn encrypted_pkcs8_is_opened() {
    let password = FILE["password"].as_str().unwrap().as_bytes();
    let der = bytes("/encrypted_pkcs8_der/ssign");
    let key = PrivateKey::from_encrypted_pkcs8_der(&der, password).unwrap();
    assert_eq!(key.to_bytes().to_vec(), bytes("/keys_d/ssign"));
    assert!(PrivateKey::from_encrypted_pkcs8_der(&der, b"P@ssw0rD").is_err());
}

#[test]
fn a_server_pair_belongs_together_and_names_its_host() {
    let anchors = TrustAnchors::from_certificates(vec![certificate("root")]);
    let city = Admission::under(certificate("root").sm3());
    let judge = |rule: &str, host| {
        let admission = city.clone().with_subject(rule.parse().unwrap());
        Validator::new(anchors.clone(), vec![admission])
            .verify_pair(
                &certificate("ssign"),
                &certificate("senc"),
                &[],
                Purpose::TlsServer,
                NOW,
                Some(host),
            )
            .map_or_else(|refusal| refusal.code(), |_| "")
    };
    assert_eq!(judge("OU=NDRC,O=CCG", "localhost"), "");
    assert_eq!(judge("OU=HRSS,O=CCG", "localhost"), "PK-1802");
    assert_eq!(judge("OU=NDRC,O=CCG", "127.0.0.1"), "PK-1701");
}

#[test]
fn the_request_proves_possession_of_its_key() {
    let request = CertificationRequest::from_der(&bytes("/csr_der/ssign")).unwrap();
    assert_eq!(request.public_key(), certificate("ssign").public_key());
    assert_eq!(*request.subject(), certificate("ssign").subject_dn());
    let mut altered = bytes("/csr_der/ssign");
    *altered.last_mut().unwrap() ^= 1;
    assert_eq!(CertificationRequest::from_der(&altered).unwrap_err().code(), "PK-2101");
}

#[test]
fn the_list_revokes_one_client() {
    let list = RevocationList::from_der(&bytes("/crl_der")).unwrap();
    assert_eq!(list.verify(&certificate("root")), Ok(()));
    let [entry] = list.entries() else { panic!("{list:?}") };
    assert_eq!(entry.serial, certificate("csign").serial());
    assert_eq!(entry.reason, RevocationReason::KeyCompromise);
    assert_eq!(revoked_by(Revocation::new(RevocationMode::Required, vec![list])), ["", "PK-1601"]);
}

#[test]
fn the_response_says_the_same() {
    let request = OcspRequest::from_der(&bytes("/ocsp_request_der")).unwrap();
    let response = OcspResponse::from_der(&bytes("/ocsp_response_der")).unwrap();
    assert_eq!(response.verify_for(&request, &certificate("root")), Ok(()));
    let id = CertificateId::of(&certificate("csign"), &certificate("root"));
    assert_eq!(request.ids(), [id]);
    let revocation =
        Revocation::new(RevocationMode::Required, Vec::new()).with_responses(vec![response]);
    assert_eq!(revoked_by(revocation), ["PK-1602", "PK-1601"]);
}

/// The verdicts on server and client.
fn revoked_by(revocation: Revocation) -> [&'static str; 2] {
    let anchors = TrustAnchors::from_certificates(vec![certificate("root")]);
    let validator = Validator::admitting_all(anchors).with_revocation(revocation);
    ["ssign", "csign"].map(|name| {
        validator
            .verify(&[certificate(name)], Purpose::Signing, NOW, None)
            .map_or_else(|refusal| refusal.code(), |_| "")
    })
}

/// Where the object identifier of an algorithm ends in a message, for exchanging its last part.
fn end_of(message: &[u8], oid: &[u8]) -> usize {
    let start = message.windows(oid.len()).rposition(|window| window == oid).unwrap();
    start + oid.len()
}

#[test]
fn a_signed_message_in_its_own_dialect_is_refused() {
    let der = bytes("/cms_signed_data_der");
    let refusal = SignedData::from_der(&der).unwrap_err();
    assert_eq!(refusal.code(), "PK-2003");
    assert!(refusal.to_string().contains("SM2 with SM3 (1.2.156.10197.1.501)"), "{refusal}");

    // Under the right name it is refused for what was signed: the digest lacks ZA.
    let sm2_with_sm3 = [0x30, 10, 6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75];
    let sm2_signature = [0x30, 11, 6, 9, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d, 1];
    let end = end_of(&der, &sm2_with_sm3);
    let start = end - sm2_with_sm3.len();
    let mut renamed = [&der[..start], &sm2_signature, &der[end..]].concat();
    // Every enclosing length grows by one: message, content, signed data, set of signers, signer.
    let signers = [0x31, 0x81, 0xdd, 0x30, 0x81, 0xda];
    let signers = end_of(&renamed, &signers);
    for last_byte_of_length in [3, 19, 23, signers - 4, signers - 1] {
        renamed[last_byte_of_length] += 1;
    }
    let message = SignedData::from_der(&renamed).unwrap();
    assert_eq!(message.content(), Some(b"hello\n".as_slice()));
    assert_eq!(message.certificates(), [certificate("ssign")]);
    assert_eq!(message.verify_signatures(None, &[]).unwrap_err().code(), "PK-2404");
}

#[test]
fn an_enveloped_message_in_its_own_dialect_is_refused_for_its_name_alone() {
    let der = bytes("/cms_enveloped_data_der");
    let refusal = EnvelopedData::from_der(&der).unwrap_err();
    assert_eq!(refusal.code(), "PK-2003");
    assert!(refusal.to_string().contains("SM2 key exchange"), "{refusal}");

    let sm2_encryption = [0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x82, 0x2d];
    let mut renamed = der;
    let last = end_of(&renamed, &sm2_encryption);
    assert_eq!(renamed[last], 2);
    renamed[last] = 3;
    let message = EnvelopedData::from_der(&renamed).unwrap();
    let recipient = ["senc", "cenc"].into_iter().find(|name| message.is_for(&certificate(name)));
    let recipient = recipient.unwrap();
    let key = bytes(&format!("/keys_d/{recipient}")).try_into().unwrap();
    let key = PrivateKey::from_bytes(&key).unwrap();
    let content = message.open(&certificate(recipient), &key).unwrap();
    assert_eq!(content.to_vec(), bytes("/cms_plaintext"));
}

/// Exhaustive over a certificate this crate did not build.
#[test]
fn any_flipped_bit_is_rejected() {
    let der = bytes("/certs_der/csign");
    let anchors = TrustAnchors::from_certificates(vec![certificate("root")]);
    for bit in 0..der.len() * 8 {
        let mut altered = der.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let accepted = Certificate::from_der(&altered).is_ok_and(|altered| {
            verify_chain(&altered, &[], &anchors, NOW, Purpose::Signing).is_ok()
        });
        assert!(!accepted, "bit {bit}");
    }
}
