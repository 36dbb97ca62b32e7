use changbai_merkle::{InclusionProof, leaf_hash};
use proptest::prelude::*;
use smkit::sm3::{Sm3Digest, sm3};

use super::{
    Actor, ActorRole, AnchorProof, ENTRY_BYTES, Entry, NewEntry, PageProof, ProcessDocument,
    ProcessEntry, Step, head_leaf,
};
use crate::record::RecordTime;

const ID: &str = "CC22010011220100MB9999999R2026112200000000012ZU";

fn entry(step: Step, at_ms: u64, actor: Actor) -> ProcessEntry {
    let at = RecordTime { at_ms, bound_us: Some(900) };
    ProcessEntry { step, at, actor, detail: sm3(step.name().as_bytes()) }
}

fn document() -> ProcessDocument {
    let client = Actor::known(sm3(b"client"), ActorRole::Client);
    let node = Actor::known(sm3(b"node"), ActorRole::Node);
    let mut document = ProcessDocument {
        channel: "changchun".to_owned(),
        record: ID.parse().unwrap(),
        record_sm3: sm3(b"record"),
        entries: vec![
            entry(Step::Collected, 1, client),
            entry(Step::Hashed, 2, node),
            entry(Step::Viewed, 3, Actor::PUBLIC),
        ],
        certificate: vec![0x30, 0, 255],
        page: PageProof {
            number: 7,
            previous: sm3(b"page 6"),
            root: sm3(b"-"),
            inclusion: InclusionProof { index: 0, size: 2, path: vec![sm3(b"other")] },
        },
        signature: vec![1, 2, 3],
        anchor: None,
    };
    let head = leaf_hash(document.head().as_bytes());
    document.page.root = changbai_merkle::node_hash(&head, &sm3(b"other"));
    let second = document.chain()[1].digest();
    document.anchor = Some(AnchorProof {
        batch: 3,
        tx_id: sm3(b"tx"),
        sequence: 2,
        root: head_leaf(&document.record_sm3, 2, &second),
        inclusion: InclusionProof { index: 0, size: 1, path: Vec::new() },
    });
    document
}

#[test]
fn the_encoding_of_an_entry_is_pinned() {
    let entry = &document().chain()[1];
    let bytes = entry.to_bytes();
    assert_eq!(bytes.len(), ENTRY_BYTES);
    assert_eq!(bytes[0], 1);
    assert_eq!(&bytes[1..48], ID.as_bytes());
    assert_eq!(bytes[80..84], [0, 0, 0, 2]);
    assert_eq!(bytes[84], 2);
    assert_eq!(bytes[85..93], 2_u64.to_be_bytes());
    assert_eq!(bytes[93..98], [1, 0, 0, 3, 132]);
    assert_eq!(bytes[98..100], [5, 1]);
    assert_eq!(&bytes[100..132], sm3(b"node").as_bytes());
    assert_eq!(&bytes[132..164], sm3(b"hashed").as_bytes());
    assert_eq!(&bytes[164..], document().chain()[0].digest().as_bytes());
    assert_eq!(Entry::from_bytes(&bytes).as_ref(), Some(entry));
}

#[test]
fn names_and_codes_of_steps_lead_back() {
    for step in Step::ALL {
        assert_eq!(Step::from_name(step.name()), Some(step));
        assert_eq!(Step::from_code(step.code()), Some(step));
        assert_eq!(step.is_recording(), Step::RECORDING.contains(&step));
    }
    for role in ActorRole::ALL {
        assert_eq!(ActorRole::from_name(role.name()), Some(role));
        assert_eq!(ActorRole::from_code(role.code()), Some(role));
    }
    assert_eq!(Step::from_code(0), None);
    assert_eq!(Step::from_name("erased"), None);
}

#[test]
fn nobody_is_anonymous_in_a_role_and_no_known_one_is_public() {
    let mut entry = document().chain().remove(1);
    entry.what.actor = Actor { certificate_sm3: None, role: ActorRole::Client };
    assert_eq!(Entry::from_bytes(&entry.to_bytes()), None);
    entry.what.actor = Actor::known(sm3(b"node"), ActorRole::Public);
    assert_eq!(Entry::from_bytes(&entry.to_bytes()), None);
}

#[test]
fn a_document_reads_back_and_its_paths_hold() {
    let document = document();
    let bytes = document.to_bytes().unwrap();
    assert_eq!(ProcessDocument::from_bytes(&bytes).unwrap(), document);
    document.check_paths().unwrap();
    let mut moved = document.clone();
    moved.entries.swap(0, 1);
    assert!(moved.check_paths().is_err());
    let mut anchored = document;
    anchored.anchor.as_mut().unwrap().sequence = 1;
    assert!(anchored.check_paths().is_err());
    anchored.anchor.as_mut().unwrap().sequence = 9;
    assert!(anchored.check_paths().is_err());
}

#[test]
fn a_page_names_everything_it_stands_for() {
    let document = document();
    let page = document.signed(sm3(b"certificate"));
    let mut seen = vec![page.hash()];
    let mut differs = |page: super::Page<'_>| {
        assert!(!seen.contains(&page.hash()));
        seen.push(page.hash());
    };
    differs(super::Page { channel: "changchu", ..page });
    differs(super::Page { certificate_sm3: sm3(b"x"), ..page });
    differs(super::Page { number: 8, ..page });
    differs(super::Page { previous: sm3(b"x"), ..page });
    differs(super::Page { size: 3, ..page });
    differs(super::Page { root: sm3(b"x"), ..page });
}

proptest! {
    #[test]
    fn any_flipped_bit_of_an_entry_is_refused_or_another_entry(at in 0..ENTRY_BYTES * 8) {
        let entry = document().chain().remove(2);
        let mut bytes = entry.to_bytes();
        bytes[at / 8] ^= 1 << (at % 8);
        if let Some(other) = Entry::from_bytes(&bytes) {
            prop_assert_ne!(&other, &entry);
            prop_assert_ne!(other.digest(), entry.digest());
            prop_assert_eq!(other.to_bytes(), bytes);
        }
    }

    #[test]
    fn any_flipped_bit_of_a_document_is_refused_or_noticed(at in 0_usize..20_000) {
        let original = document();
        let mut bytes = original.to_bytes().unwrap();
        let at = at % (bytes.len() * 8);
        bytes[at / 8] ^= 1 << (at % 8);
        if let Ok(other) = ProcessDocument::from_bytes(&bytes) {
            prop_assert_ne!(&other, &original);
            // What the signature covers has changed, or a path, or who is said to have signed.
            let signer = sm3(b"certificate");
            let same = other.signed(signer) == original.signed(signer);
            let anchored = other.anchor == original.anchor;
            let signer = other.certificate == original.certificate && other.signature == original.signature;
            prop_assert!(!(same && signer && anchored && other.check_paths().is_ok()));
        }
    }

    #[test]
    fn other_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(ProcessDocument::from_bytes(&bytes).is_err());
        let mut entry = [0; ENTRY_BYTES];
        for (to, from) in entry.iter_mut().zip(&bytes) {
            *to = *from;
        }
        prop_assert!(Entry::from_bytes(&entry).is_none());
    }
}

#[test]
fn the_first_entry_follows_nothing() {
    let first = document().chain().remove(0);
    assert_eq!(first.previous, Sm3Digest::new([0; 32]));
    let NewEntry { record, .. } = first.what;
    assert_eq!(record.to_string(), ID);
}
