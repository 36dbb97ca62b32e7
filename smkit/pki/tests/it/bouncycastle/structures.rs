//! BouncyCastle judges everything we make, and we judge everything it makes.

use std::{collections::BTreeMap, time::Duration};

use smkit_pki::{
    Accuracy, AlternativeNames, Certificate, CertificateId, CertificationRequest, CmsSigner,
    EnvelopedData, Grant, OcspRequest, OcspResponder, OcspResponse, Purpose, Register, Revocation,
    RevocationList, RevocationMode, RevocationReason, RevokedCertificate, SerialNumber, SignedData,
    TimeStampAuthority, TimeStampError, TimeStampRequest, TimeStampResponse, TrustAnchors,
    Validator,
};

use super::*;

const NOW: i64 = 1_800_000_000;
const VALIDITY: Validity = Validity { not_before: 1_577_836_800, not_after: 2_500_000_000 };
const CONTENT: &[u8] = "原文".as_bytes();

fn program(name: &str) -> String {
    format!("{}/tests/bouncycastle/{name}", env!("CARGO_MANIFEST_DIR"))
}

struct Identity {
    certificate: Certificate,
    private: PrivateKey,
    key: SigningKey,
}

fn identity(root: &Authority, name: &str, profile: Profile) -> Identity {
    let private = PrivateKey::generate(&mut OsRandom).unwrap();
    let public = private.public_key();
    let certificate =
        root.issue(&subject(name), public, profile, VALIDITY, None, &mut OsRandom).unwrap();
    let key = SigningKey::new(private.clone(), SignerId::DEFAULT).unwrap();
    Identity { certificate, private, key }
}

fn subject(name: &str) -> Subject {
    Subject { common_name: name.into(), ..Subject::default() }
}

/// Puts one of everything into `folder`.
fn make(folder: &Path) {
    let write = |name: &str, der: &[u8]| fs::write(folder.join(name), der).unwrap();
    let root = Authority::create_root(&subject("root"), VALIDITY, &mut OsRandom).unwrap();
    let leaf = identity(&root, "leaf", Profile::Signing);
    write("root.der", root.certificate().der());
    write("leaf.der", leaf.certificate.der());

    let hosts = AlternativeNames::parse(["node1.cc.jl"]).unwrap();
    let name = (&subject("请求者")).try_into().unwrap();
    let request = CertificationRequest::create(&name, &leaf.key, &hosts).unwrap();
    write("request.der", request.der());

    let mut register = Register::new();
    register.record(&leaf.certificate).unwrap();
    register
        .revoke(RevokedCertificate {
            serial: leaf.certificate.serial(),
            revoked_at: NOW,
            reason: RevocationReason::Superseded,
            invalid_since: None,
        })
        .unwrap();
    let list = register.revocation_list(&root, NOW, VALIDITY.not_after).unwrap();
    write("list.der", list.der());

    let issuer = root.certificate().clone();
    let id = CertificateId::of(&leaf.certificate, &issuer);
    let request = OcspRequest::with_nonce(&[id], &[7; 32]).unwrap();
    write("ocsp-request.der", request.der());
    let key = SigningKey::new(root.key().clone(), SignerId::DEFAULT).unwrap();
    let own = OcspResponder::new(issuer.clone(), issuer.clone(), key).unwrap();
    write("ocsp.der", &own.answer(request.der(), &register, NOW, NOW + 1));
    let delegate = identity(&root, "responder", Profile::OcspResponder);
    let delegate = OcspResponder::new(issuer, delegate.certificate, delegate.key).unwrap();
    write("delegated.der", &delegate.answer(request.der(), &register, NOW, NOW + 1));

    let tsa = identity(&root, "tsa", Profile::TimeStampAuthority);
    write("tsa.der", tsa.certificate.der());
    let policy = "1.2.3.4";
    let authority = TimeStampAuthority::new(tsa.certificate, tsa.key, policy, Vec::new()).unwrap();
    let request = TimeStampRequest::new(&smkit::sm3(CONTENT), &[9; 16], Some(policy)).unwrap();
    write("time-request.der", request.der());
    let grant = Grant {
        serial: SerialNumber::from_bytes(&[1, 2, 3]).unwrap(),
        gen_time: Duration::from_millis(1_800_000_000_120),
        accuracy: Accuracy::new(Duration::from_millis(8)),
    };
    write("time.der", authority.grant(&request, grant).unwrap().der());

    for (name, with_attributes) in [("signed.der", false), ("attributes.der", true)] {
        let (certificate, key) = (&leaf.certificate, &leaf.key);
        let signer = CmsSigner { certificate, key, with_attributes, signing_time: None };
        let signed = SignedData::sign(CONTENT, true, &[signer], &[]).unwrap();
        write(name, signed.der());
    }
    let recipient = identity(&root, "recipient", Profile::Encryption);
    let sealed = EnvelopedData::seal(CONTENT, &[recipient.certificate], &mut OsRandom).unwrap();
    write("enveloped.der", sealed.der());
    write("recipient-key.der", &recipient.private.to_pkcs8_der().unwrap());
}

