//! Both logs together, as a channel uses them: one validator, crashed at every step.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::faulty::{Fault, FaultyFiles, Survive};
use crate::{BlockLog, ConsensusWal, LogOptions, StorageError};

const BODY: u8 = 1;
const VOTE: u8 = 2;
const HEIGHTS: u64 = 5;

/// What the world outside has seen of the validator; it outlives every crash.
#[derive(Debug, Clone, Default)]
struct World {
    /// Vote sent for each height: the block it was for.
    votes: BTreeMap<u64, Vec<u8>>,
    /// Blocks answered for.
    acknowledged: BTreeMap<u64, Vec<u8>>,
}

/// One life of the validator; `life` makes the blocks that it builds its own.
fn live(files: &FaultyFiles, world: &mut World, life: u8) -> Result<(), StorageError> {
    let files: Arc<dyn crate::Files> = Arc::new(files.clone());
    let (mut wal, entries) = ConsensusWal::open(Arc::clone(&files), Path::new("data/wal"))?;
    let options = LogOptions { segment_bytes: 200 };
    let (mut log, _) = BlockLog::open(files, Path::new("data/blocks"), options, wal.floor())?;
    if log.height().is_none() {
        log.append(0, b"genesis", &[])?;
    }
    log.scan(0, &mut |number, _, bytes| {
        if let Some(known) = world.acknowledged.get(&number) {
            assert_eq!(known, &bytes, "block {number} was changed");
        }
        Ok::<_, StorageError>(())
    })?;
    let next = log.height().unwrap() + 1;
    let mut body =
        entries.iter().find(|e| e.height == next && e.kind == BODY).map(|e| e.bytes.clone());
    for height in next..=HEIGHTS {
        let block = match body.take() {
            Some(block) => block,
            None => {
                let block = vec![life ^ height as u8; 60 + 7 * usize::from(life)];
                wal.append(height, BODY, &block)?;
                block
            }
        };
        wal.append(height, VOTE, &block[..4])?;
        wal.flush()?;
        let before = world.votes.insert(height, block.clone());
        assert!(before.is_none_or(|before| before == block), "two votes at height {height}");
        wal.append(height, VOTE, b"decided")?;
        wal.flush()?;
        log.append(height, &block, &[])?;
        world.acknowledged.insert(height, block);
        wal.reset(height + 1)?;
    }
    wal.close()
}

/// Whatever survived: the next life ends well, with every acknowledged block in the log.
fn recovers(files: &FaultyFiles, world: &World, what: &str) {
    let mut world = world.clone();
    live(files, &mut world, 2).unwrap_or_else(|e| panic!("{what}: {e}"));
    let (mut found, options) = (BTreeMap::new(), LogOptions::default());
    let path = Path::new("data/blocks");
    let (log, _) = BlockLog::open(Arc::new(files.clone()), path, options, Some(HEIGHTS)).unwrap();
    log.scan(1, &mut |number, _, bytes| {
        found.insert(number, bytes);
        Ok::<_, StorageError>(())
    })
    .unwrap();
    assert_eq!(found.len() as u64, HEIGHTS, "{what}");
    for (number, block) in &world.acknowledged {
        assert_eq!(found.get(number), Some(block), "{what}");
    }
    for (number, block) in &world.votes {
        assert_eq!(found.get(number), Some(block), "{what}: another block than voted for");
    }
}

fn crashed_at(operation: u64) -> (FaultyFiles, World) {
    let (files, mut world) = (FaultyFiles::new(), World::default());
    files.fail_at(operation, Fault::Crash);
    assert!(live(&files, &mut world, 1).is_err());
    (files, world)
}

fn operations() -> u64 {
    let files = FaultyFiles::new();
    live(&files, &mut World::default(), 1).unwrap();
    files.operations()
}

