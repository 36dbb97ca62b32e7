#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use proptest::prelude::*;

use super::*;
use crate::faulty::{Fault, FaultyFiles, Survive};

const PATH: &str = "data/consensus.wal";

fn open(files: &FaultyFiles) -> Result<(ConsensusWal, Vec<Entry>), StorageError> {
    ConsensusWal::open(Arc::new(files.clone()), Path::new(PATH))
}

fn entry(height: u64, at: u8) -> Entry {
    Entry { height, kind: at, bytes: vec![at; 5 + usize::from(at) * 40] }
}

fn put(wal: &mut ConsensusWal, entry: &Entry) -> Result<(), StorageError> {
    wal.append(entry.height, entry.kind, &entry.bytes)
}

/// Heights 1 to `heights`, three flushed records each; a reset after each but the last.
fn run(files: &FaultyFiles, heights: u64, flushed: &mut Vec<Entry>) -> Result<(), StorageError> {
    let (mut wal, _) = open(files)?;
    for height in 1..=heights {
        for at in 0..3 {
            put(&mut wal, &entry(height, at))?;
            if at != 1 {
                wal.flush()?;
                let from = flushed.last().filter(|e| e.height == height).map_or(0, |e| e.kind + 1);
                flushed.extend((from..=at).map(|at| entry(height, at)));
            }
        }
        if height < heights {
            wal.reset(height + 1)?;
        }
    }
    Ok(())
}

#[test]
fn records_come_back_until_the_reset() {
    let files = FaultyFiles::new();
    run(&files, 3, &mut Vec::new()).unwrap();
    let (mut wal, entries) = open(&files).unwrap();
    assert_eq!(entries, [entry(3, 0), entry(3, 1), entry(3, 2)]);
    assert_eq!(wal.floor(), Some(2));
    put(&mut wal, &entry(3, 3)).unwrap();
    wal.flush().unwrap();
    let (mut wal, entries) = open(&files).unwrap();
    assert_eq!(entries.len(), 4);
    put(&mut wal, &entry(3, 4)).unwrap();
    wal.reset(4).unwrap();
    wal.close().unwrap();
    let (wal, entries) = open(&files.crash(Survive::Nothing)).unwrap();
    assert_eq!((wal.floor(), entries.len()), (Some(3), 0));
}

#[test]
fn a_flush_without_records_costs_nothing() {
    let files = FaultyFiles::new();
    let (mut wal, _) = open(&files).unwrap();
    let before = files.operations();
    wal.flush().unwrap();
    assert_eq!(files.operations(), before);
    put(&mut wal, &entry(1, 0)).unwrap();
    wal.flush().unwrap();
    assert_eq!(files.operations(), before + 4, "the floor, a write, a sync, a slot");
    wal.reset(2).unwrap();
    assert_eq!(files.operations(), before + 5, "a slot");
    put(&mut wal, &entry(2, 0)).unwrap();
    wal.flush().unwrap();
    assert_eq!(files.operations(), before + 8, "a write, a sync, a slot");
}

#[test]
fn misuse_is_refused() {
    let files = FaultyFiles::new();
    run(&files, 3, &mut Vec::new()).unwrap();
    let (mut wal, _) = open(&files).unwrap();
    assert!(matches!(
        wal.append(2, 0, b"x"),
        Err(StorageError::OutOfOrder { expected: 3, got: 2 })
    ));
    assert!(matches!(wal.reset(2), Err(StorageError::OutOfOrder { .. })));
    let huge = vec![0; WAL_RECORD_BYTES_MAX + 1];
    assert!(matches!(wal.append(3, 0, &huge), Err(StorageError::TooLarge { .. })));
    wal.append(3, 0, b"x").unwrap();
}

#[test]
fn the_file_starts_over_when_it_is_long() {
    let files = FaultyFiles::new();
    let (mut wal, _) = open(&files).unwrap();
    let big = vec![7; 300 << 10];
    for height in 1..60 {
        wal.append(height, 1, &big).unwrap();
        wal.append(height, 2, &height.to_be_bytes()).unwrap();
        wal.flush().unwrap();
        if height % 7 == 0 {
            let (again, entries) = open(&files.crash(Survive::Nothing)).unwrap();
            let current: Vec<_> = entries.iter().filter(|e| e.height == height).collect();
            assert_eq!(current.len(), 2);
            assert_eq!(current[1].bytes, height.to_be_bytes());
            assert!(again.floor() >= height.checked_sub(2));
        }
        wal.reset(height + 1).unwrap();
        let (again, entries) = open(&files.crash(Survive::Everything)).unwrap();
        assert_eq!((again.floor(), entries.len()), (Some(height), 0));
    }
    let size = files.content(Path::new(PATH)).unwrap().len() as u64;
    assert!(size < WAL_WRAP_BYTES + (1 << 20), "{size}");
}

