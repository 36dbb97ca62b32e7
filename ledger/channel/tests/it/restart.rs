//! Restarts, clean and hard: what was answered is there again, byte for byte.

use std::{fs, path::Path, sync::Arc};

use changbai_channel::OpenError;
use changbai_storage::faulty::{Fault, FaultyFiles, Survive};
use changbai_storage::{MemoryIndex, StdFiles, StorageError};

use crate::world::{Running, World};

#[test]
fn a_closed_channel_resumes_and_a_dropped_one_repairs() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    for n in 0..20 {
        node.submit(&world, &["Put", &format!("k{n}"), "x"]);
    }
    let status = node.channel.status();
    node.close();

    let mut node = world.open(dir.path()).unwrap();
    assert_eq!(node.recovery, changbai_channel::Recovery::default());
    assert_eq!(node.channel.status(), status);
    node.submit(&world, &["Add", "n", "5"]);
    let status = node.channel.status();
    drop(node);

    let node = world.open(dir.path()).unwrap();
    assert_eq!(node.channel.status(), status);
    assert_eq!(node.get(&world, "n"), "5");
}

#[test]
fn a_lost_index_is_rebuilt_from_the_block_log() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    let endorsed = node.endorse(&world, &["Add", "n", "7"]);
    node.send(&endorsed.envelope);
    node.turn();
    let status = node.channel.status();
    node.close();
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let node = world.open(dir.path()).unwrap();
    assert_eq!(node.recovery.blocks_replayed, status.height);
    assert_eq!(node.channel.status(), status);
    assert_eq!(node.get(&world, "n"), "7");
    let proof = node.channel.prove(&endorsed.tx_id).unwrap();
    assert!(matches!(proof, changbai_channel::Proof::Proven(_)));
}

#[test]
fn every_flipped_byte_of_the_block_log_is_refused_with_file_and_offset() {
    let (world, dir) = (World::new(), tempfile::tempdir().unwrap());
    let mut node = world.open(dir.path()).unwrap();
    node.submit(&world, &["Put", "a", "1"]);
    node.close();
    let segment = only_file(&dir.path().join("blocks"));
    let intact = fs::read(&segment).unwrap();
    for at in (0..intact.len()).step_by(97) {
        let mut bytes = intact.clone();
        bytes[at] ^= 0x40;
        fs::write(&segment, bytes).unwrap();
        let Err(OpenError::Storage(StorageError::Corrupt { file, .. })) = world.open(dir.path())
        else {
            panic!("byte {at} went unnoticed");
        };
        assert_eq!(file.file_name(), segment.file_name());
    }
    fs::write(&segment, &intact[..intact.len() - 1]).unwrap();
    assert!(matches!(
        world.open(dir.path()),
        Err(OpenError::Storage(StorageError::Corrupt { .. }))
    ));
    fs::write(&segment, &intact).unwrap();
    assert_eq!(world.open(dir.path()).unwrap().get(&world, "a"), "1");
}

#[test]
fn another_genesis_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    World::new().open(dir.path()).unwrap().close();
    assert!(matches!(World::new().open(dir.path()), Err(OpenError::Genesis)));
}

/// A crash at every write, sync and rename of a submission: what was answered is there after it,
/// and the channel goes on.
#[test]
fn a_crash_at_every_step_loses_nothing_that_was_answered() {
    let world = World::new();
    for step in 0..200 {
        for survive in [Survive::Nothing, Survive::Everything, Survive::Sectors(step)] {
            let files = FaultyFiles::new();
            files.fail_at(step, Fault::Crash);
            let acknowledged = run_until_crash(&world, &files);
            let crashed = files.crashed();
            // The index lives outside the model; its loss is part of the crash.
            let opened = open_fresh(&world, &files.crash(survive));
            let mut node = opened.unwrap_or_else(|e| panic!("step {step} {survive:?}: {e}"));
            for n in 0..acknowledged {
                assert_eq!(node.get(&world, &format!("k{n}")), "x", "step {step} {survive:?}");
            }
            node.submit(&world, &["Put", "after", "y"]);
            assert_eq!(node.get(&world, "after"), "y", "step {step} {survive:?}");
            if !crashed {
                assert!(step > 20, "crashes did happen before");
                return;
            }
        }
    }
    panic!("two hundred steps were not enough for five submissions");
}

