//! One node and four nodes, honest and not.

use changbai_consensus::{Action, Engine, EngineError, Event, MessageKind, Timeouts, ValidatorSet};
use changbai_wire::VoteKind;

use crate::{
    network::Network,
    support::{CHANNEL, address, block, key, keys, proposal, set, vote},
};

/// The kinds of actions, in order.
fn names(actions: &[Action]) -> Vec<&'static str> {
    let name = |action: &Action| match action {
        Action::Wal(_) => "wal",
        Action::Flush => "flush",
        Action::Broadcast(_) => "broadcast",
        Action::Decided(_) => "decided",
        Action::Finalized { .. } => "finalized",
        Action::NeedBlock { .. } => "need block",
        Action::RoundStarted { .. } => "round",
        _ => "other",
    };
    actions.iter().map(name).filter(|name| *name != "other").collect()
}

#[test]
fn one_validator_decides_with_one_flush() {
    let keys = keys(1);
    let set = set(&keys);
    let mut engine = Engine::new(CHANNEL, Some(keys[0].clone()), 1, set.clone());
    for height in 1..=3 {
        let actions = engine.start(height, set.clone()).unwrap();
        assert_eq!(names(&actions), ["round", "need block"]);
        let built = Event::Built { height, round: 0, block: block("one") };
        let actions = engine.step(built).unwrap();
        let expected = ["wal", "wal", "wal", "wal", "flush", "decided", "finalized"];
        assert_eq!(names(&actions)[..7], expected);
        assert_eq!(names(&actions)[7..], ["broadcast"; 3]);
        let certificate = actions.iter().find_map(|action| match action {
            Action::Decided(certificate) => Some(certificate),
            _ => None,
        });
        assert_eq!(certificate.unwrap().verify(CHANNEL, &set), Ok(1));
    }
    let stats = engine.signature_stats();
    assert_eq!((stats.signed, stats.verified), (9, 0), "own signatures need no verification");
}

#[test]
fn four_validators_agree_without_misbehaviour() {
    let mut network = Network::new(&keys(4), 6);
    network.start();
    network.run();
    for node in &network.nodes {
        assert_eq!(node.height(), 6);
        assert!(node.misbehaviour.is_empty());
        assert!(node.disk.chain.iter().all(|certificate| certificate.round == 0));
        // Per height at most: the proposal, three prevotes, three precommits. The certificate
        // made at the decision costs nothing more.
        let stats = node.engine.signature_stats();
        assert!(stats.verified <= 6 * 7, "{stats:?}");
        assert!(stats.remembered >= 6 * 3, "{stats:?}");
    }
}

#[test]
fn the_same_run_twice_is_the_same() {
    let run = || {
        let mut network = Network::new(&keys(4), 3);
        network.start();
        network.run();
        let ends = network.nodes.iter();
        ends.map(|node| (node.performed, node.disk.chain.clone())).collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[test]
fn three_of_four_decide_and_the_late_one_follows() {
    let mut network = Network::new(&keys(4), 5);
    network.nodes[2].up = false;
    network.start();
    network.run();
    assert!(network.nodes[0].disk.chain.iter().any(|certificate| certificate.round > 0));

    network.target = 7;
    network.nodes[2].up = true;
    network.start();
    network.run();
    assert!(network.nodes.iter().all(|node| node.height() == 7));
}

#[test]
fn an_observer_decides_without_signing_or_logging() {
    let mut keys = keys(4);
    let set: ValidatorSet = set(&keys);
    let mut observer = Engine::new(CHANNEL, None, 1, set.clone());
    assert!(!observer.is_validator());
    let mut actions = observer.start(1, set).unwrap();
    // Height 1, round 0: the second member proposes.
    let chosen = block("observed");
    keys.rotate_left(1);
    let messages = [proposal(&keys[0], 1, 0, chosen)]
        .into_iter()
        .chain(keys.iter().map(|key| vote(key, VoteKind::Prevote, 1, 0, Some(chosen))))
        .chain(keys.iter().map(|key| vote(key, VoteKind::Precommit, 1, 0, Some(chosen))));
    let events = messages.map(Event::Message).chain([Event::Validated {
        height: 1,
        round: 0,
        proposer: address(&keys[0]),
        block: chosen,
        valid: true,
        origin: changbai_consensus::Origin::Consensus,
    }]);
    for event in events {
        actions.extend(observer.step(event).unwrap());
    }
    assert_eq!(names(&actions), ["round", "decided", "finalized"]);
    assert!(observer.is_decided());
    assert_eq!(observer.signature_stats().signed, 0);
}

#[test]
fn a_traitor_is_named() {
    let keys = keys(4);
    let mut network = Network::new(&keys, 2);
    network.start();
    // The fourth node tells the first two something else than the rest, in advance.
    for to in [0, 1] {
        network.inject(to, vote(&keys[3], VoteKind::Prevote, 1, 0, Some(block("lie"))));
    }
    network.run();
    let found = &network.nodes[0].misbehaviour;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].validator, address(&keys[3]));
    assert_eq!((found[0].kind, found[0].height, found[0].round), (MessageKind::Prevote, 1, 0));
    assert_ne!(found[0].first, found[0].second);
    assert!(network.nodes[2].misbehaviour.is_empty());
}

