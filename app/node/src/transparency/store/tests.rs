use changbai_merkle::{LogKey, leaf_hash};
use smkit::OsRandom;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};

use super::*;

fn issued(size: u64, token: bool) -> Issued {
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let key = LogKey::new("log", SigningKey::new(key, SignerId::DEFAULT).unwrap()).unwrap();
    let root = leaf_hash(&size.to_be_bytes());
    let text = Checkpoint { origin: "log".to_owned(), size, root }.to_string();
    let mut note = Note::unsigned(&text).unwrap();
    note.add(key.sign(note.text())).unwrap();
    Issued { note, token: token.then(|| vec![7; 300]) }
}

#[test]
fn what_was_appended_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoints.log");
    let mut store = CheckpointStore::open(&path).unwrap();
    assert_eq!(store.last().unwrap(), None);
    let (small, large, stamped) = (issued(3, false), issued(9, false), issued(9, true));
    for record in [&small, &large, &stamped] {
        store.append(record).unwrap();
    }
    for store in [store, CheckpointStore::open(&path).unwrap()] {
        assert_eq!(store.last().unwrap(), Some(stamped.clone()));
        assert_eq!(store.covering(9).unwrap(), Some(stamped.clone()));
        assert_eq!(store.covering(1).unwrap(), Some(stamped.clone()), "the one with a token");
        assert_eq!(store.covering(10).unwrap(), None);
    }
}

#[test]
fn a_torn_record_is_cut_and_a_damaged_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoints.log");
    let mut store = CheckpointStore::open(&path).unwrap();
    let first = issued(3, false);
    store.append(&first).unwrap();
    let whole = std::fs::read(&path).unwrap();
    store.append(&issued(5, true)).unwrap();
    let both = std::fs::read(&path).unwrap();
    for torn in whole.len()..both.len() {
        std::fs::write(&path, &both[..torn]).unwrap();
        let mut store = CheckpointStore::open(&path).unwrap();
        assert_eq!(store.last().unwrap(), Some(first.clone()), "cut at {torn}");
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        store.append(&issued(7, false)).unwrap();
    }
    std::fs::write(&path, [whole.as_slice(), &[0; 100]].concat()).unwrap();
    assert_eq!(CheckpointStore::open(&path).unwrap().last().unwrap(), Some(first));
    for at in (0..4).chain((4..whole.len()).step_by(7)) {
        let mut damaged = both.clone();
        damaged[at] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(CheckpointStore::open(&path).is_err(), "byte {at}");
        assert_eq!(std::fs::read(&path).unwrap(), damaged, "nothing is lost by looking");
    }
}
