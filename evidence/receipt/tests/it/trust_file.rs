//! The trust file's second version: keys of logs and witnesses, roots for one purpose, revocation lists.

use changbai_merkle::{CosignerKey, LogKey, VerifierKey};
use changbai_receipt::{Further, Status, Trust, Verdict, verify_reader};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{
    Authority, RevocationList, RevocationListContent, RevocationReason, RevokedCertificate,
    SerialNumber, TrustAnchors,
};

use crate::fixture::{City, Member, NOW_MS, Seed, days, root};

fn key(seed: u64) -> SigningKey {
    SigningKey::new(PrivateKey::generate(&mut Seed(seed)).unwrap(), SignerId::DEFAULT).unwrap()
}

fn witness(name: &str, seed: u64) -> VerifierKey {
    CosignerKey::new(name, key(seed)).unwrap().verifier().clone()
}

fn log(seed: u64) -> VerifierKey {
    LogKey::new("changbai/changchun", key(seed)).unwrap().verifier().clone()
}

fn anchors(authority: &Authority) -> TrustAnchors {
    TrustAnchors::from_certificates(vec![authority.certificate().clone()])
}

fn list(authority: &Authority, revoked: &[RevokedCertificate], this_update: i64) -> RevocationList {
    authority
        .revocation_list(&RevocationListContent {
            number: SerialNumber::from_bytes(&[1]).unwrap(),
            this_update,
            next_update: this_update + 7 * 86_400,
            keeps_expired_since: Some(0),
            revoked,
        })
        .unwrap()
}

fn everything() -> Trust {
    let (tsa, seals) = (root(&mut Seed(71)), root(&mut Seed(72)));
    let now = (NOW_MS / 1_000) as i64;
    let further = Further {
        log_keys: vec![log(1), log(2)],
        witnesses: vec![witness("court", 3), witness("notary", 4)],
        witnesses_min: 1,
        tsa_roots: anchors(&tsa),
        seal_roots: anchors(&seals),
        revocation_lists: vec![list(&tsa, &[], now), list(&seals, &[], now)],
    };
    City::new(1).trust.with(further).unwrap()
}

#[test]
fn everything_is_read_back() {
    let trust = everything();
    let text = trust.to_text();
    assert!(text.starts_with("Changbai-Trust: 2\n"));
    let again = Trust::parse(&text).unwrap();
    assert_eq!(again.to_text(), text);
    assert_eq!(again.witnesses().len(), 2);
    assert_eq!(again.witnesses()[0].to_string(), trust.witnesses()[0].to_string());
    assert_eq!((again.witnesses_min(), again.log_keys().len()), (1, 2));
    assert_eq!((again.roots().len(), again.tsa_roots().len(), again.seal_roots().len()), (1, 2, 2));
    assert_eq!(again.revocation_lists().len(), 2);
    let windows = text.replace('\n', " \r\n");
    assert_eq!(Trust::parse(&windows).unwrap().to_text(), text);
}

#[test]
fn another_order_a_repetition_or_a_mistyped_line_is_refused() {
    let text = everything().to_text();
    let line = |start: &str| {
        let begin = text.find(start).unwrap();
        let end = begin + text[begin..].find('\n').unwrap() + 1;
        text[begin..end].to_owned()
    };
    let (log, court, min) = (line("Log: "), line("Witness: court"), line("Witnesses-Min: "));
    let (tsa, seals) = ("Roots: time-stamps\n", "Roots: seals\n");
    let pem = City::new(1).trust.to_text();
    let pem = &pem[pem.find("-----BEGIN").unwrap()..];
    let crl = &text[text.find("-----BEGIN X509 CRL").unwrap()..];
    let bad = [
        text.replace("Changbai-Trust: 2", "Changbai-Trust: 1"),
        text.replace("Changbai-Trust: 2", "Changbai-Trust: 3"),
        text.replace(&log, &format!("{log}{log}")),
        text.replace(&court, &format!("{court}{court}")),
        text.replace(&court, &court.replace("court", "Court")),
        text.replace(&court, &court.replace("Witness", "Log")),
        text.replace(&log, &log.replace("Log", "Witness")),
        text.replace(&log, "").replace(&court, &format!("{court}{log}")),
        text.replace(&min, "Witnesses-Min: 3\n"),
        text.replace(&min, "Witnesses-Min: 0\n"),
        text.replace(&min, "Witnesses-Min: 01\n"),
        text.replace(&min, &format!("{min}{min}")),
        text.replace(&min, "").replace(&court, &format!("{min}{court}")),
        text.replace(tsa, "Roots: timestamps\n"),
        text.replace(tsa, &format!("{tsa}{tsa}")),
        text.replace(tsa, "@").replace(seals, tsa).replace('@', seals),
        text.replace(seals, &format!("{seals}{crl}")),
        text.replace("-----BEGIN X509 CRL", "-----BEGIN X509 CRL-----\n-----BEGIN X509 CRL"),
        format!("{text}{pem}"),
        format!("{text}Roots: seals\n"),
        format!("{text}{log}"),
        format!("{pem}{crl}"),
        text[..text.rfind("-----END").unwrap()].to_owned(),
        format!("Changbai-Trust: 2\n{}", City::new(1).trust.to_text().split_once('\n').unwrap().1),
    ];
    for (at, bad) in bad.iter().enumerate() {
        assert_ne!(bad, &text, "{at}");
        assert!(Trust::parse(bad).is_err(), "{at}: {bad}");
    }
}