#[test]
fn no_crash_loses_a_block_or_votes_twice() {
    for at in 0..operations() {
        let survivals = [Survive::Nothing, Survive::Everything]
            .into_iter()
            .chain((0..25).map(|n| Survive::Torn(n * 7)))
            .chain((0..25).map(Survive::Sectors));
        for survive in survivals {
            let (files, world) = crashed_at(at);
            recovers(&files.crash(survive), &world, &format!("crash at {at}, {survive:?}"));
        }
    }
}

#[test]
fn a_crash_during_recovery_is_no_different() {
    for at in (0..operations()).step_by(3) {
        let (files, world) = crashed_at(at);
        let files = files.crash(Survive::Sectors(at));
        for again in 0..12 {
            let (files, mut world) = (files.crash(Survive::Everything), world.clone());
            files.fail_at(again, Fault::Crash);
            let _ = live(&files, &mut world, 3);
            let what = format!("crash at {at}, then at {again}");
            recovers(&files.crash(Survive::Torn(20)), &world, &what);
        }
    }
}

/// The process died, and one file was damaged before the next start. Either that is refused by
/// name, or everything acknowledged is there in the end: from the other log, if need be.
#[test]
fn single_damage_after_the_death_of_the_process_is_refused_or_healed() {
    let (mut refused, mut healed) = (0, 0);
    for at in (0..operations()).step_by(2) {
        let (files, world) = crashed_at(at);
        let files = files.crash(Survive::Everything);
        for path in files.paths() {
            let content = files.content(&path).unwrap();
            let skip = if content.len() > 1_000 { 61 } else { 11 };
            for offset in (at as usize % skip..content.len()).step_by(skip) {
                let mut flipped = content.clone();
                flipped[offset] ^= 0x20;
                let mut zeroed = content.clone();
                zeroed[offset..].iter_mut().take(40).for_each(|b| *b = 0);
                for bad in [flipped, zeroed, content[..offset].to_vec()] {
                    let disk = files.crash(Survive::Everything);
                    disk.set_content(&path, Some(bad));
                    let what = format!("crash at {at}, {} at {offset}", path.display());
                    match live(&disk, &mut world.clone(), 2) {
                        Err(StorageError::Corrupt { file, .. }) => {
                            assert!(file.starts_with("data"), "{what}");
                            refused += 1;
                        }
                        Err(StorageError::FloorMissing { .. }) => refused += 1,
                        Err(e) => panic!("{what}: {e}"),
                        Ok(()) => {
                            recovers(&disk, &world, &what);
                            healed += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(refused > 100 && healed > 100, "{refused} refused, {healed} healed");
}

/// After a clean end nothing is above the floor: damage to the block log is always refused.
#[test]
fn damage_to_blocks_after_a_clean_end_is_refused() {
    let (files, mut world) = (FaultyFiles::new(), World::default());
    live(&files, &mut world, 1).unwrap();
    let files = files.crash(Survive::Nothing);
    for path in files.paths().into_iter().filter(|p| p.starts_with("data/blocks")) {
        let content = files.content(&path).unwrap();
        for offset in 0..content.len() {
            let mut flipped = content.clone();
            flipped[offset] ^= 1;
            for bad in [flipped, content[..offset].to_vec()] {
                let disk = files.crash(Survive::Everything);
                disk.set_content(&path, Some(bad));
                let outcome = live(&disk, &mut world.clone(), 2);
                assert!(matches!(outcome, Err(StorageError::Corrupt { .. })));
            }
        }
    }
}

#[test]
fn a_lost_or_old_consensus_log_is_refused() {
    let wal = Path::new("data/wal");
    let (files, mut world) = (FaultyFiles::new(), World::default());
    files.fail_at(40, Fault::Crash);
    assert!(live(&files, &mut world, 1).is_err());
    let files = files.crash(Survive::Everything);
    let old = files.content(wal);
    live(&files, &mut world, 2).unwrap();
    assert!(world.acknowledged.len() > 3);
    for content in [None, old] {
        let disk = files.crash(Survive::Everything);
        disk.set_content(wal, content);
        let outcome = live(&disk, &mut world.clone(), 3);
        assert!(matches!(outcome, Err(StorageError::FloorMissing { .. })));
    }
}
