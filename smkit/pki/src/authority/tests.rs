#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::{
    AlternativeNames, KeyPurpose, KeyUsage, Purpose, TrustAnchors, Validator,
    testing::{Counter, NOW, VALIDITY, below, leaf, root, subject},
    verify_chain,
};

struct Broken;

impl Random for Broken {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError { reason: "test".into() })
    }
}

#[test]
fn a_root_says_what_it_should() {
    let authority = root(1);
    let root = authority.certificate();
    assert!(root.is_ca() && root.is_self_issued());
    assert_eq!(root.path_length(), None);
    assert_eq!(root.key_usage(), KeyUsage::KEY_CERT_SIGN.union(KeyUsage::CRL_SIGN));
    assert_eq!(root.subject_key_id(), root.authority_key_id());
    let digest = sm3(&root.public_key().to_sec1());
    assert_eq!(root.subject_key_id(), Some(&digest.as_bytes()[..20]));
    assert_eq!(root.verify_issued_by(root), Ok(()));
    assert_eq!((root.not_before(), root.not_after()), (VALIDITY.not_before, VALIDITY.not_after));
    assert_eq!(root.serial_hex().len(), 32);
    assert_eq!(root.sm3(), sm3(root.der()));
}

#[test]
fn a_signer_says_what_it_should() {
    let authority = root(1);
    let key = PrivateKey::generate(&mut Counter(50)).unwrap();
    let name = Subject {
        country: "CN".into(),
        state: "吉林省".into(),
        locality: "长春市".into(),
        organisation: "Changchun, \"CCG\"".into(),
        organisational_units: vec!["orderer".into(), "NDRC".into()],
        common_name: " peer0 ".into(),
    };
    let random = &mut Counter(51);
    let code = Some("91220101MA0000000X");
    let signer =
        authority.issue(&name, key.public_key(), Profile::Signing, VALIDITY, code, random).unwrap();
    assert_eq!(
        signer.subject(),
        r#"CN=\ peer0\ ,OU=NDRC,OU=orderer,O=Changchun\, \"CCG\",L=长春市,ST=吉林省,C=CN"#
    );
    assert_eq!(signer.issuer(), "CN=root,C=CN");
    assert_eq!(signer.common_name().as_deref(), Some(" peer0 "));
    assert_eq!(signer.organisation(), ["Changchun, \"CCG\""]);
    assert_eq!(signer.organisational_units(), ["orderer", "NDRC"]);
    assert_eq!(signer.organisation_code().as_deref(), code);
    assert!(!signer.is_ca());
    assert!(signer.key_usage().digital_signature() && signer.key_usage().non_repudiation());
    assert!(!signer.key_usage().key_cert_sign());
    assert_eq!(signer.authority_key_id(), authority.certificate().subject_key_id());
    assert_eq!(signer.public_key(), key.public_key());
    assert_eq!(signer.verify_issued_by(authority.certificate()), Ok(()));
}

#[test]
fn the_same_seed_gives_the_same_certificates() {
    assert_eq!(root(1).certificate(), root(1).certificate());
    assert_ne!(root(1).certificate(), root(2).certificate());
}

#[test]
fn dates_from_2050_use_the_other_time_type() {
    let times = [(2_524_607_999, 0x17), (2_524_608_000, 0x18), (253_402_300_799, 0x18)];
    for (not_after, tag) in times {
        let validity = Validity { not_before: 0, not_after };
        let made = Authority::create_root(&subject("r"), validity, &mut Counter(1)).unwrap();
        let certificate = made.certificate();
        assert_eq!((certificate.not_before(), certificate.not_after()), (0, not_after));
        let first =
            certificate.der().windows(15).position(|w| w == b"\x17\x0d700101000000Z").unwrap();
        assert_eq!(certificate.der()[first + 15], tag);
        let anchors = TrustAnchors::from_certificates(vec![certificate.clone()]);
        assert!(verify_chain(certificate, &[], &anchors, NOW, Purpose::CertificateSign).is_ok());
    }
}