#[test]
fn one_witness_counts_once_and_roles_are_not_exchanged() {
    let with = |further| City::new(1).trust.with(further);
    let witnesses = |witnesses| with(Further { witnesses, ..Further::default() });
    assert!(witnesses(vec![witness("court", 3), witness("court", 4)]).is_err());
    assert!(witnesses(vec![log(3)]).is_err());
    assert!(with(Further { log_keys: vec![witness("court", 3)], ..Further::default() }).is_err());
    assert!(with(Further { witnesses_min: 1, ..Further::default() }).is_err());
    let roots: Trust = anchors(&root(&mut Seed(1))).into();
    assert!(roots.with(Further { log_keys: vec![log(1)], ..Further::default() }).is_err());
}

/// A city whose root is at hand, to make revocation lists with.
fn city() -> (Authority, City) {
    let mut seed = Seed(500);
    let authority = root(&mut seed);
    let node = Member::issued(&authority, "node", &["peer", "orderer"], days(-1, 365), &mut seed);
    let operator = Member::issued(&authority, "经办员", &["client"], days(-1, 365), &mut seed);
    let city = City::with(&authority, vec![node], operator);
    (authority, city)
}

fn revoked(member: &Member, at: i64) -> RevokedCertificate {
    let serial = member.certificate.serial();
    let reason = RevocationReason::KeyCompromise;
    RevokedCertificate { serial, revoked_at: at, reason, invalid_since: None }
}

#[test]
fn certificates_are_looked_up_in_the_lists_at_hand() {
    let (authority, city) = city();
    let stranger = root(&mut Seed(900));
    let at = (city.header_time_ms / 1_000) as i64;
    let node = &city.validators[0];
    let code = |lists: Vec<RevocationList>| {
        let further = Further { revocation_lists: lists, ..Further::default() };
        let trust = city.trust.clone().with(further).unwrap();
        let report = verify_reader(&mut city.bundle().as_slice(), &[], Some(&trust));
        let element = report.element("revocation").unwrap();
        let expected = match element.status {
            Status::Failed => Verdict::NotVerified,
            Status::Unchecked => Verdict::Unchecked,
            _ => Verdict::Verified,
        };
        assert_eq!(report.verdict, expected);
        element.code
    };
    assert_eq!(code(Vec::new()), "VF-2780");
    assert_eq!(code(vec![list(&authority, &[], at)]), "VF-2700");
    let early = revoked(node, at - 1);
    assert_eq!(code(vec![list(&authority, &[early], at + 10)]), "VF-2701");
    // A revocation after the header's time does not reach back.
    let late = revoked(node, at + 60);
    assert_eq!(code(vec![list(&authority, &[late], at + 90)]), "VF-2700");
    // A list that was due for renewal before, another authority's, and one that only pretends to be of this one.
    assert_eq!(code(vec![list(&authority, &[], at - 30 * 86_400)]), "VF-2791");
    assert_eq!(code(vec![list(&stranger, &[], at)]), "VF-2791");
    let mut forged = list(&authority, &[], at).der().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(code(vec![RevocationList::from_der(&forged).unwrap()]), "VF-2792");
}
