//! Crashes at every point, and what the log must look like to be replayed.

use changbai_consensus::{Action, Engine, EngineError, Event, WalRecord};
use smkit::Sm3Digest;

use crate::{
    network::{Crash, Network},
    support::{CHANNEL, block, keys, set},
};

/// Decides `target` blocks with `count` validators, node 0 crashing as told; the network itself
/// checks that nobody signs twice, sends unflushed, or decides differently.
fn survive(count: u8, target: u64, victim: usize, crashes: Vec<Crash>) -> Network {
    let mut network = Network::new(&keys(count), target);
    let planned = crashes.len();
    network.nodes[victim].crashes = crashes;
    network.start();
    network.run();
    assert!(network.nodes.iter().all(|node| node.misbehaviour.is_empty()));
    assert_eq!(
        network.restarts,
        usize::from(count) + planned - network.nodes[victim].crashes.len()
    );
    network
}

/// Every point of the victim's life: before each action, with none, one, … of the unflushed
/// records surviving.
fn every_crash(count: u8, target: u64, victim: usize) -> Vec<Crash> {
    let calm = survive(count, target, victim, Vec::new());
    let points = calm.nodes[victim].performed;
    let surviving = 0..if count == 1 { 5 } else { 4 };
    (0..points)
        .flat_map(|before_action| {
            surviving.clone().map(move |surviving| Crash {
                before_action,
                surviving,
                amnesia: false,
            })
        })
        .collect()
}

#[test]
fn one_validator_survives_a_crash_anywhere() {
    for crash in every_crash(1, 2, 0) {
        survive(1, 2, 0, vec![crash]);
    }
}

#[test]
fn one_validator_survives_two_crashes_anywhere() {
    for first in every_crash(1, 1, 0) {
        for distance in 0..14 {
            let before_action = first.before_action + distance;
            survive(1, 1, 0, vec![first, Crash { before_action, surviving: 1, amnesia: false }]);
        }
    }
}

#[test]
fn one_of_four_survives_a_crash_anywhere() {
    // Node 1 proposes at height 1, node 2 at height 2: proposer and follower.
    for victim in [1, 2] {
        for crash in every_crash(4, 2, victim) {
            survive(4, 2, victim, vec![crash]);
        }
    }
}

#[test]
fn one_of_four_survives_two_crashes() {
    for first in every_crash(4, 1, 1).into_iter().step_by(3) {
        for distance in [0, 1, 4, 9] {
            let before_action = first.before_action + distance;
            survive(4, 1, 1, vec![first, Crash { before_action, surviving: 0, amnesia: false }]);
        }
    }
}

/// The counter-check: where a disk forgets what was flushed, the network notices.
#[test]
#[should_panic(expected = "a second statement")]
fn a_forgetful_disk_makes_a_validator_sign_twice() {
    let calm = survive(4, 1, 1, Vec::new());
    for before_action in 0..calm.nodes[1].performed {
        survive(4, 1, 1, vec![Crash { before_action, surviving: 0, amnesia: true }]);
    }
}

/// The records of one decided height of a lone validator, and what it sent.
fn log_of_one(block: Sm3Digest) -> (Vec<WalRecord>, Vec<Vec<u8>>) {
    let keys = keys(1);
    let mut engine = Engine::new(CHANNEL, Some(keys[0].clone()), 1, set(&keys));
    engine.start(1, set(&keys)).unwrap();
    let actions = engine.step(Event::Built { height: 1, round: 0, block }).unwrap();
    (records(&actions), sent(&actions))
}

fn records(actions: &[Action]) -> Vec<WalRecord> {
    let record = |action: &Action| match action {
        Action::Wal(record) => Some(record.clone()),
        _ => None,
    };
    actions.iter().filter_map(record).collect()
}

fn sent(actions: &[Action]) -> Vec<Vec<u8>> {
    let bytes = |action: &Action| match action {
        Action::Broadcast(bytes) => Some(bytes.clone()),
        _ => None,
    };
    let mut sent: Vec<_> = actions.iter().filter_map(bytes).collect();
    sent.sort();
    sent
}

