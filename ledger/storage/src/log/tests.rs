#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use std::sync::Arc;

use super::*;
use crate::faulty::{Fault, FaultyFiles, Survive};

mod damage;
mod reader;

const DIR: &str = "data/blocks";

fn id(seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(300)
    .collect()
}

fn block(number: u64) -> Vec<u8> {
    let mut out = format!("block {number} ").into_bytes();
    out.extend(id((number % 3) as u8));
    out.extend((0..number % 50).map(|i| (i * number) as u8));
    out
}

fn open(files: &FaultyFiles, floor: Option<u64>) -> Result<(BlockLog, LogRecovery), StorageError> {
    let options = LogOptions { segment_bytes: 1_200 };
    BlockLog::open(Arc::new(files.clone()), Path::new(DIR), options, floor)
}

fn append(log: &mut BlockLog, number: u64) -> Result<Position, StorageError> {
    let ids = [id(0), id(1), id(2)];
    log.append(number, &block(number), &[&ids[0], &ids[1], &ids[2]])
}

/// A log of blocks `0..count` in segments of about three blocks.
fn filled(count: u64) -> (FaultyFiles, Vec<Position>) {
    let files = FaultyFiles::new();
    let (mut log, _) = open(&files, None).unwrap();
    let positions = (0..count).map(|n| append(&mut log, n).unwrap()).collect();
    (files, positions)
}

fn all(log: &BlockLog, from: u64) -> Vec<(u64, Position, Vec<u8>)> {
    let mut found = Vec::new();
    log.scan(from, &mut |number, position, bytes| {
        found.push((number, position, bytes));
        Ok::<_, StorageError>(())
    })
    .unwrap();
    found
}

fn is_corrupt(error: &StorageError) -> bool {
    matches!(error, StorageError::Corrupt { .. })
}

#[test]
fn blocks_come_back_in_order_and_by_position() {
    let (files, positions) = filled(20);
    assert!(files.paths().len() > 3, "several segments");
    let (log, recovery) = open(&files, Some(19)).unwrap();
    assert_eq!(recovery, LogRecovery { height: Some(19), truncated: None, damage: None });
    for (number, position) in (0..).zip(&positions) {
        assert_eq!(log.read(*position).unwrap(), block(number));
        assert_eq!(Position::from_bytes(&position.to_bytes()), Some(*position));
    }
    let found = all(&log, 7);
    assert_eq!(found.len(), 13);
    for (number, position, bytes) in found {
        assert_eq!((position, bytes), (positions[number as usize], block(number)));
    }
    let mut seen = 0;
    log.scrub(&mut |p| seen = p.number + p.height).unwrap();
    assert_eq!(seen, 38);
    assert!(all(&log, 20).is_empty());
}

#[test]
fn identities_are_known_again_after_a_start() {
    let (files, positions) = filled(2);
    let (mut log, _) = open(&files, Some(1)).unwrap();
    let again = append(&mut log, 2).unwrap();
    let first = append(&mut log, 3).unwrap();
    assert!(first.frame_bytes() < positions[0].frame_bytes() / 2, "only a reference to block 0's");
    assert_eq!(log.read(again).unwrap(), block(2));
    // A log of its own: the definition is read from the frame that has it.
    let (log, _) = open(&files, Some(3)).unwrap();
    assert_eq!(log.read(first).unwrap(), block(3));
}

#[test]
fn misuse_is_refused_and_changes_nothing() {
    let (files, positions) = filled(3);
    let (mut log, _) = open(&files, Some(2)).unwrap();
    assert!(matches!(append(&mut log, 5), Err(StorageError::OutOfOrder { expected: 3, got: 5 })));
    assert!(matches!(append(&mut log, 2), Err(StorageError::OutOfOrder { .. })));
    let huge = vec![0; BLOCK_BYTES_MAX + 1];
    assert!(matches!(log.append(3, &huge, &[]), Err(StorageError::TooLarge { .. })));
    let beyond = Position { number: 9, ..positions[2] };
    assert!(matches!(log.read(beyond), Err(StorageError::NotFound { number: 9 })));
    let wrong = Position { number: 1, ..positions[2] };
    assert!(is_corrupt(&log.read(wrong).unwrap_err()));
    append(&mut log, 3).unwrap();
}

