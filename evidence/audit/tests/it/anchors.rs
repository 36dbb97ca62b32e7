use changbai_core::process::{ProcessJournal, Step};
use smkit::sm3::sm3;

use crate::support::{log, open, record, wait};

#[test]
fn an_anchor_covers_every_chain_that_grew_and_proves_its_head() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    assert_eq!(first.due_anchor(None).unwrap(), None);
    log(&first, "a", &[Step::Collected, Step::Hashed]).unwrap();
    log(&first, "b", &[Step::Collected]).unwrap();
    let due = first.due_anchor(None).unwrap().unwrap();
    assert_eq!((due.batch, due.last_page, due.heads.len()), (1, 2, 2));
    assert_eq!(first.page_hash(2).unwrap(), Some(due.page_hash));
    // A page that is written while the anchor is on its way belongs to the next one.
    log(&first, "a", &[Step::Submitted]).unwrap();
    wait(first.anchored(due.clone(), sm3(b"tx 1"))).unwrap();

    let document = first.document(&record("a"), 10).unwrap().unwrap();
    let anchor = document.anchor.clone().unwrap();
    assert_eq!((anchor.sequence, anchor.tx_id, anchor.root), (2, sm3(b"tx 1"), due.root));
    assert_eq!(document.entries.len(), 3);
    document.check_paths().unwrap();
    drop(first);

    let second = open(dir.path());
    let next = second.due_anchor(None).unwrap().unwrap();
    assert_eq!((next.batch, next.last_page), (2, 3));
    assert_eq!(
        next.heads.iter().map(|h| (h.record_sm3, h.sequence)).collect::<Vec<_>>(),
        [(record("a"), 3)]
    );
    wait(second.anchored(next, sm3(b"tx 2"))).unwrap();
    assert_eq!(second.due_anchor(None).unwrap(), None);
    let a = second.document(&record("a"), 10).unwrap().unwrap();
    assert_eq!(a.anchor.clone().unwrap().tx_id, sm3(b"tx 2"));
    a.check_paths().unwrap();
    let b = second.document(&record("b"), 10).unwrap().unwrap();
    assert_eq!(b.anchor.unwrap().tx_id, sm3(b"tx 1"));
    // What the ledger says of page 2 still is what the log has; it has no page 9.
    assert_eq!(second.page_hash(2).unwrap(), Some(due.page_hash));
    assert_eq!(second.page_hash(9).unwrap(), None);
}

#[test]
fn an_anchor_that_does_not_follow_stops_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    log(&first, "a", &[Step::Collected]).unwrap();
    let due = first.due_anchor(None).unwrap().unwrap();
    wait(first.anchored(due.clone(), sm3(b"tx"))).unwrap();
    assert!(wait(first.anchored(due, sm3(b"tx"))).is_err());
    assert_eq!(first.note(Vec::new()).map_err(|e| e.to_string().contains("stopped")), Err(true));
}
