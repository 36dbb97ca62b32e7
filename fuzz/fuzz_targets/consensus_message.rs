//! Messages of peers: no bytes halt the engine, nothing leaves it unflushed, it never says two things in one place.
//!
//! A piece of no bytes announces a valid body, one of one byte is a timer that ran out; all others are messages.
#![no_main]

use changbai_consensus::{CommitCertificate, Event, Origin, TimeoutKind, TimeoutToken};
use changbai_fuzz::consensus::{KEYS, Outbox, SET, engine};
use changbai_fuzz::pieces;
use changbai_wire::ValidatorAddress;
use smkit::sm3;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("consensus_message"), |data: &[u8]| {
    if let Ok(certificate) = CommitCertificate::from_bytes(data) {
        assert_eq!(certificate.to_bytes().as_deref(), Ok(data), "a certificate has two forms");
    }
    let (mut engine, mut outbox) = (engine(), Outbox::default());
    outbox.check(&engine.start(1, SET.clone()).expect("a first height"));
    for piece in pieces(data) {
        let actions = engine.step(event(piece)).expect("what peers send never halts the engine");
        outbox.check(&actions);
    }
});

fn event(piece: &[u8]) -> Event {
    match piece {
        [] => Event::Validated {
            height: 1,
            round: 0,
            proposer: ValidatorAddress::for_key(KEYS[1].verifying_key().public_key()),
            block: sm3(b"header"),
            valid: true,
            origin: Origin::Consensus,
        },
        [timer] => {
            let kind = match timer % 4 {
                0 => TimeoutKind::Propose,
                1 => TimeoutKind::Prevote,
                2 => TimeoutKind::Precommit,
                _ => TimeoutKind::Rebroadcast,
            };
            Event::Timeout(TimeoutToken { height: 1, round: u32::from(timer / 4), kind })
        }
        message => Event::Message(message.to_vec()),
    }
}
