//! What peers send: damage changes nothing.

use changbai_consensus::{
    Action, CommitCertificate, Engine, Event, Origin, Refusal, limits::MESSAGE_BYTES_MAX,
};
use changbai_wire::VoteKind;
use proptest::{collection::vec, prelude::*};

use crate::support::{CHANNEL, address, block, keys, proposal, set, vote};

fn started() -> Engine {
    let keys = keys(4);
    let mut engine = Engine::new(CHANNEL, Some(keys[0].clone()), 1, set(&keys));
    engine.start(1, set(&keys)).unwrap();
    engine
}

fn logs(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Wal(_)))
}

#[test]
fn any_flipped_bit_keeps_a_message_out() {
    let keys = keys(4);
    let mut engine = started();
    for message in [
        vote(&keys[1], VoteKind::Prevote, 1, 0, Some(block("b"))),
        vote(&keys[2], VoteKind::Precommit, 1, 0, None),
        proposal(&keys[1], 1, 0, block("b")),
    ] {
        for bit in 0..message.len() * 8 {
            let mut damaged = message.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let actions = engine.step(Event::Message(damaged)).unwrap();
            assert!(!logs(&actions), "bit {bit}: {actions:?}");
        }
        assert!(logs(&engine.step(Event::Message(message)).unwrap()));
    }
}

#[test]
fn a_wrong_signature_names_its_sender() {
    let keys = keys(4);
    let mut engine = started();
    let mut message = vote(&keys[2], VoteKind::Prevote, 1, 0, None);
    let last = message.len() - 1;
    message[last] ^= 1;
    let refusal = Refusal::Signature { validator: address(&keys[2]), height: 1 };
    assert_eq!(engine.step(Event::Message(message)), Ok(vec![Action::Refused(refusal)]));
}

#[test]
fn a_certificate_that_does_not_hold_is_refused_and_one_that_does_decides() {
    let keys = keys(4);
    let mut engine = started();
    let chosen = block("synced");
    let mut certificate =
        CommitCertificate { height: 1, round: 0, block: chosen, signatures: Vec::new() };
    for key in &keys[1..] {
        let vote = certificate.vote_of(CHANNEL, address(key));
        certificate.signatures.push((address(key), key.sign(&vote.sign_bytes())));
    }

    let mut short = certificate.clone();
    short.signatures.pop();
    let mut wrong = certificate.clone();
    wrong.signatures[0].1 = wrong.signatures[1].1;
    let empty = CommitCertificate { signatures: Vec::new(), ..certificate.clone() };
    for bad in [short, wrong, empty] {
        let actions = engine.step(Event::Synced { certificate: bad }).unwrap();
        assert!(
            matches!(actions[..], [Action::Refused(Refusal::Certificate { height: 1, .. })]),
            "{actions:?}"
        );
    }
    let late = CommitCertificate { height: 2, ..certificate.clone() };
    assert_eq!(engine.step(Event::Synced { certificate: late }), Ok(vec![]));

    let proposer = address(&keys[1]);
    let actions = engine.step(Event::Synced { certificate: certificate.clone() }).unwrap();
    let certified = Action::Certified { height: 1, round: 0, proposer, block: chosen };
    assert!(actions.contains(&certified), "{actions:?}");
    let (height, round, valid, origin) = (1, 0, true, Origin::Sync);
    let validated = Event::Validated { height, round, proposer, block: chosen, valid, origin };
    let actions = engine.step(validated).unwrap();
    let decided = actions.iter().find_map(|action| match action {
        Action::Decided(decided) => Some(decided),
        _ => None,
    });
    assert_eq!(decided, Some(&certificate));
    assert!(engine.is_decided());
}

#[test]
fn events_after_the_decision_change_nothing() {
    let keys = keys(1);
    let set = set(&keys);
    let mut engine = Engine::new(CHANNEL, Some(keys[0].clone()), 1, set.clone());
    engine.start(1, set).unwrap();
    engine.step(Event::Built { height: 1, round: 0, block: block("a") }).unwrap();
    for event in [
        Event::Built { height: 1, round: 0, block: block("b") },
        Event::Message(vote(&keys[0], VoteKind::Precommit, 1, 0, Some(block("a")))),
        Event::Validated {
            height: 1,
            round: 0,
            proposer: address(&keys[0]),
            block: block("b"),
            valid: true,
            origin: Origin::Consensus,
        },
    ] {
        assert_eq!(engine.step(event), Ok(vec![]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_halt_the_engine(messages in vec(vec(any::<u8>(), 0..300), 1..8)) {
        let mut engine = started();
        for mut message in messages {
            let actions = engine.step(Event::Message(message.clone())).unwrap();
            prop_assert!(!logs(&actions));
            if let [version, tag, ..] = message.as_mut_slice() {
                (*version, *tag) = (1, *tag % 8);
            }
            let actions = engine.step(Event::Message(message)).unwrap();
            prop_assert!(!logs(&actions));
        }
    }
}

#[test]
fn a_message_beyond_the_bound_is_refused_unread() {
    let actions = started().step(Event::Message(vec![1; MESSAGE_BYTES_MAX + 1])).unwrap();
    assert!(matches!(actions[..], [Action::Refused(Refusal::Malformed(_))]));
}
