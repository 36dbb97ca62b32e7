//! Damage to any file of the index: what it holds is right, or it says that it is damaged.

use std::fs;

use super::*;

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// An index with several tables, and its content.
fn filled(path: &Path) -> Model {
    let index = fresh(path);
    let mut model = Model::new();
    for round in 0..3_u8 {
        for at in 0..20_u8 {
            let value = [round ^ at; 30];
            let value = (at % 4 != round).then_some(value.as_slice());
            commit(&index, &mut model, &[(&[b'k', at % 15, round % 2], value)]);
        }
        index.persist().unwrap();
    }
    index.close_clean().unwrap();
    // Opening removes what the engine has left behind of earlier versions.
    drop(Index::open(path).unwrap());
    model
}

fn judge(path: &Path, model: &Model, what: &str) -> bool {
    let (index, state) = Index::open(path).unwrap();
    match state {
        IndexState::Damaged => {
            assert!(index.damage().is_some(), "{what}");
            assert!(matches!(index.get(b"k"), Err(StorageError::IndexDamaged { .. })));
            assert!(matches!(index.persist(), Err(StorageError::IndexDamaged { .. })));
            let commit = index.commit(index.batch());
            assert!(matches!(commit, Err(StorageError::IndexDamaged { .. })));
            false
        }
        _ => {
            assert_eq!(&everything(&index), model, "{what}");
            true
        }
    }
}

/// Lays the intact files out again: an index that opened may have cleaned up.
fn restore(path: &Path, originals: &[(PathBuf, Vec<u8>)]) {
    fs::remove_dir_all(path).unwrap();
    fs::create_dir_all(path.join("tables")).unwrap();
    for (file, content) in originals {
        fs::write(file, content).unwrap();
    }
}

fn originals(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files(path).into_iter().map(|f| (f.clone(), fs::read(f).unwrap())).collect()
}

#[test]
fn every_flip_is_noticed_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    let model = filled(&path);
    let originals = originals(&path);
    assert!(originals.len() >= 4, "current, a version, tables");
    let mut noticed = 0;
    for (file, content) in &originals {
        for at in 0..content.len() {
            let mut bad = content.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(file, &bad).unwrap();
            let what = format!("{} byte {at}", file.display());
            if judge(&path, &model, &what) {
                panic!("{what} was not noticed");
            }
            noticed += 1;
            fs::write(file, content).unwrap();
        }
    }
    assert!(noticed > 1_000);
    assert!(judge(&path, &model, "intact"));
}

#[test]
fn every_cut_and_every_missing_file_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    let model = filled(&path);
    let originals = originals(&path);
    for (file, content) in &originals {
        for length in (0..content.len()).step_by(3) {
            fs::write(file, &content[..length]).unwrap();
            let what = format!("{} cut to {length}", file.display());
            assert!(!judge(&path, &model, &what), "{what}");
            restore(&path, &originals);
        }
        fs::remove_file(file).unwrap();
        assert!(!judge(&path, &model, &format!("{} missing", file.display())));
        restore(&path, &originals);
        for at in (0..content.len()).step_by(64) {
            let mut bad = content.clone();
            let end = (at + 64).min(bad.len());
            bad[at..end].fill(0);
            if bad == *content {
                continue;
            }
            fs::write(file, &bad).unwrap();
            assert!(!judge(&path, &model, &format!("{} zeroed at {at}", file.display())));
            restore(&path, &originals);
        }
    }
}

#[test]
fn leftovers_of_a_crash_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    let model = filled(&path);
    fs::write(path.join("tables/999"), b"a table never registered").unwrap();
    fs::write(path.join("v998"), b"a version never made current").unwrap();
    fs::write(path.join(".tmpabc"), b"a draft of current").unwrap();
    assert!(judge(&path, &model, "leftovers"));
}

#[test]
fn a_failing_disk_is_reported_and_nothing_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    let index = fresh(&path);
    let mut model = Model::new();
    commit(&index, &mut model, &[(b"a", Some(b"1"))]);
    // The tables' directory is gone: writing the memory table out must fail.
    fs::remove_dir_all(path.join("tables")).unwrap();
    assert!(matches!(index.persist(), Err(StorageError::IndexDamaged { .. })));
    let mut batch = index.batch();
    batch.put(b"b", b"2");
    assert!(matches!(index.commit(batch), Err(StorageError::IndexDamaged { .. })));
    assert!(index.damage().is_some());
    drop(index);
    Index::destroy(&path).unwrap();
    assert!(everything(&fresh(&path)).is_empty());
}
