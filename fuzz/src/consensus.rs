//! A channel with four validators, and what must hold of every list of actions.

use std::collections::HashMap;
use std::sync::LazyLock;

use changbai_consensus::{Action, Engine, Member, ValidatorSet};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};

/// The channel.
pub const CHANNEL: &str = "evidence";

/// The keys of its validators; the first one is the engine's own.
pub static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| (1..=4).map(key).collect());

/// Its validators.
pub static SET: LazyLock<ValidatorSet> = LazyLock::new(|| {
    let members = KEYS.iter().map(|key| Member::new(key.verifying_key().clone())).collect();
    ValidatorSet::new(members).expect("four different keys")
});

/// An engine at height 1 that has not started.
pub fn engine() -> Engine {
    Engine::new(CHANNEL, Some(KEYS[0].clone()), 1, SET.clone())
}

/// What left the engine so far.
#[derive(Debug, Default)]
pub struct Outbox {
    unflushed: bool,
    said: HashMap<Vec<u8>, Vec<u8>>,
}

impl Outbox {
    /// Asserts that nothing leaves before a flush that follows every record, and that the own key says one thing in
    /// one place.
    pub fn check(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Wal(_) => self.unflushed = true,
                Action::Flush => self.unflushed = false,
                Action::Broadcast(message) | Action::BroadcastBestEffort(message) => {
                    assert!(!self.unflushed, "a message left before its records were flushed");
                    self.check_statement(message);
                }
                Action::Decided(certificate) => {
                    assert!(!self.unflushed, "a decision came before its records were flushed");
                    assert!(certificate.verify(CHANNEL, &SET).is_ok(), "decided without a quorum");
                }
                _ => {}
            }
        }
    }

    /// Encoded votes are 144 bytes and proposals 147, each ending in address (32) and signature (64); certificates
    /// are passed over.
    fn check_statement(&mut self, message: &[u8]) {
        let (place, statement) = match (message, message.len()) {
            ([_, 1, ..], 144) => (&message[1..15], &message[..80]),
            ([_, 2, ..], 147) => (&message[1..14], &message[..83]),
            _ => return,
        };
        let said = self.said.entry(place.to_vec()).or_insert_with(|| statement.to_vec());
        assert_eq!(said, statement, "two statements in one place");
    }
}

fn key(number: u8) -> SigningKey {
    let mut bytes = [number; 32];
    bytes[0] = 1;
    let key = PrivateKey::from_bytes(&bytes).expect("a key in range");
    SigningKey::new(key, SignerId::DEFAULT).expect("the default signer")
}
