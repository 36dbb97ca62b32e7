#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

mod damage;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn fresh(dir: &Path) -> Index {
    let (index, state) = Index::open(dir).unwrap();
    assert_eq!(state, IndexState::Fresh);
    index
}

fn commit(index: &Index, model: &mut Model, writes: &[(&[u8], Option<&[u8]>)]) {
    let mut batch = index.batch();
    for (key, value) in writes {
        match value {
            Some(value) => {
                batch.put(key, value);
                model.insert(key.to_vec(), value.to_vec());
            }
            None => {
                batch.delete(key);
                model.remove(*key);
            }
        }
    }
    index.commit(batch).unwrap();
}

fn everything(index: &Index) -> Model {
    index.range(b"", b"", usize::MAX, false).unwrap().into_iter().collect()
}

#[test]
fn reads_follow_commits_and_snapshots_do_not() {
    let dir = tempfile::tempdir().unwrap();
    let index = fresh(&dir.path().join("index"));
    let mut model = Model::new();
    commit(&index, &mut model, &[(b"a", Some(b"1")), (b"b", Some(b"2")), (b"c", Some(b"3"))]);
    let before = index.snapshot();
    commit(&index, &mut model, &[(b"a", None), (b"b", Some(b"9")), (b"d", Some(b""))]);
    index.persist().unwrap();
    commit(&index, &mut model, &[(b"e", Some(b"5"))]);
    assert_eq!(everything(&index), model);
    assert_eq!(before.get(b"a").unwrap().unwrap(), b"1");
    assert_eq!(before.get(b"d").unwrap(), None);
    assert_eq!(before.range(b"", b"", 10, false).unwrap().len(), 3);
    assert_eq!(index.get(b"d").unwrap().unwrap(), b"");
    let many = index.get_many(&[b"e", b"a", b"b"]).unwrap();
    assert_eq!(many, [Some(b"5".to_vec()), None, Some(b"9".to_vec())]);
}

#[test]
fn ranges_are_half_open_limited_and_reversible() {
    let dir = tempfile::tempdir().unwrap();
    let index = fresh(&dir.path().join("index"));
    let mut model = Model::new();
    for key in [b"a1", b"a2", b"a3", b"b1"] {
        commit(&index, &mut model, &[(key, Some(key))]);
    }
    let keys = |found: Vec<KeyValue>| -> Vec<Vec<u8>> { found.into_iter().map(|e| e.0).collect() };
    let range = |start: &[u8], end: &[u8], limit, reverse| {
        keys(index.range(start, end, limit, reverse).unwrap())
    };
    assert_eq!(range(b"a2", b"b1", 9, false), [b"a2", b"a3"]);
    assert_eq!(range(b"a", b"b", 2, true), [b"a3", b"a2"]);
    assert_eq!(range(b"a3", b"", 9, false), [b"a3", b"b1"]);
    assert!(range(b"b", b"a", 9, false).is_empty());
    assert!(range(b"a1", b"a1", 9, false).is_empty());
    assert_eq!(keys(index.prefix(b"a", 9).unwrap()), [b"a1", b"a2", b"a3"]);
    assert_eq!(keys(index.prefix(b"a", 1).unwrap()), [b"a1"]);
}

#[test]
fn within_a_batch_the_last_write_wins() {
    let dir = tempfile::tempdir().unwrap();
    let index = fresh(&dir.path().join("index"));
    let mut model = Model::new();
    commit(&index, &mut model, &[(b"k", Some(b"1")), (b"k", None), (b"l", None)]);
    commit(&index, &mut model, &[(b"m", None), (b"m", Some(b"2"))]);
    assert_eq!(everything(&index), model);
}

#[test]
fn keys_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let index = fresh(&dir.path().join("index"));
    let mut batch = index.batch();
    batch.put(&vec![0; INDEX_KEY_BYTES_MAX + 1], b"");
    assert!(matches!(index.commit(batch), Err(StorageError::TooLarge { .. })));
    assert!(everything(&index).is_empty());
}