#[test]
fn nonsense_is_not_issued() {
    let authority = root(1);
    let key = authority.certificate().public_key().clone();
    let issue = |name: &Subject, validity: Validity, code: Option<&str>| {
        authority.issue(name, &key, Profile::Signing, validity, code, &mut Counter(1))
    };
    let good = subject("x");
    for (not_before, not_after) in [(5, 5), (6, 5), (-1, 5), (0, i64::MAX), (0, 253_402_300_800)] {
        let validity = Validity { not_before, not_after };
        let expected = AuthorityError::Validity { not_before, not_after };
        assert_eq!(issue(&good, validity, None), Err(expected));
    }
    for code in ["", "统一", "a@b", &"1".repeat(65)] {
        assert_eq!(issue(&good, VALIDITY, Some(code)), Err(AuthorityError::OrganisationCode));
    }
    let long = "名".repeat(65);
    let subjects = [
        (subject(""), SubjectError::NoCommonName),
        (subject("a\nb"), SubjectError::Text { field: "CN" }),
        (subject(&long), SubjectError::TooLong { field: "CN", chars_max: 64 }),
        (Subject { country: "cn".into(), ..subject("x") }, SubjectError::Country),
        (
            Subject { organisational_units: vec![String::new()], ..subject("x") },
            SubjectError::Text { field: "OU" },
        ),
        (
            Subject { organisational_units: vec!["u".into(); 17], ..subject("x") },
            SubjectError::TooManyUnits,
        ),
    ];
    for (name, expected) in subjects {
        assert_eq!(issue(&name, VALIDITY, None), Err(AuthorityError::Subject(expected)));
    }
    let result = authority.issue(&good, &key, Profile::Signing, VALIDITY, None, &mut Broken);
    assert!(matches!(result, Err(AuthorityError::Random(_))));
}

#[test]
fn opening_a_ca_checks_that_its_parts_belong_together() {
    let (one, two) = (root(1), root(2));
    let open = |certificate: &Certificate, key: &PrivateKey| {
        Authority::new(certificate.clone(), key.clone()).err()
    };
    assert_eq!(open(one.certificate(), one.key()), None);
    assert_eq!(open(one.certificate(), two.key()), Some(AuthorityError::KeyMismatch));
    let key = PrivateKey::generate(&mut Counter(7)).unwrap();
    assert_eq!(open(&leaf(&one), &key), Some(AuthorityError::NotACa));
}

#[test]
fn a_limited_ca_stays_limited() {
    let root = root(1);
    let zero = below(&root, "zero", Some(0));
    let key = zero.certificate().public_key().clone();
    let ca = Profile::RootCa { path_length: None };
    let result = zero.issue(&subject("x"), &key, ca, VALIDITY, None, &mut Counter(1));
    assert_eq!(result, Err(AuthorityError::PathLength { limit: 0 }));
}

#[test]
fn debug_shows_no_key() {
    let authority = root(1);
    let secret: String =
        authority.key().to_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(!format!("{authority:?}").contains(&secret[..8]));
}

