use std::sync::Arc;

use changbai_audit::limits::PAGE_ENTRIES_MAX;
use changbai_core::process::{JournalError, ProcessDocument, ProcessJournal, Step};
use proptest::prelude::*;
use smkit::sm2::Signature;
use smkit::sm3::sm3;

use crate::support::{
    CHANNEL, certificate, key, log, open, open_as, record, step, steps, verifying, wait,
};

#[test]
fn steps_form_one_chain_for_each_record_and_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    log(&first, "a", &[Step::Collected, Step::Hashed]).unwrap();
    log(&first, "b", &[Step::Collected]).unwrap();
    first.note(vec![step("a", Step::Submitted, 1_500)]).unwrap();
    drop(first);

    let second = open(dir.path());
    let recovery = second.recovery();
    assert_eq!((recovery.pages, recovery.entries, recovery.cut_bytes), (3, 4, 0));
    log(&second, "a", &[Step::Endorsed]).unwrap();
    let chain = second.chain(&record("a"), 1_000).unwrap();
    assert_eq!(chain.iter().map(|e| e.sequence).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(
        steps(&second, "a"),
        [Step::Collected, Step::Hashed, Step::Submitted, Step::Endorsed]
    );
    for pair in chain.windows(2) {
        assert_eq!(pair[1].previous, pair[0].digest());
    }
    // The clock was set back between the last two: the log does not contradict itself.
    assert_eq!(chain[3].what.at.at_ms, 1_500);
    assert_eq!(steps(&second, "b"), [Step::Collected]);
    assert_eq!(steps(&second, "c"), []);
    assert_eq!(second.document(&record("c"), 10).unwrap(), None);
}

#[test]
fn a_document_is_proven_by_the_key_that_signed_its_last_page() {
    let dir = tempfile::tempdir().unwrap();
    let old = open_as(dir.path(), 7);
    log(&old, "a", &[Step::Collected, Step::Hashed]).unwrap();
    drop(old);
    let new = open_as(dir.path(), 8);
    wait(new.append(vec![
        step("b", Step::Collected, 1),
        step("a", Step::Submitted, 2),
        step("c", Step::Collected, 3),
    ]))
    .unwrap();

    let document = new.document(&record("a"), 10).unwrap().unwrap();
    assert_eq!(document.certificate, certificate(8));
    assert_eq!(document.page.inclusion.size, 3);
    assert_eq!(document.channel, CHANNEL);
    document.check_paths().unwrap();
    let message = document.signed(sm3(&certificate(8))).message();
    let signature = Signature::from_der(&document.signature).unwrap();
    verifying(8).verify(&message, &signature).unwrap();
    assert_eq!(ProcessDocument::from_bytes(&document.to_bytes().unwrap()).unwrap(), document);

    // Cut short, it is proven by the page of its then last entry.
    let short = new.document(&record("a"), 2).unwrap().unwrap();
    assert_eq!((short.entries.len(), short.certificate.clone()), (2, certificate(7)));
    short.check_paths().unwrap();
    let message = short.signed(sm3(&certificate(7))).message();
    key(7)
        .verifying_key()
        .verify(&message, &Signature::from_der(&short.signature).unwrap())
        .unwrap();
}

#[test]
fn many_at_once_share_pages() {
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(open(dir.path()));
    let mut waiting = Vec::new();
    for number in 0..500 {
        let name = format!("record {number}");
        waiting
            .push(log.append(vec![step(&name, Step::Collected, 1), step(&name, Step::Hashed, 2)]));
    }
    for durable in waiting {
        wait(durable).unwrap();
    }
    assert!(log.last_page().0 < 500, "{} pages", log.last_page().0);
    for number in 0..500 {
        let name = format!("record {number}");
        assert_eq!(steps(&log, &name), [Step::Collected, Step::Hashed]);
    }
}

#[test]
fn an_empty_append_waits_for_what_was_noted_before() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.note(vec![step("a", Step::Viewed, 1)]).unwrap();
    wait(log.append(Vec::new())).unwrap();
    assert_eq!(steps(&log, "a"), [Step::Viewed]);
}

#[test]
fn too_much_at_once_is_refused_and_nothing_after_the_end_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let many = vec![step("a", Step::Viewed, 1); PAGE_ENTRIES_MAX + 1];
    assert_eq!(log.note(many), Err(JournalError::Busy));
    wait(log.append(vec![step("a", Step::Viewed, 1); PAGE_ENTRIES_MAX])).unwrap();
    assert_eq!(log.chain(&record("a"), 10_000).unwrap().len(), PAGE_ENTRIES_MAX);
    log.close();
    assert!(matches!(
        log.note(vec![step("a", Step::Viewed, 1)]),
        Err(JournalError::Stopped { .. })
    ));
    let late = wait(log.append(vec![step("a", Step::Viewed, 1)]));
    assert!(matches!(late, Err(JournalError::Stopped { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    // R13: whatever steps are taken, in whatever groups, with restarts between, the log holds all of them, in order.
    #[test]
    fn the_log_is_complete(groups in proptest::collection::vec(
        proptest::collection::vec((0_usize..4, 0_usize..9), 0..6), 1..12), restart in 0_usize..12) {
        let dir = tempfile::tempdir().unwrap();
        let mut log = open(dir.path());
        let mut expected = vec![Vec::new(); 4];
        for (number, group) in groups.iter().enumerate() {
            if number == restart {
                drop(log);
                log = open(dir.path());
            }
            let taken = group.iter().map(|(name, s)| step(&name.to_string(), Step::ALL[*s], 5));
            for (name, s) in group {
                expected[*name].push(Step::ALL[*s]);
            }
            if number % 2 == 0 {
                wait(log.append(taken.collect())).unwrap();
            } else {
                log.note(taken.collect()).unwrap();
            }
        }
        wait(log.append(Vec::new())).unwrap();
        for (name, expected) in expected.iter().enumerate() {
            prop_assert_eq!(&steps(&log, &name.to_string()), expected);
            if let Some(document) = log.document(&record(&name.to_string()), 1_000).unwrap() {
                prop_assert!(document.check_paths().is_ok());
            }
        }
    }
}
