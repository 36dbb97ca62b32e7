use std::sync::Arc;

use smkit::{
    OsRandom,
    sm2::{PrivateKey, SignerId},
};
use smkit_pki::{Authority, Subject, Validity};

use super::{Entry, GENERATION_MAX, Known};

fn certificate(name: usize) -> Vec<u8> {
    let subject = Subject { common_name: format!("root {name}"), ..Subject::default() };
    let validity = Validity { not_before: 1_700_000_000, not_after: 1_900_000_000 };
    let root = Authority::create_root(&subject, validity, &mut OsRandom).unwrap();
    root.certificate().der().to_vec()
}

#[test]
fn what_is_remembered_is_found_and_the_number_is_bounded() {
    let known = Known::default();
    let ders: Vec<_> = (0..2 * GENERATION_MAX + 1).map(certificate).collect();
    for der in &ders {
        assert!(known.find(der).is_none());
        known.remember(vec![Arc::new(Entry::parse(der).unwrap())]);
        let found = known.find(der).unwrap();
        assert_eq!(found.certificate.der(), der);
        assert_eq!(found.handshake_key.signer_id(), &SignerId::TLS13);
    }
    assert!(known.find(&ders[0]).is_none(), "the oldest generation is gone");
    assert!(known.find(&ders[GENERATION_MAX]).is_some());
    let held = known.0.lock().unwrap();
    assert!(held.young.len() + held.old.len() <= 2 * GENERATION_MAX);
}

#[test]
fn garbage_is_no_entry() {
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let refusal = Entry::parse(key.public_key().as_sec1()).err().unwrap();
    assert_eq!(refusal.code, "PK-1001");
}