#[test]
fn a_clean_end_keeps_all_and_a_crash_a_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    let index = fresh(&path);
    let mut model = Model::new();
    commit(&index, &mut model, &[(b"a", Some(b"1"))]);
    index.persist().unwrap();
    let kept = model.clone();
    commit(&index, &mut model, &[(b"b", Some(b"2"))]);
    drop(index);
    let (index, state) = Index::open(&path).unwrap();
    assert_eq!((state, everything(&index)), (IndexState::Recovered, kept));
    commit(&index, &mut model, &[(b"b", Some(b"2")), (b"c", Some(b"3"))]);
    index.close_clean().unwrap();
    let (index, state) = Index::open(&path).unwrap();
    assert_eq!((state, everything(&index)), (IndexState::Recovered, model));
    drop(index);
    Index::destroy(&path).unwrap();
    Index::destroy(&path).unwrap();
    assert!(everything(&fresh(&path)).is_empty());
}

/// Enough to be written out and merged many times, with snapshots open on the way.
#[test]
fn much_data_goes_through_tables_and_merges() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    let index = fresh(&path);
    let mut model = Model::new();
    let mut snapshots = Vec::new();
    let mut state = 1_u64;
    for round in 0..160_u64 {
        let mut writes = Vec::new();
        for _ in 0..40 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let key = format!("key {}", (state >> 33) % 4_000).into_bytes();
            let value = (!state.is_multiple_of(5)).then(|| vec![(state >> 40) as u8; 400]);
            writes.push((key, value));
        }
        let writes: Vec<_> = writes.iter().map(|(k, v)| (k.as_slice(), v.as_deref())).collect();
        commit(&index, &mut model, &writes);
        if round % 8 == 0 {
            index.persist().unwrap();
        }
        if round % 20 == 0 {
            snapshots.push((index.snapshot(), model.clone()));
        }
    }
    for (snapshot, then) in snapshots {
        let seen: Model =
            snapshot.range(b"", b"", usize::MAX, false).unwrap().into_iter().collect();
        assert_eq!(seen, then);
    }
    assert_eq!(everything(&index), model);
    index.close_clean().unwrap();
    let tables = std::fs::read_dir(path.join("tables")).unwrap().count();
    assert!(tables < 12, "merged: {tables} tables");
    let (index, _) = Index::open(&path).unwrap();
    assert_eq!(everything(&index), model);
}

#[test]
fn readers_see_whole_batches_while_tables_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let index = fresh(&dir.path().join("index"));
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let snapshot = index.snapshot();
                let first = snapshot.get(b"k00").unwrap();
                for at in 1..30 {
                    assert_eq!(snapshot.get(format!("k{at:02}").as_bytes()).unwrap(), first);
                }
            }
        });
        for round in 0..300_u32 {
            let mut batch = index.batch();
            for at in 0..30 {
                batch.put(format!("k{at:02}").as_bytes(), &round.to_be_bytes());
            }
            index.commit(batch).unwrap();
            if round % 10 == 0 {
                index.persist().unwrap();
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(index.get(b"k07").unwrap().unwrap(), 299_u32.to_be_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Against a map: any commits, table writes and restarts.
    #[test]
    fn it_is_an_ordered_map(
        steps in proptest::collection::vec(
            prop_oneof![
                8 => proptest::collection::vec((0_u8..30, proptest::option::of(any::<u8>())), 1..6)
                    .prop_map(Some),
                1 => Just(None),
            ],
            1..30,
        ),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let mut index = Some(fresh(&path));
        let mut model = Model::new();
        for step in steps {
            let open = index.take().unwrap();
            index = Some(match step {
                Some(writes) => {
                    let writes: Vec<_> =
                        writes.iter().map(|(k, v)| ([*k], v.map(|v| [v]))).collect();
                    let writes: Vec<(&[u8], Option<&[u8]>)> = writes
                        .iter()
                        .map(|(k, v)| (k.as_slice(), v.as_ref().map(<[u8; 1]>::as_slice)))
                        .collect();
                    commit(&open, &mut model, &writes);
                    open
                }
                None => {
                    open.close_clean().unwrap();
                    Index::open(&path).unwrap().0
                }
            });
            prop_assert_eq!(&everything(index.as_ref().unwrap()), &model);
        }
    }
}
