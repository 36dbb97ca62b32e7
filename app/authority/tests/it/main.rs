//! An authority's directory from outside.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::Path;

use changbai_authority::{AuthorityStore, AuthorityStoreError, EnrolmentRefusal};
use smkit::OsRandom;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{
    AlternativeNames, Authority, Certificate, CertificationRequest, Profile, Purpose,
    RevocationReason, RevokedCertificate, Subject, Terms, TrustAnchors, Validator, Validity,
};

const NOW: i64 = 1_795_312_800;
const HOUR: i64 = 3_600;

fn subject(common_name: &str) -> Subject {
    Subject {
        organisation: "CCG".to_owned(),
        organisational_units: vec!["NDRC".to_owned()],
        common_name: common_name.to_owned(),
        ..Subject::default()
    }
}

fn life(from: i64, to: i64) -> Validity {
    Validity { not_before: NOW + from * HOUR, not_after: NOW + to * HOUR }
}

fn create(dir: &Path, passphrase: Option<&str>) -> AuthorityStore {
    let root = Authority::create_root(&subject("root"), life(-1, 100_000), &mut OsRandom).unwrap();
    AuthorityStore::create(dir, root, &[], passphrase, &mut OsRandom).unwrap()
}

fn node(store: &mut AuthorityStore, name: &str) -> (Certificate, PrivateKey) {
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let name = (&subject(name)).try_into().unwrap();
    let terms = Terms {
        hosts: AlternativeNames::parse(["localhost", "127.0.0.1"]).unwrap(),
        ..Terms::new(name, key.public_key(), Profile::Node, life(-1, 72))
    };
    let issued = store.issue(&terms, true, NOW, &mut OsRandom).unwrap();
    assert!(issued.encryption.is_some());
    (issued.signing, key)
}

fn request(name: &str, hosts: &[&str], key: &PrivateKey) -> CertificationRequest {
    let signer = SigningKey::new(key.clone(), SignerId::DEFAULT).unwrap();
    let hosts = AlternativeNames::parse(hosts.iter().copied()).unwrap();
    CertificationRequest::create(&(&subject(name)).try_into().unwrap(), &signer, &hosts).unwrap()
}

fn revocation(certificate: &Certificate) -> RevokedCertificate {
    RevokedCertificate {
        serial: certificate.serial(),
        revoked_at: NOW,
        reason: RevocationReason::KeyCompromise,
        invalid_since: Some(NOW - 60),
    }
}

#[test]
fn what_was_issued_and_revoked_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(dir.path(), None);
    let (first, _) = node(&mut store, "node-0");
    let (second, _) = node(&mut store, "node-1");
    store.revoke(revocation(&first)).unwrap();
    let list = store.revocation_list(24 * HOUR, NOW).unwrap();
    assert_eq!(list.entries().len(), 1);
    let before = store.register().clone();
    drop(store);

    let mut store = AuthorityStore::open(dir.path(), None).unwrap();
    assert_eq!(*store.register(), before);
    assert_eq!(store.register().find(&first.serial()).unwrap().revoked, Some(revocation(&first)));
    assert_eq!(store.register().find(&second.serial()).unwrap().revoked, None);
    let next = store.revocation_list(24 * HOUR, NOW + 1).unwrap();
    assert!(next.number() > list.number());
    next.verify(store.certificate()).unwrap();
    let refused = store.revoke(revocation(&first));
    assert!(matches!(refused, Err(AuthorityStoreError::Recorded(_))));
}

#[test]
fn one_process_a_directory_and_one_authority_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let store = create(dir.path(), None);
    let second = AuthorityStore::open(dir.path(), None);
    assert!(matches!(second, Err(AuthorityStoreError::InUse { .. })));
    drop(store);
    let other = Authority::create_root(&subject("r"), life(-1, 9), &mut OsRandom).unwrap();
    let again = AuthorityStore::create(dir.path(), other, &[], None, &mut OsRandom);
    assert!(matches!(again, Err(AuthorityStoreError::Exists { .. })));
}