fn open_fresh(world: &World, files: &FaultyFiles) -> Result<Running, OpenError> {
    let (files, index) = (Arc::new(files.clone()), Some(MemoryIndex::new()));
    let key = Some(world.validators[0].key.clone());
    world.open_as(Path::new("/node"), files, index, world.peer.clone(), key, 0, false)
}

/// Submits five times or until the model fails; how many were answered.
fn run_until_crash(world: &World, files: &FaultyFiles) -> u32 {
    let Ok(mut node) = open_fresh(world, files) else { return 0 };
    for n in 0..5 {
        let endorsed = node.endorse(world, &["Put", &format!("k{n}"), "x"]);
        let Ok(mut outcome) = node.channel.broadcast(endorsed.envelope) else { return n };
        let turned = node.orderer.turn(0);
        if outcome.try_recv().is_err() {
            assert!(turned.is_err(), "no answer without a reason");
            assert!(node.channel.status().halted.is_some());
            return n;
        }
    }
    5
}

fn only_file(dir: &Path) -> std::path::PathBuf {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    files.remove(0)
}

#[test]
fn the_model_of_files_and_the_real_ones_agree() {
    let world = World::new();
    let dir = tempfile::tempdir().unwrap();
    let run = |mut node: Running| {
        node.submit(&world, &["Put", "a", "1"]);
        node.channel.status().height
    };
    let real = run(world.open_with(&dir.path().join("real"), Arc::new(StdFiles)).unwrap());
    let files = FaultyFiles::new();
    let model = run(world.open_with(&dir.path().join("model"), Arc::new(files)).unwrap());
    assert_eq!(real, model);
}

/// A crash at every write, sync and rename around a change of the configuration, the index lost each
/// time: it is in force after its block or not at all, and the channel goes on under it.
#[test]
fn a_crash_at_every_step_of_a_change_leaves_one_configuration_or_the_other() {
    let world = World::new();
    let mut outcomes = [0, 0];
    for step in 0..200 {
        for survive in [Survive::Nothing, Survive::Everything, Survive::Sectors(step)] {
            let files = FaultyFiles::new();
            files.fail_at(step, Fault::Crash);
            let answered = change_until_crash(&world, &files);
            let crashed = files.crashed();
            let mut node = open_fresh(&world, &files.crash(survive))
                .unwrap_or_else(|e| panic!("step {step} {survive:?}: {e}"));
            node.turn();
            let config = node.channel.config();
            let changed = config.batch.timeout_ms == 77;
            assert_eq!(config.sequence, u64::from(changed), "step {step} {survive:?}");
            assert!(changed || !answered, "step {step} {survive:?}: it was answered");
            outcomes[usize::from(changed)] += 1;
            let mut next = changbai_msp::ChannelConfig::clone(&config);
            next.batch.timeout_ms = 88;
            let mut outcome = node.send(&crate::world::update(&config, &next, &world.admin));
            node.turn();
            assert_eq!(outcome.try_recv().unwrap().code, changbai_wire::ValidationCode::Valid);
            node.submit(&world, &["Put", "after", "y"]);
            assert_eq!(node.channel.config().sequence, u64::from(changed) + 1);
            if !crashed {
                assert!(step > 20 && outcomes.iter().all(|count| *count > 10), "{outcomes:?}");
                return;
            }
        }
    }
    panic!("two hundred steps were not enough");
}

/// Submits, changes the configuration, and submits again, or until the model fails; whether the
/// change was answered.
fn change_until_crash(world: &World, files: &FaultyFiles) -> bool {
    let Ok(mut node) = open_fresh(world, files) else { return false };
    let put = |node: &mut Running, key: &str| {
        let endorsed = node.endorse(world, &["Put", key, "x"]);
        let _ = node.channel.broadcast(endorsed.envelope);
        node.orderer.turn(0).is_ok()
    };
    if !put(&mut node, "before") {
        return false;
    }
    let current = node.channel.config();
    let mut next = changbai_msp::ChannelConfig::clone(&current);
    next.batch.timeout_ms = 77;
    let envelope = crate::world::update(&current, &next, &world.admin);
    let Ok(mut outcome) = node.channel.broadcast(envelope) else { return false };
    let turned = node.orderer.turn(0).is_ok();
    let answered = outcome.try_recv().is_ok();
    if turned {
        put(&mut node, "after");
    }
    answered
}