#[test]
fn a_node_without_its_log_does_not_sign_against_itself() {
    let keys = keys(4);
    let set = set(&keys);
    // Height 1, round 0: node 1 proposes; node 0 has lost a log in which it prevoted "old".
    let mut engine = Engine::new(CHANNEL, Some(keys[0].clone()), 1, set.clone());
    engine.recover(1, set, &[]).unwrap();
    let old = vote(&keys[0], VoteKind::Prevote, 1, 0, Some(block("old")));
    engine.step(Event::Message(old)).unwrap();
    engine.step(Event::Message(proposal(&keys[1], 1, 0, block("new")))).unwrap();
    let halted = engine.step(Event::Validated {
        height: 1,
        round: 0,
        proposer: address(&keys[1]),
        block: block("new"),
        valid: true,
        origin: changbai_consensus::Origin::Consensus,
    });
    let kind = MessageKind::Prevote;
    assert_eq!(halted, Err(EngineError::DoubleSign { kind, height: 1, round: 0 }));
    assert!(engine.is_halted());
    assert_eq!(engine.step(Event::Message(Vec::new())), Err(EngineError::Halted));
}

#[test]
fn a_key_in_use_twice_halts_the_node() {
    let keys = keys(4);
    let set = set(&keys);
    let mut engine = Engine::new(CHANNEL, Some(keys[0].clone()), 1, set.clone());
    engine.start(1, set).unwrap();
    let first = vote(&keys[0], VoteKind::Prevote, 1, 0, None);
    engine.step(Event::Message(first)).unwrap();
    let second = vote(&keys[0], VoteKind::Prevote, 1, 0, Some(block("other")));
    let (validator, kind) = (address(&keys[0]), MessageKind::Prevote);
    let expected = EngineError::KeyUsedTwice { validator, kind, height: 1, round: 0 };
    assert_eq!(engine.step(Event::Message(second)), Err(expected));
}

#[test]
fn an_engine_moves_to_its_thread() {
    fn is_send<T: Send>() {}
    is_send::<Engine>();
}

#[test]
fn heights_only_grow() {
    let keys = keys(1);
    let set = set(&keys);
    let mut engine = Engine::new(CHANNEL, Some(keys[0].clone()), 1, set.clone());
    assert_eq!(engine.step(Event::Message(vec![9])), Ok(vec![]), "not started yet");
    engine.start(4, set.clone()).unwrap();
    for asked in [4, 3] {
        let expected = EngineError::Height { current: 4, asked };
        assert_eq!(engine.start(asked, set.clone()), Err(expected));
    }
    assert!(engine.start(9, set.clone()).is_ok(), "a jump ahead is allowed");
    let expected = EngineError::AlreadyStarted { current: 9 };
    assert_eq!(engine.recover(10, set, &[]), Err(expected));
}

#[test]
fn timeouts_grow_by_round_up_to_their_bound() {
    let timeouts =
        Timeouts { propose_ms: 100, propose_delta_ms: 10, max_ms: 130, ..Timeouts::default() };
    let keys = keys(1);
    let mut engine = Engine::new(CHANNEL, Some(key(2)), 1, set(&keys)).with_timeouts(timeouts);
    let actions = engine.start(1, set(&keys)).unwrap();
    let mut durations = actions.iter().filter_map(|action| match action {
        Action::Schedule { token, duration_ms } => Some((token.kind, *duration_ms, *token)),
        _ => None,
    });
    let (_, duration_ms, token) =
        durations.find(|(kind, ..)| *kind == changbai_consensus::TimeoutKind::Propose).unwrap();
    assert_eq!(duration_ms, 100);
    let at = |round| timeouts.duration_ms(changbai_consensus::TimeoutToken { round, ..token });
    assert_eq!([at(1), at(3), at(4), at(u32::MAX)], [110, 130, 130, 130]);
}
