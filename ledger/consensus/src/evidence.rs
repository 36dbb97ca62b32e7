//! Judging evidence of misbehaviour: what others say of a validator proves itself or is nothing.

use crate::{
    Equivocation, MessageKind, ValidatorSet,
    codec::Message,
    context::Sig,
    effects::kind_of,
    sign::{proposal_bytes, vote_bytes},
};

/// A signed statement, taken apart.
struct Statement {
    kind: MessageKind,
    height: u64,
    round: Option<u32>,
    validator: changbai_wire::ValidatorAddress,
    bytes: Vec<u8>,
    signature: Sig,
}

impl Equivocation {
    /// Whether both messages are what a member of `set`, the validators of that height, signed in
    /// one place, and contradict each other.
    #[must_use]
    pub fn holds(&self, channel_id: &str, set: &ValidatorSet) -> bool {
        let Some(member) = set.member(&self.validator) else { return false };
        let [Some(first), Some(second)] =
            [&self.first, &self.second].map(|message| statement(channel_id, message))
        else {
            return false;
        };
        let in_place = |statement: &Statement| {
            statement.kind == self.kind
                && statement.height == self.height
                && statement.round == Some(self.round)
                && statement.validator == self.validator
                && member.key.verify(&statement.bytes, &statement.signature.0).is_ok()
        };
        first.bytes != second.bytes && in_place(&first) && in_place(&second)
    }
}

fn statement(channel_id: &str, message: &[u8]) -> Option<Statement> {
    match Message::decode(message).ok()? {
        Message::Vote(vote) => Some(Statement {
            kind: kind_of(vote.message.kind),
            height: vote.message.height.0,
            round: vote.message.round.as_u32(),
            validator: vote.message.address.0,
            bytes: vote_bytes(channel_id, &vote.message)?,
            signature: vote.signature,
        }),
        Message::Proposal(proposal) => Some(Statement {
            kind: MessageKind::Proposal,
            height: proposal.message.height.0,
            round: proposal.message.round.as_u32(),
            validator: proposal.message.address.0,
            bytes: proposal_bytes(channel_id, &proposal.message)?,
            signature: proposal.signature,
        }),
        Message::Polka(_) | Message::Round(_) => None,
    }
}