#[test]
fn everything_we_make_is_accepted() {
    let Some(java) = java() else { return };
    let folder = tempfile::TempDir::new().unwrap();
    make(folder.path());
    let class_path = JARS.join(":");
    let judge = || {
        peer::run(&java, folder.path(), ["-cp", class_path.as_str(), &program("Judge.java"), "."])
    };
    let said = judge();
    assert!(said.success, "{}{}", said.out, said.err);
    let found: BTreeMap<_, _> = said.out.lines().filter_map(|line| line.split_once(' ')).collect();
    let content = hex::encode(CONTENT);
    let (signed, holds) = (format!("signed {content}"), format!("holds {content}"));
    let expected = BTreeMap::from([
        ("request.der", "C=CN,CN=请求者"),
        ("list.der", "number 1, entry 4"),
        ("ocsp.der", "revoked, reason 4"),
        ("delegated.der", "valid"),
        ("time.der", "2027-01-15T08:00:00.120Z within 8 ms"),
        ("signed.der", &signed),
        ("attributes.der", &signed),
        ("enveloped.der", &holds),
    ]);
    assert_eq!(found, expected, "{}", said.err);

    // And it does look: one bit of each signature.
    for name in ["request.der", "list.der", "ocsp.der", "signed.der", "attributes.der"] {
        let mut der = fs::read(folder.path().join(name)).unwrap();
        *der.last_mut().unwrap() ^= 1;
        fs::write(folder.path().join(name), der).unwrap();
    }
    let said = judge();
    assert!(!said.success);
    let refused = said.out.lines().filter(|line| line.contains("refused")).count();
    assert_eq!(refused, 5, "{}", said.out);
}

#[test]
fn everything_it_makes_is_accepted() {
    let Some(java) = java() else { return };
    let folder = tempfile::TempDir::new().unwrap();
    let policy = "1.2.3.4";
    let request = TimeStampRequest::new(&smkit::sm3(CONTENT), &[9; 16], Some(policy)).unwrap();
    fs::write(folder.path().join("time-request.der"), request.der()).unwrap();
    let class_path = JARS.join(":");
    let arguments = ["-cp", class_path.as_str(), &program("Make.java"), "."];
    let said = peer::run(&java, folder.path(), arguments);
    assert!(said.success, "{}{}", said.out, said.err);
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();

    let root = Certificate::from_der(&read("root.der")).unwrap();
    let leaf = Certificate::from_der(&read("leaf.der")).unwrap();
    let anchors = TrustAnchors::from_certificates(vec![root.clone()]);
    let validator = Validator::admitting_all(anchors);
    let host = Some("node1.cc.jl");
    let chain = [leaf.clone()];
    assert!(validator.verify(&chain, Purpose::TlsServer, NOW, host).is_ok());

    let certification = CertificationRequest::from_der(&read("request.der")).unwrap();
    assert_eq!(certification.subject().to_string(), "O=长春,CN=请求者");
    assert_eq!(certification.hosts().dns, ["node1.cc.jl"]);

    let list = RevocationList::from_der(&read("list.der")).unwrap();
    assert_eq!(list.verify(&root), Ok(()));
    let reason = list.find(&leaf.serial()).unwrap().reason;
    assert_eq!(reason, RevocationReason::CessationOfOperation);

    let ocsp = OcspResponse::from_der(&read("ocsp.der")).unwrap();
    let asked = OcspRequest::from_der(&read("ocsp-request.der")).unwrap();
    assert_eq!(ocsp.verify_for(&asked, &root), Ok(()));
    for revocation in [
        Revocation::new(RevocationMode::Required, vec![list]),
        Revocation::new(RevocationMode::Required, Vec::new()).with_responses(vec![ocsp]),
    ] {
        let validator = validator.clone().with_revocation(revocation);
        let verdict = |at| {
            let verdict = validator.verify(&chain, Purpose::Signing, at, None);
            verdict.map_or_else(|refusal| refusal.code(), |_| "")
        };
        assert_eq!((verdict(NOW - 1), verdict(NOW)), ("", "PK-1601"));
    }

    let stamped = TimeStampResponse::from_der(&read("time.der")).unwrap();
    let verified = stamped.token().verify_for(&request, &validator, &[]).unwrap();
    assert_eq!(verified.gen_time, Duration::from_millis(1_800_000_000_120));
    assert_eq!(verified.accuracy.unwrap().bound(), Duration::from_millis(8));
    let other = stamped.token().verify(&smkit::sm3(b"other"), &validator, &[]);
    assert_eq!(other, Err(TimeStampError::Imprint));

    for name in ["signed.der", "attributes.der"] {
        let signed = SignedData::from_der(&read(name)).unwrap();
        assert_eq!(signed.content(), Some(CONTENT));
        let signers = signed.verify(None, &validator, Purpose::Signing, NOW).unwrap();
        assert_eq!(signers[0].path.leaf(), Some(&leaf), "{name}");
    }
    let enveloped = EnvelopedData::from_der(&read("enveloped.der")).unwrap();
    let key = PrivateKey::from_pkcs8_der(&read("leaf-key.der")).unwrap();
    assert_eq!(enveloped.open(&leaf, &key).unwrap().to_vec(), CONTENT);
}