#[test]
fn a_torn_line_is_cut_and_a_damaged_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(dir.path(), None);
    let (first, _) = node(&mut store, "node-0");
    drop(store);
    let file = dir.path().join("register.log");
    let whole = fs::read(&file).unwrap();
    for torn in [&b"{\"event\":\"rev"[..], b"x"] {
        fs::write(&file, [&whole[..], torn].concat()).unwrap();
        let store = AuthorityStore::open(dir.path(), None).unwrap();
        assert!(store.register().find(&first.serial()).is_some());
        drop(store);
        assert_eq!(fs::read(&file).unwrap(), whole);
    }
    // Torn in the last place there is, and a line end that became something else.
    fs::write(&file, &whole[..whole.len() - 1]).unwrap();
    drop(AuthorityStore::open(dir.path(), None).unwrap());
    assert_eq!(fs::read(&file).unwrap(), whole);
    fs::write(&file, [&whole[..whole.len() - 1], b"\x0b"].concat()).unwrap();
    let refused = AuthorityStore::open(dir.path(), None);
    assert!(matches!(refused, Err(AuthorityStoreError::Damaged { .. })));
    let line_end = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    let twice = [&whole[..], &whole[..line_end]].concat();
    let lost = whole[line_end..].to_vec();
    let mut damages = vec![(twice, 3), (lost, 1)];
    for at in (0..whole.len() - 1).step_by(97).filter(|at| *at != line_end - 1) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        damages.push((changed, if at < line_end { 1 } else { 2 }));
    }
    for (bytes, line) in damages {
        fs::write(&file, bytes).unwrap();
        match AuthorityStore::open(dir.path(), None) {
            Err(AuthorityStoreError::Register { line: at, .. }) => assert_eq!(at, line),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path(), Some("correct horse")));
    let pem = fs::read_to_string(dir.path().join("ca.key.pem")).unwrap();
    assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    for wrong in [None, Some("wrong")] {
        let refused = AuthorityStore::open(dir.path(), wrong);
        assert!(matches!(refused, Err(AuthorityStoreError::Passphrase { .. })));
    }
    AuthorityStore::open(dir.path(), Some("correct horse")).unwrap();
}

#[test]
fn a_node_renews_itself_with_a_new_key() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(dir.path(), None);
    let (shown, _) = node(&mut store, "node-0");
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let later = NOW + 48 * HOUR;
    let asked = request("node-0", &["localhost", "127.0.0.1"], &key);
    let answer = store.enrol(&shown, &asked, 72 * HOUR, later, &mut OsRandom).unwrap();
    let identity = answer.open(&key).unwrap();
    let (encryption, _) = identity.encryption.unwrap();
    assert_eq!(identity.signing.not_after(), later + 72 * HOUR);
    assert_eq!(identity.signing.subject(), shown.subject());
    let anchors = TrustAnchors::from_certificates(vec![store.certificate().clone()]);
    let validator = Validator::admitting_all(anchors);
    for (purpose, host) in [(Purpose::TlsServer, Some("localhost")), (Purpose::TlsClient, None)] {
        validator.verify_pair(&identity.signing, &encryption, &[], purpose, later, host).unwrap();
    }
    assert!(store.register().find(&identity.signing.serial()).is_some());
    assert!(store.register().find(&encryption.serial()).is_some());
}

#[test]
fn enrolment_never_widens() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = create(dir.path(), None);
    let (shown, own_key) = node(&mut store, "node-0");
    let (revoked, _) = node(&mut store, "node-0");
    store.revoke(revocation(&revoked)).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let (foreign, _) = node(&mut create(elsewhere.path(), None), "node-0");
    let signing_key = PrivateKey::generate(&mut OsRandom).unwrap();
    let name = (&subject("node-0")).try_into().unwrap();
    let terms = Terms::new(name, signing_key.public_key(), Profile::Signing, life(-1, 72));
    let person = store.issue(&terms, false, NOW, &mut OsRandom).unwrap().signing;
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let hosts = ["localhost", "127.0.0.1"];
    let entries = store.register().iter().count();
    for (shown, request, at, refusal) in [
        (&foreign, request("node-0", &hosts, &key), NOW, EnrolmentRefusal::NotOurs),
        (&revoked, request("node-0", &hosts, &key), NOW, EnrolmentRefusal::Revoked),
        (&shown, request("node-0", &hosts, &key), NOW + 73 * HOUR, EnrolmentRefusal::NotValid),
        (&shown, request("node-1", &hosts, &key), NOW, EnrolmentRefusal::OtherSubject),
        (&shown, request("node-0", &["portal"], &key), NOW, EnrolmentRefusal::OtherHosts),
        (&shown, request("node-0", &hosts, &own_key), NOW, EnrolmentRefusal::SameKey),
        (&person, request("node-0", &[], &key), NOW, EnrolmentRefusal::Kind),
    ] {
        match store.enrol(shown, &request, 72 * HOUR, at, &mut OsRandom) {
            Err(AuthorityStoreError::Refused(found)) => assert_eq!(found, refusal),
            other => panic!("{refusal:?}: {other:?}"),
        }
    }
    assert_eq!(store.register().iter().count(), entries);
}