#[test]
fn no_crash_loses_a_flushed_record() {
    let files = FaultyFiles::new();
    let mut flushed = Vec::new();
    run(&files, 4, &mut flushed).unwrap();
    assert_eq!(flushed.len(), 12);
    for at in 0..files.operations() {
        let survivals = [Survive::Nothing, Survive::Everything]
            .into_iter()
            .chain((0..30).map(|n| Survive::Torn(n * 9)))
            .chain((0..30).map(Survive::Sectors));
        for survive in survivals {
            let files = FaultyFiles::new();
            files.fail_at(at, Fault::Crash);
            let mut flushed = Vec::new();
            assert!(run(&files, 4, &mut flushed).is_err());
            let after = files.crash(survive);
            let (mut wal, entries) =
                open(&after).unwrap_or_else(|e| panic!("crash at {at}, {survive:?}: {e}"));
            let height = flushed.last().map_or(1, |e| e.height);
            let floor = wal.floor().unwrap_or(0);
            assert!(floor <= height && floor + 2 >= height, "{at} {survive:?}");
            for entry in flushed.iter().filter(|e| e.height > floor) {
                assert!(entries.contains(entry), "crash at {at}, {survive:?}");
            }
            // What comes back is in order and was appended.
            let keys: Vec<_> = entries.iter().map(|e| (e.height, e.kind)).collect();
            assert!(keys.is_sorted());
            for found in &entries {
                assert_eq!(found, &entry(found.height, found.kind));
            }
            // And the log goes on.
            let next = wal.floor().map_or(1, |f| f + 1).max(height);
            put(&mut wal, &entry(next, 9)).unwrap();
            wal.flush().unwrap();
            assert!(open(&after).unwrap().1.contains(&entry(next, 9)));
        }
    }
}

#[test]
fn a_failed_write_or_sync_poisons() {
    for step in 0..2 {
        let files = FaultyFiles::new();
        let (mut wal, _) = open(&files).unwrap();
        put(&mut wal, &entry(1, 0)).unwrap();
        files.fail_at(files.operations() + step, Fault::Error(std::io::ErrorKind::Other));
        assert!(matches!(wal.flush(), Err(StorageError::Io { .. })));
        assert!(matches!(wal.flush(), Err(StorageError::Poisoned { .. })));
        assert!(matches!(put(&mut wal, &entry(1, 1)), Err(StorageError::Poisoned { .. })));
        assert!(matches!(wal.reset(2), Err(StorageError::Poisoned { .. })));
        let (mut wal, _) = open(&files).unwrap();
        put(&mut wal, &entry(1, 1)).unwrap();
        wal.flush().unwrap();
    }
}

#[test]
fn a_full_disk_is_waited_for() {
    for step in [0, 2] {
        let files = FaultyFiles::new();
        let (mut wal, _) = open(&files).unwrap();
        put(&mut wal, &entry(1, 0)).unwrap();
        files.fail_at(files.operations() + step, Fault::Full);
        for _ in 0..2 {
            assert!(wal.flush().unwrap_err().is_full());
        }
        let crashed = files.crash(Survive::Everything);
        assert!(open(&crashed).unwrap().1.len() <= 1);
        files.heal();
        put(&mut wal, &entry(1, 1)).unwrap();
        wal.flush().unwrap();
        assert_eq!(open(&files).unwrap().1, [entry(1, 0), entry(1, 1)]);
    }
}

#[test]
fn a_reset_on_a_full_disk_is_repeated() {
    let files = FaultyFiles::new();
    let (mut wal, _) = open(&files).unwrap();
    put(&mut wal, &entry(1, 0)).unwrap();
    wal.flush().unwrap();
    put(&mut wal, &entry(1, 1)).unwrap();
    files.fail_at(files.operations(), Fault::Full);
    assert!(wal.flush().unwrap_err().is_full());
    assert!(wal.reset(2).unwrap_err().is_full());
    files.heal();
    wal.reset(2).unwrap();
    put(&mut wal, &entry(2, 0)).unwrap();
    wal.flush().unwrap();
    let (wal, entries) = open(&files).unwrap();
    assert_eq!((wal.floor(), entries), (Some(1), vec![entry(2, 0)]));
}

