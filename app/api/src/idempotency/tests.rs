#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use smkit::sm3::sm3;

use super::{AnswerLog, AnswerStore, Begin, Idempotency, StoredAnswer, storage_key};

fn answer(n: u32) -> StoredAnswer {
    StoredAnswer {
        request: sm3(&n.to_be_bytes()),
        expires_ms: 1_000,
        status: 201,
        location: format!("/api/v1/evidence/{n}"),
        body: format!("{{\"n\":{n}}}").into_bytes(),
    }
}

#[test]
fn answers_survive_a_restart_and_expire() {
    let dir = tempfile::tempdir().unwrap();
    let log = AnswerLog::open(dir.path(), 100).unwrap();
    for n in 0..10_u32 {
        log.put(&sm3(&n.to_le_bytes()), &answer(n));
    }
    drop(log);
    let log = AnswerLog::open(dir.path(), 100).unwrap();
    assert_eq!(log.len(), 10);
    for n in 0..10_u32 {
        assert_eq!(log.get(&sm3(&n.to_le_bytes()), 999), Some(answer(n)));
        assert_eq!(log.get(&sm3(&n.to_le_bytes()), 1_000), None);
    }
}

#[test]
fn the_oldest_go_when_the_bound_is_reached() {
    let dir = tempfile::tempdir().unwrap();
    let log = AnswerLog::open(dir.path(), 10).unwrap();
    for n in 0..100_u32 {
        log.put(&sm3(&n.to_le_bytes()), &answer(n));
        assert!(log.len() <= 10);
        assert_eq!(log.get(&sm3(&n.to_le_bytes()), 0), Some(answer(n)));
    }
    assert_eq!(log.get(&sm3(&0_u32.to_le_bytes()), 0), None);
}

#[test]
fn any_damaged_byte_cuts_the_tail_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let log = AnswerLog::open(dir.path(), 100).unwrap();
    for n in 0..3_u32 {
        log.put(&sm3(&n.to_le_bytes()), &answer(n));
    }
    drop(log);
    let path = ["answers.0", "answers.1"]
        .map(|name| dir.path().join(name))
        .into_iter()
        .max_by_key(|path| std::fs::metadata(path).unwrap().len())
        .unwrap();
    let whole = std::fs::read(&path).unwrap();
    for position in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x40;
        std::fs::write(&path, &damaged).unwrap();
        let log = AnswerLog::open(dir.path(), 100).unwrap();
        let frame = whole.len() / 3;
        assert_eq!(log.len(), position / frame, "byte {position}");
        for n in 0..3_u32 {
            let found = log.get(&sm3(&n.to_le_bytes()), 0);
            assert!(found.is_none_or(|found| found == answer(n)));
        }
        log.put(&sm3(b"after"), &answer(9));
        assert_eq!(log.get(&sm3(b"after"), 0), Some(answer(9)));
    }
}

#[test]
fn a_key_is_answered_once_at_a_time_and_for_one_body() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Idempotency::new(Arc::new(AnswerLog::open(dir.path(), 10).unwrap()));
    let key = storage_key("CN=client", "k");
    let Begin::Fresh(ticket) = gate.begin(key, sm3(b"body"), 0) else { panic!("fresh") };
    assert!(matches!(gate.begin(key, sm3(b"body"), 0), Begin::InFlight));
    assert!(matches!(gate.begin(key, sm3(b"other"), 0), Begin::OtherBody));
    drop(ticket);
    let Begin::Fresh(ticket) = gate.begin(key, sm3(b"body"), 0) else { panic!("freed by drop") };
    ticket.finish(&StoredAnswer {
        request: sm3(b"body"),
        location: "/l".to_owned(),
        body: b"{}".to_vec(),
        ..answer(1)
    });
    let Begin::Replay(found) = gate.begin(key, sm3(b"body"), 0) else { panic!("kept") };
    assert_eq!(
        (found.status, found.location.as_str(), found.body.as_slice()),
        (201, "/l", &b"{}"[..])
    );
    assert!(matches!(gate.begin(key, sm3(b"other"), 0), Begin::OtherBody));
    assert!(matches!(gate.begin(key, sm3(b"other"), 1_000), Begin::Fresh(_)));
    assert_ne!(storage_key("CN=a", "bk"), storage_key("CN=ab", "k"));
}
