//! Nothing acknowledged is lost: SIGKILL at random moments under load, again and again.

use std::{
    collections::{HashMap, HashSet},
    fs,
    sync::Mutex,
    thread,
    time::Duration,
};

use changbai_receipt::{HashedOriginal, Trust, Verdict, hash_original};
use rustix::process::Signal;
use smkit::{OsRandom, Random as _, Sm3Digest, sm3};

use crate::{judge, node::Node};

const CLERKS: u8 = 4;

/// What the clerks know: ids they were given, and digests whose answer never came.
#[derive(Default)]
struct Book {
    acknowledged: HashMap<Vec<u8>, String>,
    unanswered: Vec<Vec<u8>>,
}

#[test]
fn killed_under_load_no_acknowledged_record_is_lost() {
    let rounds = rounds();
    let mut seed = [0; 8];
    OsRandom.fill(&mut seed).unwrap();
    let seed = u64::from_le_bytes(seed);
    eprintln!("seed {seed}, {rounds} rounds");
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let book = Mutex::new(Book::default());
    for round in 0..rounds {
        let node = Node::start(&data);
        settle(&node, &book);
        let moment = sm3(&[seed.to_le_bytes(), round.to_le_bytes()].concat());
        let after = u16::from_le_bytes([moment.as_bytes()[0], moment.as_bytes()[1]]) % 800;
        thread::scope(|scope| {
            for clerk in 0..CLERKS {
                let (node, book) = (&node, &book);
                scope.spawn(move || submit_until_dead(node, book, round, clerk));
            }
            thread::sleep(Duration::from_millis(20 + u64::from(after)));
            node.signal(Signal::KILL);
        });
        node.kill();
    }
    let node = Node::start(&data);
    settle(&node, &book);
    check(&node, &book.into_inner().unwrap());
    assert_eq!(node.stop(), 0);
}

/// How often the node is killed: a few times in every test run, more by `cargo xtask kill`.
#[expect(clippy::disallowed_methods, reason = "set by cargo xtask kill")]
fn rounds() -> u64 {
    std::env::var("CHANGBAI_KILL_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(8)
}

fn original(round: u64, clerk: u8, number: u32) -> Vec<u8> {
    format!("round {round} clerk {clerk} number {number}").into_bytes()
}

fn submit_until_dead(node: &Node, book: &Mutex<Book>, round: u64, clerk: u8) {
    let connection = node.clerk();
    for number in 0.. {
        let original = original(round, clerk, number);
        match connection.submit(&original) {
            Ok((201, answer)) => {
                let id = answer["evidence_id"].as_str().unwrap().to_owned();
                let before = book.lock().unwrap().acknowledged.insert(original, id);
                assert_eq!(before, None);
            }
            // Asked to wait while the node goes down: not an acknowledgement.
            Ok((503, _)) => {}
            Ok((status, answer)) => panic!("{status} {answer}"),
            Err(_) => {
                book.lock().unwrap().unanswered.push(original);
                return;
            }
        }
    }
}

/// Asks again for what was never answered: a record then, the first one if it was made already.
fn settle(node: &Node, book: &Mutex<Book>) {
    let connection = node.clerk();
    let mut book = book.lock().unwrap();
    for original in std::mem::take(&mut book.unanswered) {
        let (status, answer) = connection.submit(&original).unwrap();
        assert!(matches!(status, 200 | 201), "{status} {answer}");
        let id = answer["evidence_id"].as_str().unwrap().to_owned();
        book.acknowledged.insert(original, id);
    }
}

/// Every acknowledged id has a bundle that verifies; no digest has two ids, no id two digests.
fn check(node: &Node, book: &Book) {
    let trust = fs::read_to_string(node.dir.join("trust.pem")).unwrap();
    let trust = Trust::parse(&trust).unwrap();
    eprintln!("{} acknowledged records", book.acknowledged.len());
    assert!(book.acknowledged.len() > 10, "the load was too small to mean anything");
    let ids: HashSet<&String> = book.acknowledged.values().collect();
    assert_eq!(ids.len(), book.acknowledged.len(), "an id was given twice");
    for (original, id) in &book.acknowledged {
        let found = listed(node, &sm3(original));
        assert_eq!(found, [id.as_str()], "records of one digest");
        let (status, bundle) = node.get(&format!("/api/v1/evidence/{id}/bundle"));
        assert_eq!(status, 200, "{id}");
        let supplied = supplied(original);
        let report = judge(&bundle, &[supplied], &trust);
        assert_eq!(report.verdict, Verdict::Verified, "{}", report.to_json());
    }
}

fn listed(node: &Node, digest: &Sm3Digest) -> Vec<String> {
    let (status, body) = node.get(&format!("/api/v1/evidence?sm3={digest}"));
    assert_eq!(status, 200);
    let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["evidence_id"].as_str().unwrap().to_owned()).collect()
}

fn supplied(original: &[u8]) -> HashedOriginal {
    hash_original("original", &mut &original[..]).unwrap()
}
