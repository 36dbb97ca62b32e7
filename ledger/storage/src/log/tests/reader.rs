//! Reading without writing.

use super::*;

fn numbers(files: &FaultyFiles, floor: Option<u64>) -> (Vec<u64>, Result<(), StorageError>) {
    let reader = LogReader::open(Arc::new(files.clone()), Path::new(DIR), floor).unwrap();
    let mut found = Vec::new();
    let outcome = reader.scan(0, &mut |number, _, bytes| {
        assert_eq!(bytes, block(number));
        found.push(number);
        Ok::<_, StorageError>(())
    });
    (found, outcome)
}

#[test]
fn a_whole_log_is_read_from_any_block() {
    let (files, positions) = filled(20);
    let reader = LogReader::open(Arc::new(files), Path::new(DIR), Some(19)).unwrap();
    assert_eq!((reader.height(), reader.torn()), (Some(19), None));
    let mut found = Vec::new();
    reader
        .scan(7, &mut |number, position, bytes| {
            assert_eq!((position, bytes), (positions[number as usize], block(number)));
            found.push(number);
            Ok::<_, StorageError>(())
        })
        .unwrap();
    assert_eq!(found, (7..20).collect::<Vec<_>>());
}

#[test]
fn a_torn_end_is_reported_and_left_alone() {
    let (files, positions) = filled(20);
    let last = positions[19];
    let path = segment_path(Path::new(DIR), last.segment);
    let file = files.open(&path, false).unwrap();
    file.truncate(u64::from(last.offset) + 30).unwrap();
    for floor in [None, Some(18)] {
        let reader = LogReader::open(Arc::new(files.clone()), Path::new(DIR), floor).unwrap();
        let offset = u64::from(last.offset);
        assert_eq!(reader.torn(), Some(&Torn { file: path.clone(), offset, bytes: 30 }));
        assert_eq!(file.size_bytes().unwrap(), offset + 30, "as it was");
        let (found, outcome) = numbers(&files, floor);
        outcome.unwrap();
        assert_eq!(found.len(), 19);
    }
    // It was durable: then it is damage.
    let (found, outcome) = numbers(&files, Some(19));
    let Err(StorageError::Corrupt { file, offset, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!((file, offset, found.len()), (path.clone(), u64::from(last.offset), 19));
    // So it is when nothing is left of it.
    files.open(&path, false).unwrap().truncate(u64::from(last.offset)).unwrap();
    assert!(numbers(&files, Some(19)).1.is_err());
    assert!(numbers(&files, Some(18)).1.is_ok());
}

#[test]
fn the_first_damage_is_the_one_reported() {
    for damaged in [0_usize, 4, 9, 17] {
        let (files, positions) = filled(20);
        let at = positions[damaged];
        for position in [at, positions[18]] {
            let path = segment_path(Path::new(DIR), position.segment);
            let file = files.open(&path, false).unwrap();
            let mut byte = [0];
            let offset = u64::from(position.offset) + 40;
            file.read_at(offset, &mut byte).unwrap();
            file.write_at(offset, &[byte[0] ^ 1]).unwrap();
        }
        let (found, outcome) = numbers(&files, Some(19));
        let Err(StorageError::Corrupt { file, offset, .. }) = outcome else { panic!() };
        assert_eq!(found.len(), damaged);
        assert_eq!(file, segment_path(Path::new(DIR), at.segment));
        assert_eq!(offset, u64::from(at.offset));
    }
}

#[test]
fn nothing_is_made_where_nothing_is() {
    let files: Arc<dyn Files> = Arc::new(crate::ReadOnlyFiles);
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("blocks");
    assert!(LogReader::open(Arc::clone(&files), &missing, None).is_err());
    assert!(!missing.exists());
    assert!(LogReader::open(Arc::clone(&files), dir.path(), None).is_err());
    let wal = dir.path().join("consensus.wal");
    assert_eq!(crate::ConsensusWal::read_floor(files.as_ref(), &wal).unwrap(), None);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn deferred_syncs_are_made_up_for() {
    let files = FaultyFiles::new();
    let deferred = Arc::new(crate::DeferredSync::over(Arc::new(files.clone())));
    let options = LogOptions { segment_bytes: 1_200 };
    let open = |files: Arc<dyn Files>| BlockLog::open(files, Path::new(DIR), options, None);
    let (mut log, _) = open(Arc::clone(&deferred) as Arc<dyn Files>).unwrap();
    for number in 0..60 {
        append(&mut log, number).unwrap();
    }
    let lost = files.crash(Survive::Nothing);
    let (found, _) = numbers_or_none(&lost);
    assert!(found < 60, "nothing has made sure of all");
    deferred.settle().unwrap();
    let kept = files.crash(Survive::Nothing);
    let (found, outcome) = numbers(&kept, Some(59));
    outcome.unwrap();
    assert_eq!(found.len(), 60);
}

fn numbers_or_none(files: &FaultyFiles) -> (usize, bool) {
    match LogReader::open(Arc::new(files.clone()), Path::new(DIR), None) {
        Ok(_) => {
            let (found, outcome) = numbers(files, None);
            (found.len(), outcome.is_ok())
        }
        Err(_) => (0, false),
    }
}