#[test]
fn a_failed_write_or_sync_poisons() {
    for step in 0..2 {
        let (files, positions) = filled(2);
        let (mut log, _) = open(&files, Some(1)).unwrap();
        files.fail_at(files.operations() + step, Fault::Error(std::io::ErrorKind::Other));
        assert!(matches!(append(&mut log, 2), Err(StorageError::Io { .. })));
        assert!(matches!(append(&mut log, 2), Err(StorageError::Poisoned { .. })));
        assert_eq!(log.read(positions[1]).unwrap(), block(1), "reading goes on");
        let (mut log, _) = open(&files.crash(Survive::Everything), Some(1)).unwrap();
        let next = log.height().unwrap() + 1;
        append(&mut log, next).unwrap();
    }
}

#[test]
fn a_full_disk_is_waited_for() {
    // The second block begins a new segment.
    for first in [1, 2] {
        let (files, positions) = filled(first);
        let (mut log, _) = open(&files, Some(first - 1)).unwrap();
        files.fail_at(files.operations(), Fault::Full);
        for _ in 0..2 {
            assert!(append(&mut log, first).unwrap_err().is_full());
        }
        assert_eq!(log.read(positions[0]).unwrap(), block(0), "reading goes on");
        // A crash now finds a torn last write.
        let crashed = files.crash(Survive::Everything);
        let (cut, _) = open(&crashed, Some(first - 1)).unwrap();
        assert_eq!(cut.height(), Some(first - 1));
        files.heal();
        let position = append(&mut log, first).unwrap();
        assert_eq!(log.read(position).unwrap(), block(first));
        let (log, _) = open(&files, Some(first)).unwrap();
        assert_eq!(log.height(), Some(first));
    }
}

#[test]
fn a_sync_that_finds_no_space_poisons() {
    let (files, _) = filled(2);
    let (mut log, _) = open(&files, Some(1)).unwrap();
    files.fail_at(files.operations() + 1, Fault::Error(std::io::ErrorKind::StorageFull));
    assert!(matches!(append(&mut log, 2), Err(StorageError::Io { .. })));
    assert!(matches!(append(&mut log, 2), Err(StorageError::Poisoned { .. })));
}

/// Appends until the crash; returns how many blocks were acknowledged.
fn run_until_crash(files: &FaultyFiles) -> u64 {
    let Ok((mut log, _)) = open(files, None) else { return 0 };
    (0..9).take_while(|n| append(&mut log, *n).is_ok()).count() as u64
}

#[test]
fn no_crash_loses_an_acknowledged_block() {
    let files = FaultyFiles::new();
    assert_eq!(run_until_crash(&files), 9);
    let operations = files.operations();
    let mut cases = 0;
    for at in 0..operations {
        let survivals = [Survive::Nothing, Survive::Everything]
            .into_iter()
            .chain((0..40).map(|n| Survive::Torn(n * 11)))
            .chain((0..20).map(Survive::Sectors));
        for survive in survivals {
            let files = FaultyFiles::new();
            files.fail_at(at, Fault::Crash);
            let acknowledged = run_until_crash(&files);
            let after = files.crash(survive);
            // The consensus log may lag one block behind, and has seen block 1 begin at most.
            for floor in [acknowledged.checked_sub(1), acknowledged.checked_sub(2)] {
                let opened = open(&after.crash(Survive::Everything), floor);
                // The floor is durable before the block after the next begins.
                let beyond = acknowledged > floor.map_or(1, |floor| floor + 1);
                if beyond && opened.is_err() {
                    continue;
                }
                let (mut log, recovery) =
                    opened.unwrap_or_else(|e| panic!("crash at {at}, {survive:?}: {e}"));
                let height = recovery.height.map_or(0, |h| h + 1);
                assert!(height == acknowledged || height == acknowledged + 1, "{at} {survive:?}");
                for (number, _, bytes) in all(&log, 0) {
                    assert_eq!(bytes, block(number));
                }
                append(&mut log, height).unwrap();
                cases += 1;
            }
        }
    }
    assert!(cases > 1_000);
}
