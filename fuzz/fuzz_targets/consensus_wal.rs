//! Recovery from the consensus log: damaged records halt the engine, intact ones never make it say two things.
//!
//! Each piece is a record: its kind, then its bytes.
#![no_main]

use changbai_consensus::{EngineError, Event, WalEntry};
use changbai_fuzz::consensus::{Outbox, SET, engine};
use changbai_fuzz::pieces;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("consensus_wal"), |data: &[u8]| {
    let entry = |piece: &[u8]| {
        let (kind, bytes) = piece.split_first()?;
        Some(WalEntry { height: 1, kind: *kind, bytes: bytes.to_vec() })
    };
    let entries: Vec<WalEntry> = pieces(data).into_iter().filter_map(entry).collect();
    let mut engine = engine();
    match engine.recover(1, SET.clone(), &entries) {
        Ok(actions) => Outbox::default().check(&actions),
        Err(_) => {
            assert!(engine.is_halted());
            assert_eq!(engine.step(Event::Message(Vec::new())), Err(EngineError::Halted));
        }
    }
});
