//! What validators sign. Never an encoding of a message: a domain, the channel, then every
//! field of the statement at a fixed width.

use changbai_wire::{ValidatorAddress, VoteKind};
use core_types::{NilOrVal, VoteType};
use smkit::Sm3Digest;

use crate::context;

/// Domain of [`ProposalStatement::sign_bytes`].
pub const PROPOSAL_DOMAIN: &[u8] = b"changbai/consensus/proposal/v1";

/// What a proposer states: this block, for this height and round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalStatement {
    /// The channel proposed in.
    pub channel_id: String,
    /// Number of the block to decide.
    pub height: u64,
    /// The round within the height, from 0.
    pub round: u32,
    /// The earlier round in which a quorum prevoted the block; `None` when it is new.
    pub pol_round: Option<u32>,
    /// Hash of the block's header.
    pub block: Sm3Digest,
    /// Who proposes.
    pub proposer: ValidatorAddress,
}

impl ProposalStatement {
    /// The message that the proposer signs: domain, u32 length and channel id, u64 height, u32
    /// round, `0` or `1` and four bytes of the earlier round (zero when there is none), 32 bytes
    /// header hash, 32 bytes address; integers big-endian. The length depends on the channel
    /// alone.
    #[must_use]
    pub fn sign_bytes(&self) -> Vec<u8> {
        let channel_bytes = u32::try_from(self.channel_id.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(160);
        bytes.extend_from_slice(PROPOSAL_DOMAIN);
        bytes.extend_from_slice(&channel_bytes.to_be_bytes());
        bytes.extend_from_slice(self.channel_id.as_bytes());
        bytes.extend_from_slice(&self.height.to_be_bytes());
        bytes.extend_from_slice(&self.round.to_be_bytes());
        bytes.push(u8::from(self.pol_round.is_some()));
        bytes.extend_from_slice(&self.pol_round.unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(self.block.as_bytes());
        bytes.extend_from_slice(self.proposer.as_bytes());
        bytes
    }
}

/// Sign bytes of a vote in the core's terms; none for a nil round, which is never signed.
pub(crate) fn vote_bytes(channel_id: &str, vote: &context::Vote) -> Option<Vec<u8>> {
    let vote = changbai_wire::Vote {
        channel_id: channel_id.to_owned(),
        kind: match vote.kind {
            VoteType::Prevote => VoteKind::Prevote,
            VoteType::Precommit => VoteKind::Precommit,
        },
        height: vote.height.0,
        round: vote.round.as_u32()?,
        block: match vote.value {
            NilOrVal::Nil => None,
            NilOrVal::Val(block) => Some(block.0),
        },
        validator: vote.address.0,
    };
    Some(vote.sign_bytes())
}

/// Sign bytes of a proposal in the core's terms; none for a nil round, which is never signed.
pub(crate) fn proposal_bytes(channel_id: &str, proposal: &context::Proposal) -> Option<Vec<u8>> {
    let statement = ProposalStatement {
        channel_id: channel_id.to_owned(),
        height: proposal.height.0,
        round: proposal.round.as_u32()?,
        pol_round: proposal.pol_round.as_u32(),
        block: proposal.value.0,
        proposer: proposal.address.0,
    };
    Some(statement.sign_bytes())
}
