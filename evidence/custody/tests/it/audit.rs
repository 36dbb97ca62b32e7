//! The custody audit.

use std::fs;

use changbai_custody::{AuditEnd, Counts, Event, Finding, Outcome, limits::CHUNK_BYTES};
use smkit::sm3;

use crate::holding::Held;
use crate::support::content;

fn audit(held: &Held) -> (AuditEnd, Vec<Finding>) {
    let mut findings = Vec::new();
    let end = held.custody.audit(&mut |_| true, &mut |found| findings.push(found.clone())).unwrap();
    (end, findings)
}

#[test]
fn every_original_is_read_and_what_is_wrong_is_named() {
    let held = Held::new();
    let originals = [10, CHUNK_BYTES + 9, 2 * CHUNK_BYTES, 100].map(content);
    let kept: Vec<_> = originals.iter().map(|original| held.keep(original)).collect();
    held.custody.claim(&kept[0], "an id", 2_000_000).unwrap();
    held.now_ms.store(1_000_000 + 3_600_000, std::sync::atomic::Ordering::Relaxed);
    let bytes = originals.iter().map(|original| original.len() as u64).sum();
    let (end, findings) = audit(&held);
    let counts = Counts { intact: 4, unrecorded: 3, bytes, ..Counts::default() };
    assert_eq!(end, AuditEnd::Complete(counts));
    assert!(findings.is_sorted_by(|a, b| a.sm3 < b.sm3));
    assert_eq!(held.custody.unrecorded(10).unwrap().len(), 3);

    let damaged = held.custody.place(&kept[1]).unwrap().unwrap();
    let mut envelope = fs::read(&damaged).unwrap();
    let at = envelope.len() - 70;
    envelope[at] ^= 1;
    fs::write(&damaged, envelope).unwrap();
    let missing = held.custody.place(&kept[2]).unwrap().unwrap();
    fs::remove_file(&missing).unwrap();
    held.custody.erase_original(&kept[3], "a request", true).unwrap();
    let (end, findings) = audit(&held);
    let AuditEnd::Complete(counts) = end else { panic!("stopped") };
    assert_eq!((counts.intact, counts.damaged, counts.missing, counts.erased), (1, 1, 1, 1));
    let of = |sm3: &smkit::Sm3Digest| findings.iter().find(|f| f.sm3 == sm3.to_string()).unwrap();
    let found = of(&kept[1]);
    assert_eq!((found.outcome, found.place.as_deref()), (Outcome::Damaged, Some(damaged.as_str())));
    let offset = found.offset.unwrap();
    assert!(offset > CHUNK_BYTES as u64 && offset <= at as u64, "the second chunk: {offset}");
    assert_eq!(of(&kept[2]).place.as_deref(), Some(missing.as_str()));
    let mut lost = [kept[1].to_string(), kept[2].to_string()];
    lost.sort();
    let state = held.custody.audit_state().unwrap();
    assert_eq!((state.lost.as_slice(), state.last), (lost.as_slice(), counts));
    let logged = held.events().into_iter().filter_map(|event| match event {
        Event::Audited(finding) => Some(finding),
        _ => None,
    });
    assert_eq!(logged.collect::<Vec<_>>()[4..], findings);

    // They come again, and the next audit finds everything well.
    for n in [1, 2] {
        held.keep(&originals[n]);
    }
    audit(&held);
    assert!(held.custody.audit_state().unwrap().lost.is_empty());
}

#[test]
fn an_audit_that_was_stopped_goes_on_where_it_was() {
    let held = Held::new();
    for n in 0..10_u8 {
        held.keep(&[n; 1_000]);
    }
    let mut seen = Vec::new();
    let mut budget = 3_u64 << 16;
    for round in 0.. {
        assert!(round < 10, "it comes to its end");
        let end = held.custody.audit(
            &mut |bytes| {
                let enough = budget >= bytes;
                budget = budget.saturating_sub(bytes);
                enough
            },
            &mut |found| seen.push(found.sm3.clone()),
        );
        budget = 3 << 16;
        if let AuditEnd::Complete(counts) = end.unwrap() {
            assert_eq!(counts.intact, 10);
            break;
        }
        // As after a restart of the process.
        let again = Held::open(&held.dir, &held.now_ms, Vec::new());
        assert!(again.audit_state().unwrap().began_at_ms > 0);
    }
    assert!(seen.is_sorted_by(|a, b| a < b) && seen.len() == 10, "each once: {seen:?}");
    let began = held.events().into_iter().filter_map(|event| match event {
        Event::AuditBegan { resumed } => Some(resumed),
        _ => None,
    });
    let began: Vec<bool> = began.collect();
    assert!(!began[0] && began.len() > 1 && began[1..].iter().all(|resumed| *resumed));
}

#[test]
fn records_without_their_original_are_remembered_and_logged_once() {
    let held = Held::new();
    let list = [("an id".to_owned(), sm3(b"never came in"))];
    held.custody.keep_unheld(&list).unwrap();
    held.custody.keep_unheld(&list).unwrap();
    assert_eq!(held.custody.audit_state().unwrap().unheld.len(), 1);
    let logged = held.events().into_iter().filter(|event| matches!(event, Event::Unheld { .. }));
    assert_eq!(logged.count(), 1);
    held.custody.keep_unheld(&[]).unwrap();
    assert!(held.custody.audit_state().unwrap().unheld.is_empty());
}
