//! Keys, hand-made messages and the reading of encoded ones.

use changbai_consensus::{Member, ProposalStatement, ValidatorSet};
use changbai_wire::{ValidatorAddress, Vote, VoteKind};
use smkit::{
    Sm3Digest,
    sm2::{PrivateKey, SignerId, SigningKey},
    sm3,
};

pub const CHANNEL: &str = "evidence";

/// The same key for the same number, always.
pub fn key(number: u8) -> SigningKey {
    let mut bytes = [number; 32];
    bytes[0] = 1;
    SigningKey::new(PrivateKey::from_bytes(&bytes).unwrap(), SignerId::DEFAULT).unwrap()
}

pub fn keys(count: u8) -> Vec<SigningKey> {
    (1..=count).map(key).collect()
}

pub fn address(key: &SigningKey) -> ValidatorAddress {
    ValidatorAddress::for_key(key.verifying_key().public_key())
}

pub fn set(keys: &[SigningKey]) -> ValidatorSet {
    let members = keys.iter().map(|key| Member::new(key.verifying_key().clone())).collect();
    ValidatorSet::new(members).unwrap()
}

pub fn block(name: &str) -> Sm3Digest {
    sm3(name.as_bytes())
}

/// An encoded vote, written down here independently of the crate's codec.
pub fn vote(
    key: &SigningKey,
    kind: VoteKind,
    height: u64,
    round: u32,
    block: Option<Sm3Digest>,
) -> Vec<u8> {
    let validator = address(key);
    let statement = Vote { channel_id: CHANNEL.to_owned(), kind, height, round, block, validator };
    let mut bytes = vec![1, 1, kind as u8];
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(&round.to_be_bytes());
    bytes.push(u8::from(block.is_some()));
    bytes.extend_from_slice(&block.map_or([0; 32], |block| *block.as_bytes()));
    bytes.extend_from_slice(validator.as_bytes());
    bytes.extend_from_slice(&key.sign(&statement.sign_bytes()).to_bytes());
    bytes
}

/// An encoded proposal of a new block, written down here independently of the crate's codec.
pub fn proposal(key: &SigningKey, height: u64, round: u32, block: Sm3Digest) -> Vec<u8> {
    let proposer = address(key);
    let channel_id = CHANNEL.to_owned();
    let statement =
        ProposalStatement { channel_id, height, round, pol_round: None, block, proposer };
    let mut bytes = vec![1, 2];
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(&round.to_be_bytes());
    bytes.extend_from_slice(&[0; 5]);
    bytes.extend_from_slice(block.as_bytes());
    bytes.extend_from_slice(proposer.as_bytes());
    bytes.extend_from_slice(&key.sign(&statement.sign_bytes()).to_bytes());
    bytes
}

/// Where a statement stands: who, what kind (0 proposal, 1 prevote, 2 precommit), height, round.
pub type Place = ([u8; 32], u8, u64, u32);

/// Place and content (without signature) of an encoded vote or proposal; none for certificates.
pub fn statement(message: &[u8]) -> Option<(Place, Vec<u8>)> {
    let (kind, start, end) = match (message[1], message.len()) {
        (1, 144) => (message[2], 3, 80),
        (2, 147) => (0, 2, 83),
        _ => return None,
    };
    let height = u64::from_be_bytes(message[start..start + 8].try_into().unwrap());
    let round = u32::from_be_bytes(message[start + 8..start + 12].try_into().unwrap());
    let who = message[end - 32..end].try_into().unwrap();
    Some(((who, kind, height, round), message[..end].to_vec()))
}
