//! Votes of validators: the message they sign.

use smkit::Sm3Digest;

use crate::{ValidatorAddress, domain, hash::u32_be};

/// The two steps of a round that are voted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum VoteKind {
    /// The block is acceptable.
    Prevote = 1,
    /// A quorum found it acceptable: commit. Precommits make the certificate of a block.
    Precommit = 2,
}

/// A vote of one validator on the block of one height and round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The channel voted in.
    pub channel_id: String,
    /// The step voted on.
    pub kind: VoteKind,
    /// The height, which is the number of the block to decide.
    pub height: u64,
    /// The round within the height, from 0.
    pub round: u32,
    /// The header hash voted for; `None` is a vote for no block.
    pub block: Option<Sm3Digest>,
    /// Who votes.
    pub validator: ValidatorAddress,
}

impl Vote {
    /// The message that the validator signs: domain, kind, u32 length and channel id, u64 height,
    /// u32 round, `0` or `1` and the header hash, address; integers big-endian.
    #[must_use]
    pub fn sign_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(domain::VOTE);
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&u32_be(self.channel_id.len()));
        bytes.extend_from_slice(self.channel_id.as_bytes());
        bytes.extend_from_slice(&self.height.to_be_bytes());
        bytes.extend_from_slice(&self.round.to_be_bytes());
        match &self.block {
            None => bytes.push(0),
            Some(block) => {
                bytes.push(1);
                bytes.extend_from_slice(block.as_bytes());
            }
        }
        bytes.extend_from_slice(self.validator.as_bytes());
        bytes
    }
}