/// The state after a clean end: everything flushed is there, or the log is refused by name.
fn judge(disk: &FaultyFiles, what: &str) -> bool {
    match open(disk) {
        Err(StorageError::Corrupt { file, .. }) => {
            assert_eq!(file, Path::new(PATH), "{what}");
            false
        }
        Err(e) => panic!("{what}: {e}"),
        Ok((wal, entries)) => {
            let live: Vec<_> = entries.into_iter().filter(|e| e.height == 3).collect();
            assert_eq!(live, [entry(3, 0), entry(3, 1), entry(3, 2)], "{what}");
            assert!(wal.floor() >= Some(1), "{what}");
            true
        }
    }
}

#[test]
fn no_flip_loses_a_flushed_record() {
    let files = FaultyFiles::new();
    run(&files, 3, &mut Vec::new()).unwrap();
    let content = files.content(Path::new(PATH)).unwrap();
    let mut refused = 0;
    for at in 0..content.len() {
        let mut bad = content.clone();
        bad[at] ^= 1 << (at % 8);
        let disk = files.crash(Survive::Everything);
        disk.set_content(Path::new(PATH), Some(bad));
        refused += usize::from(!judge(&disk, &format!("byte {at}")));
    }
    let live: usize = (0..3).map(|at| 37 + entry(3, at).bytes.len()).sum();
    assert_eq!(refused, live, "every byte of a live record, and no other");
}

#[test]
fn no_cut_and_no_zeroed_range_loses_a_flushed_record() {
    let files = FaultyFiles::new();
    run(&files, 3, &mut Vec::new()).unwrap();
    let content = files.content(Path::new(PATH)).unwrap();
    for length in 0..content.len() {
        let disk = files.crash(Survive::Everything);
        disk.set_content(Path::new(PATH), Some(content[..length].to_vec()));
        assert!(!judge(&disk, &format!("cut to {length}")), "cut to {length} was not noticed");
    }
    for length in [1, 16, 64, 512, 4_096] {
        for at in (0..content.len()).step_by(5) {
            let mut bad = content.clone();
            let end = (at + length).min(bad.len());
            bad[at..end].fill(0);
            let disk = files.crash(Survive::Everything);
            disk.set_content(Path::new(PATH), Some(bad));
            judge(&disk, &format!("zeroed {at}..{end}"));
        }
    }
}

#[test]
fn old_records_never_continue_new_ones() {
    let files = FaultyFiles::new();
    let (mut wal, _) = open(&files).unwrap();
    let big = vec![7; 1 << 20];
    // The same records again and again: only the chain tells old from new.
    for height in 1..30 {
        for _ in 0..2 {
            wal.append(height, 1, &big).unwrap();
            wal.flush().unwrap();
        }
        let (_, entries) = open(&files.crash(Survive::Everything)).unwrap();
        assert_eq!(entries.len(), 2, "height {height}");
        wal.reset(height + 1).unwrap();
    }
}

proptest! {
    #[test]
    fn records_round_trip(
        entries in proptest::collection::vec(
            (any::<u64>(), any::<u8>(), proptest::collection::vec(any::<u8>(), 0..80)),
            0..8,
        ),
        flip in any::<proptest::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let entries: Vec<Entry> =
            entries.into_iter().map(|(height, kind, bytes)| Entry { height, kind, bytes }).collect();
        let (mut bytes, mut chain) = (Vec::new(), [3; 16]);
        let mut ends = Vec::new();
        for entry in &entries {
            chain = encode_record(&mut bytes, chain, entry.height, entry.kind, &entry.bytes);
            ends.push(bytes.len());
        }
        prop_assert_eq!(decode_records(&bytes, [3; 16]), (entries.clone(), RecordError::End));
        if !bytes.is_empty() {
            let at = flip.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let before = ends.iter().filter(|end| **end <= at).count();
            let (found, _) = decode_records(&bytes, [3; 16]);
            prop_assert_eq!(found, entries[..before].to_vec());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode_records(&bytes, [0; 16]);
        let _ = Slot::decode(&bytes);
    }
}