#[test]
fn profiles_say_what_they_should() {
    let root = root(1);
    let anchors = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
    let validator = Validator::admitting_all(anchors);
    let key = PrivateKey::generate(&mut Counter(60)).unwrap();
    let terms = |profile| {
        let name = (&subject("x")).try_into().unwrap();
        let hosts = AlternativeNames::parse(["node1.cc.jl", "10.0.0.1"]).unwrap();
        Terms { hosts, ..Terms::new(name, key.public_key(), profile, VALIDITY) }
    };
    let issue = |profile| root.issue_on(&terms(profile), &mut Counter(61)).unwrap();
    use Purpose::{
        KeyEncipherment, OcspSigning, Seal, Signing, TimeStamping, TlcpEncryption, TlsClient,
        TlsServer,
    };
    for (profile, purposes) in [
        (Profile::Signing, vec![Signing, Seal, TlsServer, TlsClient]),
        (Profile::Seal, vec![Signing, Seal, TlsServer, TlsClient]),
        (Profile::Encryption, vec![KeyEncipherment, TlcpEncryption]),
        (Profile::Server, vec![Signing, Seal, TlsServer]),
        (Profile::Client, vec![Signing, Seal, TlsClient]),
        (Profile::Operator, vec![Signing, Seal, TlsClient]),
        (Profile::Node, vec![Signing, Seal, TlsServer, TlsClient]),
        (Profile::TimeStampAuthority, vec![TimeStamping]),
        (Profile::OcspResponder, vec![OcspSigning]),
    ] {
        let leaf = issue(profile);
        for purpose in [
            Signing,
            Seal,
            TlsServer,
            TlsClient,
            TlcpEncryption,
            KeyEncipherment,
            TimeStamping,
            OcspSigning,
            Purpose::CertificateSign,
        ] {
            let found = validator.verify(std::slice::from_ref(&leaf), purpose, NOW, None);
            let expected = purposes.contains(&purpose);
            assert_eq!(found.is_ok(), expected, "{profile:?} {purpose:?} {found:?}");
        }
        // GmSSL refuses an explicit CA:FALSE: the extension is left out.
        let basic_constraints = [0x55, 0x1d, 0x13];
        assert!(!leaf.der().windows(3).any(|window| window == basic_constraints));
    }
    let usage = issue(Profile::TimeStampAuthority);
    let usage = usage.extended_key_usage().unwrap();
    assert!(usage.is_critical() && usage.names(KeyPurpose::TimeStamping));
    assert_eq!(usage.oids(), ["1.3.6.1.5.5.7.3.8"]);

    let ca = issue(Profile::IntermediateCa);
    assert_eq!((ca.is_ca(), ca.path_length()), (true, Some(0)));
    let ca = Authority::new(ca, key.clone()).unwrap();
    let result = ca.issue_on(&terms(Profile::IntermediateCa), &mut Counter(61));
    assert_eq!(result, Err(AuthorityError::PathLength { limit: 0 }));
    let (node, encryption) =
        (issue(Profile::Node), PrivateKey::generate(&mut Counter(62)).unwrap());
    assert_eq!(node.alternative_names().unwrap().dns, ["node1.cc.jl"]);
    let no_host = Terms { hosts: AlternativeNames::default(), ..terms(Profile::Node) };
    assert_eq!(root.issue_on(&no_host, &mut Counter(61)), Err(AuthorityError::NoHost));

    let pair =
        |profile| root.issue_pair(&terms(profile), encryption.public_key(), &mut Counter(61));
    let (signing, encryption) = pair(Profile::Node).unwrap();
    assert_eq!(signing.subject_dn(), encryption.subject_dn());
    assert_ne!(signing.serial(), encryption.serial());
    let usage = KeyUsage::KEY_ENCIPHERMENT
        .union(KeyUsage::DATA_ENCIPHERMENT)
        .union(KeyUsage::KEY_AGREEMENT);
    assert_eq!(encryption.key_usage(), usage);
    assert_eq!(encryption.extended_key_usage(), signing.extended_key_usage());
    let host = Some("node1.cc.jl");
    assert!(validator.verify_pair(&signing, &encryption, &[], TlsServer, NOW, host).is_ok());
    for profile in [Profile::TimeStampAuthority, Profile::Encryption, Profile::IntermediateCa] {
        assert_eq!(pair(profile), Err(AuthorityError::NoPair));
    }
    let same = root.issue_pair(&terms(Profile::Node), key.public_key(), &mut Counter(61));
    assert_eq!(same, Err(AuthorityError::NoPair));
}

#[test]
fn where_to_ask_about_revocation_is_written() {
    let root = root(1);
    let key = PrivateKey::generate(&mut Counter(60)).unwrap();
    let name = (&subject("x")).try_into().unwrap();
    let crl_uris = vec!["http://ca.cc.jl/root.crl".to_owned(), "ldap://ca.cc.jl/c".to_owned()];
    let ocsp_uris = vec!["http://ocsp.cc.jl".to_owned()];
    let terms = Terms::new(name, key.public_key(), Profile::Signing, VALIDITY);
    let terms = Terms { crl_uris, ocsp_uris, ..terms };
    let leaf = root.issue_on(&terms, &mut Counter(61)).unwrap();
    assert_eq!(leaf.crl_uris(), terms.crl_uris);
    assert_eq!(leaf.ocsp_uris(), terms.ocsp_uris);
    for bad in ["", "x", "http://", "http://长春", "http://a b"] {
        let terms = Terms { crl_uris: vec![bad.to_owned()], ..terms.clone() };
        assert_eq!(root.issue_on(&terms, &mut Counter(61)), Err(AuthorityError::Uri), "{bad}");
    }
}
