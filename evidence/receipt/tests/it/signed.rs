//! Signed verdicts: what a node said, and nothing that was altered since.

use changbai_receipt::{
    Element, Input, JudgedAt, SignedVerdict, StatedFinding, Status, Trust, Verdict, verify_reader,
};
use smkit::sm3;

use crate::fixture::{City, NOW_MS, hashed};

fn signed(city: &City) -> Vec<u8> {
    let report = verify_reader(&mut city.bundle().as_slice(), &[], Some(&city.trust));
    let inputs =
        vec![Input::new("bundle", &sm3(&city.bundle())), Input::new("original", &sm3(b"file"))];
    let at = JudgedAt { ms: NOW_MS, bound_us: Some(900) };
    let (node, key) = ([city.validators[0].certificate.clone()], &city.validators[0].key);
    SignedVerdict::sign(StatedFinding::from(&report), inputs, at, &node, key).unwrap()
}

fn statuses(elements: &[Element]) -> Vec<Status> {
    elements.iter().map(|element| element.status).collect()
}

#[test]
fn a_verdict_is_read_back_and_checked() {
    let city = City::new(1);
    let verdict = SignedVerdict::from_bytes(&signed(&city)).unwrap();
    assert_eq!(verdict.statement().verdict(), Verdict::Verified);
    assert_eq!(verdict.statement().finding.claims["evidence_id"], city.record.id().as_str());
    let check =
        |trust: Option<&Trust>, file: &[u8]| statuses(&verdict.check(trust, &[hashed(file)]));
    let right = [Status::Proven, Status::Proven, Status::Proven];
    assert_eq!(check(Some(&city.trust), b"file"), right);
    assert_eq!(check(Some(&city.trust), b"another")[2], Status::Failed);
    assert_eq!(check(None, b"file")[1], Status::Unchecked);
    assert_eq!(check(Some(&City::new(2).trust), b"file")[1], Status::Failed);
    assert_eq!(statuses(&verdict.check(None, &[]))[2], Status::Absent);
}

#[test]
fn any_changed_byte_is_noticed() {
    let city = City::new(1);
    let right = signed(&city);
    for place in 0..right.len() {
        let mut altered = right.clone();
        altered[place] ^= 1 << (place % 8);
        if let Ok(verdict) = SignedVerdict::from_bytes(&altered) {
            let elements = verdict.check(Some(&city.trust), &[]);
            assert!(statuses(&elements).contains(&Status::Failed), "byte {place}");
        }
    }
    for other in [&right[1..], &right[..right.len() - 1], b"", b"{}"] {
        assert!(SignedVerdict::from_bytes(other).is_err());
    }
}