fn recover(log: &[WalRecord]) -> (Engine, Result<Vec<Action>, EngineError>) {
    let keys = keys(1);
    let mut engine = Engine::new(CHANNEL, Some(keys[0].clone()), 1, set(&keys));
    let outcome = engine.recover(1, set(&keys), log);
    (engine, outcome)
}

#[test]
fn a_whole_log_is_repeated_without_signing() {
    let (log, before) = log_of_one(block("a"));
    assert_eq!(log.len(), 4);
    let (engine, actions) = recover(&log);
    let actions = actions.unwrap();
    assert_eq!(engine.signature_stats().signed, 0);
    // The proposal is replayed as received, the votes are derived again and sent again.
    assert!(sent(&actions).iter().all(|message| before.contains(message)));
    assert_eq!(sent(&actions).len(), 2);
    assert!(records(&actions).is_empty());
    assert!(actions.iter().any(|action| matches!(action, Action::Finalized { height: 1, .. })));
    assert!(!actions.iter().any(|action| matches!(action, Action::NeedBlock { .. })));
}

#[test]
fn what_is_signed_during_a_replay_is_logged_and_repeated_next_time() {
    let (log, before) = log_of_one(block("a"));
    // Value and proposal survive, both votes are lost.
    let (first, actions) = recover(&log[..2]);
    let actions = actions.unwrap();
    assert_eq!(first.signature_stats().signed, 2);
    assert_eq!(records(&actions), log[2..]);
    assert!(sent(&actions).iter().all(|message| before.contains(message)));
    let log = [&log[..2], &records(&actions)].concat();
    let (second, actions) = recover(&log);
    assert_eq!(second.signature_stats().signed, 0);
    assert!(records(&actions.unwrap()).is_empty());
}

#[test]
fn a_block_is_asked_for_last_and_only_while_it_is_needed() {
    let (log, _) = log_of_one(block("a"));
    for (cut, asks) in [(0, true), (1, true), (2, false), (3, false), (4, false)] {
        let (_, actions) = recover(&log[..cut]);
        let actions = actions.unwrap();
        let asked = Action::NeedBlock { height: 1, round: 0 };
        assert_eq!(actions.last() == Some(&asked), asks, "cut {cut}");
        assert_eq!(actions.contains(&asked), asks, "cut {cut}");
    }
}

#[test]
fn a_damaged_log_halts() {
    let (log, _) = log_of_one(block("a"));
    // The records that carry a signature: nothing in them can change unnoticed.
    for index in 1..log.len() {
        for bit in 0..log[index].bytes.len() * 8 {
            let mut log = log.clone();
            log[index].bytes[bit / 8] ^= 1 << (bit % 8);
            let (mut engine, outcome) = recover(&log);
            assert!(
                matches!(
                    outcome,
                    Err(EngineError::WalRecord { .. } | EngineError::WalSignature { .. })
                ),
                "record {index}, bit {bit}: {outcome:?}"
            );
            let event = Event::Built { height: 1, round: 0, block: block("a") };
            assert_eq!(engine.step(event), Err(EngineError::Halted));
        }
    }
}

#[test]
fn a_log_with_two_own_statements_for_one_place_halts() {
    let (mut log, _) = log_of_one(block("a"));
    let (other, _) = log_of_one(block("b"));
    log.push(other[2].clone());
    assert!(matches!(recover(&log).1, Err(EngineError::KeyUsedTwice { .. })));
}

#[test]
fn a_log_ahead_of_the_blocks_halts_and_one_behind_is_ignored() {
    let keys = keys(1);
    let (log, _) = log_of_one(block("a"));
    let mut engine = Engine::new(CHANNEL, Some(keys[0].clone()), 0, set(&keys));
    let outcome = engine.recover(0, set(&keys), &log);
    assert_eq!(outcome, Err(EngineError::WalAhead { height: 0, found: 1 }));

    let mut engine = Engine::new(CHANNEL, Some(keys[0].clone()), 2, set(&keys));
    let actions = engine.recover(2, set(&keys), &log).unwrap();
    assert_eq!(actions.last(), Some(&Action::NeedBlock { height: 2, round: 0 }));
}
