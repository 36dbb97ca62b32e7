#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use der::{
    Decode,
    asn1::{Any, BitString, OctetString, Uint},
};
use proptest::prelude::*;
use x509_cert::ext::Extension;

use super::*;
use crate::{
    Authority,
    testing::{NOW, root},
};

fn entry(number: u32) -> RevokedCertificate {
    RevokedCertificate {
        serial: SerialNumber::from_bytes(&number.to_be_bytes()).unwrap(),
        revoked_at: NOW - i64::from(number),
        reason: RevocationReason::from_code((number % 7) as u8).unwrap(),
        invalid_since: number.is_multiple_of(2).then_some(NOW - 2 * i64::from(number)),
    }
}

fn content(revoked: &[RevokedCertificate]) -> RevocationListContent<'_> {
    RevocationListContent {
        number: SerialNumber::from_bytes(&[0x80]).unwrap(),
        this_update: NOW,
        next_update: NOW + 100,
        keeps_expired_since: Some(NOW - 5_000),
        revoked,
    }
}

/// Alters a list and signs it again.
fn forge(list: &RevocationList, by: &Authority, edit: impl FnOnce(&mut SignedList)) -> Vec<u8> {
    let mut parts = SignedList::from_der(list.der()).unwrap();
    edit(&mut parts);
    let signature = by.signing_key().sign(&parts.tbs.to_der().unwrap()).to_der();
    parts.signature = BitString::from_bytes(&signature).unwrap();
    parts.to_der().unwrap()
}

#[test]
fn what_is_written_is_read() {
    let root = root(1);
    let entries: Vec<_> = (1..300).map(entry).collect();
    let mut shuffled = entries.clone();
    shuffled.reverse();
    let list = root.revocation_list(&content(&shuffled)).unwrap();
    assert_eq!(list.entries(), entries);
    assert_eq!((list.this_update(), list.next_update()), (NOW, NOW + 100));
    assert_eq!(list.number().unwrap().to_string(), "80");
    assert_eq!(list.issuer(), root.certificate().subject_dn());
    assert!(list.covers(NOW - 5_000) && !list.covers(NOW - 5_001));
    assert_eq!(list.verify(root.certificate()), Ok(()));
    for wanted in &entries {
        assert_eq!(list.find(&wanted.serial), Some(wanted));
    }
    assert_eq!(list.find(&entry(300).serial), None);
    assert_eq!(RevocationList::from_pem(&list.to_pem()), Ok(list.clone()));
    assert_eq!(root.revocation_list(&content(&entries)).unwrap(), list, "deterministic");
    assert_eq!(root.revocation_list(&content(&[])).unwrap().entries(), []);
}

#[test]
fn impossible_lists_are_not_made() {
    let root = root(1);
    let refused = |content: &RevocationListContent<'_>| root.revocation_list(content).is_err();
    assert!(refused(&content(&[entry(1), entry(1)])));
    assert!(refused(&RevocationListContent { next_update: NOW, ..content(&[]) }));
    assert!(refused(&RevocationListContent { this_update: -1, ..content(&[]) }));
    assert!(refused(&content(&[RevokedCertificate { revoked_at: -1, ..entry(1) }])));
    assert!(refused(&content(&vec![entry(1); CRL_ENTRIES_MAX + 1])));
}

#[test]
fn fields_outside_their_rules_are_refused() {
    let root = root(1);
    let list = root.revocation_list(&content(&[entry(1)])).unwrap();
    let unknown = |critical| Extension {
        extn_id: der::asn1::ObjectIdentifier::new_unwrap("2.5.29.28"),
        critical,
        extn_value: OctetString::new([0x30, 0]).unwrap(),
    };
    type Edit = Box<dyn Fn(&mut SignedList)>;
    let edits: Vec<(&str, &str, Edit)> = vec![
        ("version 1", "PK-2001", Box::new(|parts| parts.tbs.version = 0)),
        ("no next update", "PK-2001", Box::new(|parts| parts.tbs.next_update = None)),
        ("empty issuer", "PK-2001", Box::new(|parts| parts.tbs.issuer = RdnSequence::default())),
        ("no extension", "PK-2001", Box::new(|parts| parts.tbs.extensions = Some(Vec::new()))),
        (
            "issuing distribution point",
            "PK-2001",
            Box::new(move |parts| parts.tbs.extensions.as_mut().unwrap().push(unknown(true))),
        ),
        (
            "twice the same entry",
            "PK-2001",
            Box::new(|parts| {
                let entries = parts.tbs.revoked.as_mut().unwrap();
                entries.push(entries[0].clone());
            }),
        ),
        ("parameters", "PK-2001", Box::new(|parts| parts.algorithm.parameters = Some(Any::null()))),
        (
            "RSA with SM3",
            "PK-2003",
            Box::new(|parts| {
                parts.algorithm.oid = "1.2.156.10197.1.504".parse().unwrap();
                parts.tbs.signature.oid = parts.algorithm.oid;
            }),
        ),
    ];
    for (why, code, edit) in edits {
        let refusal = RevocationList::from_der(&forge(&list, &root, edit)).unwrap_err();
        assert_eq!(refusal.code(), code, "{why}: {refusal}");
    }
    let tolerated = forge(&list, &root, |parts| {
        parts.tbs.extensions.as_mut().unwrap().push(unknown(false));
        parts.algorithm.parameters = Some(Any::null());
        parts.tbs.signature.parameters = Some(Any::null());
    });
    assert_eq!(RevocationList::from_der(&tolerated).unwrap().verify(root.certificate()), Ok(()));
    let zero = forge(&list, &root, |parts| {
        let number = OctetString::new(Uint::new(&[0]).unwrap().to_der().unwrap()).unwrap();
        parts.tbs.extensions.as_mut().unwrap()[1].extn_value = number;
    });
    assert_eq!(RevocationList::from_der(&zero).unwrap().number(), None);
    let too_large = vec![0; CRL_BYTES_MAX + 1];
    assert_eq!(RevocationList::from_der(&too_large).unwrap_err().code(), "PK-2002");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = RevocationList::from_der(&bytes);
    }

    #[test]
    fn any_flipped_bit_is_rejected(position in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let root = root(1);
        let list = root.revocation_list(&content(&[entry(1), entry(2)])).unwrap();
        let mut der = list.der().to_vec();
        let index = position.index(der.len());
        der[index] ^= 1 << bit;
        let accepted = RevocationList::from_der(&der)
            .is_ok_and(|altered| altered.verify(root.certificate()).is_ok());
        prop_assert!(!accepted, "byte {index}");
    }
}
