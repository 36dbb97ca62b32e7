//! Misbehaviour in the crate's own terms.

use core_consensus::MisbehaviorEvidence;

use super::{Env, Stopped, kind_of};
use crate::{Equivocation, MessageKind, codec::Message, context::Ctx};

impl Env {
    /// Every pair of contradicting statements the core has kept, by kind and validator.
    pub(super) fn misbehaviour(
        &mut self,
        evidence: MisbehaviorEvidence<Ctx>,
    ) -> Result<Vec<Equivocation>, Stopped> {
        let mut found = Vec::new();
        // The core also pairs a proposal with itself when its validity is corrected while another
        // one of its round is known: that proves nothing.
        for (first, second) in evidence.proposals.into_iter().flat_map(|(_, pairs)| pairs) {
            if first.message == second.message {
                continue;
            }
            let (kind, place) = (MessageKind::Proposal, first.message.clone());
            let pair = (Message::Proposal(first), Message::Proposal(second));
            found.push((kind, place.address, place.height, place.round, pair));
        }
        for (first, second) in evidence.votes.into_iter().flat_map(|(_, pairs)| pairs) {
            let (kind, place) = (kind_of(first.message.kind), first.message.clone());
            let pair = (Message::Vote(first), Message::Vote(second));
            found.push((kind, place.address, place.height, place.round, pair));
        }
        let mut list = Vec::with_capacity(found.len());
        for (kind, address, height, round, (first, second)) in found {
            list.push(Equivocation {
                validator: address.0,
                kind,
                height: height.0,
                round: self.number(round)?,
                first: self.encoded(&first)?,
                second: self.encoded(&second)?,
            });
        }
        Ok(list)
    }
}
