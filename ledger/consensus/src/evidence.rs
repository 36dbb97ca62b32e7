//! Judging evidence of misbehaviour: what others say of a validator proves itself or is nothing.

use crate::{
    CodecError, Equivocation, MessageKind, ValidatorSet,
    codec::{Message, Reader, Writer},
    context::{Address, Sig},
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

impl Equivocation {
    /// Version, tag, kind, u64 height, u32 round, address, then length and bytes of both messages.
    ///
    /// # Errors
    /// A message longer than any that proves something.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let mut writer = Writer::new(EVIDENCE);
        writer.u8(match self.kind {
            MessageKind::Proposal => 1,
            MessageKind::Prevote => 2,
            MessageKind::Precommit => 3,
        });
        writer.u64(self.height);
        writer.round(core_types::Round::new(self.round))?;
        writer.address(&Address(self.validator));
        writer.blob(&self.first)?;
        writer.blob(&self.second)?;
        Ok(writer.finish())
    }

    /// Reads [`Equivocation::to_bytes`]; nothing is verified but the form.
    ///
    /// # Errors
    /// Any other bytes than an encoding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let (tag, mut reader) = Reader::open(bytes)?;
        if tag != EVIDENCE {
            return Err(CodecError::Value { field: "tag", found: tag.into() });
        }
        let kind = match reader.u8()? {
            1 => MessageKind::Proposal,
            2 => MessageKind::Prevote,
            3 => MessageKind::Precommit,
            found => return Err(CodecError::Value { field: "kind", found: found.into() }),
        };
        let case = Self {
            kind,
            height: reader.u64()?,
            round: reader.round()?.as_u32().ok_or(CodecError::NilRound)?,
            validator: reader.address()?.0,
            first: reader.blob()?,
            second: reader.blob()?,
        };
        reader.finish()?;
        Ok(case)
    }
}

/// Tag of the encoding, distinct from those of messages.
const EVIDENCE: u8 = 8;

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
