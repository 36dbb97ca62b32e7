//! The process log in a bundle, and what is wrong with one.

use changbai_core::RecordTime;
use changbai_core::process::{
    Actor, ActorRole, PageProof, ProcessDocument, ProcessEntry, Step, detail,
};
use changbai_merkle::{InclusionProof, leaf_hash, node_hash};
use changbai_receipt::{Bundle, Report, Status, Trust, Verdict, verify};
use smkit::sm3;

use crate::fixture::{CHANNEL, City, Member, NOW_MS, Seed, days, root};

/// A log as the submitting node keeps it, not yet signed.
fn log(city: &City) -> ProcessDocument {
    let record = &city.record;
    let tx_id = *changbai_wire::decode_transaction(&city.envelope()).unwrap().tx_id.digest();
    let client = Actor::known(city.operator.certificate.sm3(), ActorRole::Client);
    let node = Actor::known(city.creator.certificate.sm3(), ActorRole::Node);
    let entry = |step, at_ms, actor, detail| ProcessEntry {
        step,
        at: RecordTime { at_ms: NOW_MS + at_ms, bound_us: Some(900) },
        actor,
        detail,
    };
    ProcessDocument {
        channel: CHANNEL.to_owned(),
        record: *record.id(),
        record_sm3: sm3(record.as_bytes()),
        entries: vec![
            entry(Step::Collected, 0, client, detail::collected(record)),
            entry(Step::Hashed, 1, node, detail::hashed(record)),
            entry(Step::Submitted, 2, node, detail::submitted(record)),
            entry(Step::Endorsed, 9, node, tx_id),
            entry(Step::Committed, 9, node, detail::committed(&tx_id, 7, 2)),
            entry(Step::Viewed, 50, Actor::PUBLIC, detail::submitted(record)),
            entry(Step::Exported, 51, Actor::PUBLIC, sm3(b"a receipt")),
        ],
        certificate: Vec::new(),
        page: PageProof {
            number: 3,
            previous: sm3(b"page 2"),
            root: sm3(b""),
            inclusion: InclusionProof { index: 1, size: 2, path: vec![sm3(b"another record's")] },
        },
        signature: Vec::new(),
        anchor: None,
    }
}

fn signed(mut document: ProcessDocument, by: &Member) -> ProcessDocument {
    let head = leaf_hash(document.head().as_bytes());
    document.page.root = node_hash(&sm3(b"another record's"), &head);
    document.certificate = by.certificate.der().to_vec();
    let message = document.signed(by.certificate.sm3()).message();
    document.signature = by.key.sign(&message).to_der();
    document
}

fn judged(city: &City, process: Vec<u8>, trust: Option<&Trust>) -> Report {
    let mut bundle = Bundle::from_parts(city.record.to_bytes(), city.receipt(), None);
    bundle.process = Some(process);
    verify(&bundle, &city.supplied(), trust)
}

/// Status and code of the element for a log that `edit` changed before it was signed.
fn code(edit: impl FnOnce(&City, &mut ProcessDocument)) -> (Status, &'static str) {
    let city = City::new(4);
    let mut document = log(&city);
    edit(&city, &mut document);
    let document = signed(document, &city.creator);
    let report = judged(&city, document.to_bytes().unwrap(), Some(&city.trust));
    let element = report.element("process_log").unwrap();
    assert_eq!(report.verdict == Verdict::NotVerified, element.status == Status::Failed);
    (element.status, element.code)
}

#[test]
fn a_complete_log_is_proven() {
    assert_eq!(code(|_, _| {}), (Status::Proven, "VF-2500"));
    let city = City::new(4);
    let document = signed(log(&city), &city.creator);
    let report = judged(&city, document.to_bytes().unwrap(), Some(&city.trust));
    assert_eq!(report.verdict, Verdict::Verified);
    assert!(
        report.element("process_log").unwrap().reason_en.contains(&document.head().to_string())
    );
}

#[test]
fn each_way_of_being_incomplete_or_untrue_is_named() {
    let failed = |code| (Status::Failed, code);
    assert_eq!(code(|_, log| log.channel = "jilin".to_owned()), failed("VF-2511"));
    assert_eq!(code(|_, log| log.record_sm3 = sm3(b"another")), failed("VF-2511"));
    assert_eq!(
        code(|_, log| {
            log.entries.remove(0);
        }),
        failed("VF-2516")
    );
    assert_eq!(
        code(|_, log| {
            log.entries.remove(3);
        }),
        failed("VF-2516")
    );
    assert_eq!(code(|_, log| log.entries.truncate(4)), failed("VF-2515"));
    assert_eq!(code(|_, log| log.entries.swap(0, 5)), failed("VF-2516"));
    assert_eq!(code(|_, log| log.entries.push(log.entries[4])), failed("VF-2516"));
    assert_eq!(code(|_, log| log.entries[6].at.at_ms -= 2), failed("VF-2516"));
    for at in 0..6 {
        assert_eq!(code(|_, log| log.entries[at].detail = sm3(b"x")), failed("VF-2517"), "{at}");
    }
    let stranger = Actor::known(sm3(b"somebody else"), ActorRole::Client);
    assert_eq!(code(|_, log| log.entries[0].actor = stranger), failed("VF-2517"));
}

#[test]
fn only_the_submitting_node_signs_as_long_as_its_certificate_is_valid() {
    let city = City::new(4);
    let of = |member: &Member, document| {
        let document = signed(document, member).to_bytes().unwrap();
        judged(&city, document, Some(&city.trust)).element("process_log").unwrap().code
    };
    assert_eq!(of(&city.validators[1], log(&city)), "VF-2514");
    // A namesake under an authority that nobody trusts.
    let mut seed = Seed(99);
    let strange = root(&mut seed);
    let units = ["peer", "orderer"];
    let namesake = Member::issued(&strange, "node1", &units, days(-1, 365), &mut seed);
    assert_eq!(of(&namesake, log(&city)), "VF-2518");
    let mut late = log(&city);
    late.entries[6].at.at_ms = NOW_MS + 400 * 86_400_000;
    assert_eq!(of(&city.creator, late), "VF-2518");
    let mut forged = signed(log(&city), &city.creator);
    forged.page.number += 1;
    let report = judged(&city, forged.to_bytes().unwrap(), Some(&city.trust));
    assert_eq!(report.element("process_log").unwrap().code, "VF-2513");
}

#[test]
fn without_roots_or_receipt_it_is_unchecked() {
    let city = City::new(1);
    let bytes = signed(log(&city), &city.creator).to_bytes().unwrap();
    let report = judged(&city, bytes.clone(), None);
    assert_eq!(report.element("process_log").unwrap().code, "VF-2592");
    let mut bundle = Bundle::from_parts(city.record.to_bytes(), b"{}".to_vec(), None);
    bundle.process = Some(bytes);
    let report = verify(&bundle, &[], Some(&city.trust));
    assert_eq!(report.element("process_log").unwrap().code, "VF-2590");
}

#[test]
fn any_flipped_bit_is_named() {
    let city = City::new(1);
    let bytes = signed(log(&city), &city.creator).to_bytes().unwrap();
    for at in (0..bytes.len() * 8).step_by(211) {
        let mut flipped = bytes.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        let report = judged(&city, flipped, Some(&city.trust));
        let element = report.element("process_log").unwrap();
        assert_eq!(element.status, Status::Failed, "bit {at}: {}", element.code);
        assert_eq!(report.verdict, Verdict::NotVerified);
    }
}
