//! Statements made by hand, for simulations and tests: what a traitor could sign.

use changbai_wire::ValidatorAddress;
use core_types::{NilOrVal, Round, SignedProposal, SignedVote, VoteType};
use smkit::{Sm3Digest, sm2::SigningKey};

use crate::{
    MessageKind,
    codec::Message,
    context::{Address, BlockId, Height, Proposal, Sig, Vote},
    effects::kind_of,
    sign::{proposal_bytes, vote_bytes},
};

/// What a message says; nothing is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Which statement.
    pub kind: MessageKind,
    /// At which height.
    pub height: u64,
    /// In which round.
    pub round: u32,
    /// About which block; `None` for nil.
    pub block: Option<Sm3Digest>,
    /// In whose name.
    pub validator: ValidatorAddress,
}

/// Reads a vote or proposal; `None` for anything else.
#[must_use]
pub fn read(message: &[u8]) -> Option<Said> {
    match Message::decode(message).ok()? {
        Message::Vote(vote) => Some(Said {
            kind: kind_of(vote.message.kind),
            height: vote.message.height.0,
            round: vote.message.round.as_u32()?,
            block: match vote.message.value {
                NilOrVal::Nil => None,
                NilOrVal::Val(block) => Some(block.0),
            },
            validator: vote.message.address.0,
        }),
        Message::Proposal(proposal) => Some(Said {
            kind: MessageKind::Proposal,
            height: proposal.message.height.0,
            round: proposal.message.round.as_u32()?,
            block: Some(proposal.message.value.0),
            validator: proposal.message.address.0,
        }),
        Message::Polka(_) | Message::Round(_) => None,
    }
}

/// A vote signed with `key`; a proposal is none, and gives `None`.
#[must_use]
pub fn vote(
    channel_id: &str,
    key: &SigningKey,
    kind: MessageKind,
    height: u64,
    round: u32,
    block: Option<Sm3Digest>,
) -> Option<Vec<u8>> {
    let kind = match kind {
        MessageKind::Prevote => VoteType::Prevote,
        MessageKind::Precommit => VoteType::Precommit,
        MessageKind::Proposal => return None,
    };
    let vote = Vote {
        kind,
        height: Height(height),
        round: Round::new(round),
        value: block.map_or(NilOrVal::Nil, |block| NilOrVal::Val(BlockId(block))),
        address: address(key),
    };
    let signature = Sig(key.sign(&vote_bytes(channel_id, &vote)?));
    Message::Vote(SignedVote::new(vote, signature)).encode().ok()
}

/// A proposal signed with `key`.
#[must_use]
pub fn proposal(
    channel_id: &str,
    key: &SigningKey,
    height: u64,
    round: u32,
    pol_round: Option<u32>,
    block: Sm3Digest,
) -> Option<Vec<u8>> {
    let proposal = Proposal {
        height: Height(height),
        round: Round::new(round),
        value: BlockId(block),
        pol_round: pol_round.map_or(Round::Nil, Round::new),
        address: address(key),
    };
    let signature = Sig(key.sign(&proposal_bytes(channel_id, &proposal)?));
    Message::Proposal(SignedProposal::new(proposal, signature)).encode().ok()
}

/// A vote in another validator's name, signed with the wrong key.
#[must_use]
pub fn impersonate(channel_id: &str, key: &SigningKey, said: &Said) -> Option<Vec<u8>> {
    let kind = match said.kind {
        MessageKind::Precommit => VoteType::Precommit,
        MessageKind::Prevote | MessageKind::Proposal => VoteType::Prevote,
    };
    let vote = Vote {
        kind,
        height: Height(said.height),
        round: Round::new(said.round),
        value: said.block.map_or(NilOrVal::Nil, |block| NilOrVal::Val(BlockId(block))),
        address: Address(said.validator),
    };
    let signature = Sig(key.sign(&vote_bytes(channel_id, &vote)?));
    Message::Vote(SignedVote::new(vote, signature)).encode().ok()
}

fn address(key: &SigningKey) -> Address {
    Address(ValidatorAddress::for_key(key.verifying_key().public_key()))
}
