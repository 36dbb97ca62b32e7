//! Restart within a height: feed the write-ahead log to a fresh core.

use core_consensus::Input;
use core_types::{SignedVote, ThresholdParams, ValidatorSet as _};

use super::Engine;
use crate::{
    Action, EngineError, MessageKind, ValidatorSet, WalEntry,
    codec::decode_record,
    context::{Ctx, Proposal, Sig, Validators, Vote},
    effects::{Logging, kind_of},
    sign::{proposal_bytes, vote_bytes},
};

impl Engine {
    /// Starts `height` (last durable block plus one) from what the write-ahead log holds.
    ///
    /// Entries of lower heights are ignored, as are all entries if this node is not in `set`.
    /// Statements recorded before the crash are repeated with their recorded signatures; those
    /// signed anew, because the crash came before their record, are logged now. A block is asked
    /// for ([`Action::NeedBlock`]) only after the replay, as the last action, and only if the own
    /// proposal is not in the log. If the log completes the height, the list holds
    /// [`Action::Finalized`].
    ///
    /// # Errors
    /// Anything but a log this engine wrote for this set: an unreadable record, a signature the
    /// set refutes, two different own statements in one place, a height above `height`, or a
    /// replay that derives something else than recorded. The engine is halted then.
    pub fn recover(
        &mut self,
        height: u64,
        set: ValidatorSet,
        entries: &[WalEntry],
    ) -> Result<Vec<Action>, EngineError> {
        if self.halted {
            return Err(EngineError::Halted);
        }
        if self.started {
            self.halted = true;
            return Err(EngineError::AlreadyStarted { current: self.height() });
        }
        let outcome = self.replay(height, set, entries);
        if outcome.is_err() {
            self.halted = true;
            self.env.actions.clear();
        }
        outcome.map(|()| self.take_actions())
    }

    fn replay(
        &mut self,
        height: u64,
        set: ValidatorSet,
        entries: &[WalEntry],
    ) -> Result<(), EngineError> {
        if let Some(ahead) = entries.iter().find(|entry| entry.height > height) {
            return Err(EngineError::WalAhead { height, found: ahead.height });
        }
        self.begin(height, set)?;
        if self.env.logging == Logging::Off {
            return Ok(());
        }
        let mut inputs = Vec::with_capacity(entries.len());
        let current = entries.iter().enumerate().filter(|(_, entry)| entry.height == height);
        for (index, entry) in current {
            let input =
                decode_record(entry).map_err(|source| EngineError::WalRecord { index, source })?;
            self.admit(index, &input)?;
            inputs.push(input);
        }
        if inputs.is_empty() {
            return Ok(());
        }
        // What was read may have survived in a cache only: flush before repeating any of it.
        self.env.dirty = true;
        self.env.logging = Logging::Replay;
        self.state.index_wal_entries(&inputs);
        for input in inputs {
            self.drive(input)?;
        }
        self.state.reset_entries_index();
        self.env.logging = Logging::On;
        self.env.fresh.clear();
        self.ask_for_block_last();
        Ok(())
    }

    /// Checks the signatures of a logged input and notes what the own key signed.
    fn admit(&mut self, index: usize, input: &Input<Ctx>) -> Result<(), EngineError> {
        let set = Validators::from(&self.env.set);
        let holds = match input {
            Input::Vote(vote) => self.admit_vote(&set, vote)?,
            Input::Proposal(proposal) => {
                self.admit_proposal(&set, &proposal.message, proposal.signature)?
            }
            Input::PolkaCertificate(certificate) => {
                let votes: Vec<_> = certificate.votes(&Ctx).collect();
                let quorum = ThresholdParams::default().quorum;
                self.env.verifier.check_votes(&votes, &set, quorum).is_ok()
            }
            _ => true,
        };
        if holds { Ok(()) } else { Err(EngineError::WalSignature { index }) }
    }

    fn admit_vote(
        &mut self,
        set: &Validators,
        signed: &SignedVote<Ctx>,
    ) -> Result<bool, EngineError> {
        let vote: &Vote = &signed.message;
        let message = vote_bytes(self.env.verifier.channel_id(), vote);
        let (Some(member), Some(message)) = (set.get_by_address(&vote.address), message) else {
            return Ok(false);
        };
        let own = self.env.is_own(&vote.address);
        let (kind, round) = (kind_of(vote.kind), vote.round);
        self.admit_statement(member, kind, vote.height.0, round, &message, signed.signature, own)
    }

    fn admit_proposal(
        &mut self,
        set: &Validators,
        proposal: &Proposal,
        signature: Sig,
    ) -> Result<bool, EngineError> {
        let message = proposal_bytes(self.env.verifier.channel_id(), proposal);
        let (Some(member), Some(message)) = (set.get_by_address(&proposal.address), message) else {
            return Ok(false);
        };
        let own = self.env.is_own(&proposal.address);
        let (kind, round) = (MessageKind::Proposal, proposal.round);
        self.admit_statement(member, kind, proposal.height.0, round, &message, signature, own)
    }

    fn admit_statement(
        &mut self,
        member: &crate::context::Validator,
        kind: MessageKind,
        height: u64,
        round: core_types::Round,
        message: &[u8],
        signature: Sig,
        own: bool,
    ) -> Result<bool, EngineError> {
        use core_types::Validator as _;
        if !self.env.verifier.check(&member.public_key().key, message, &signature) {
            return Ok(false);
        }
        if own {
            let height = crate::context::Height(height);
            let noted = self.env.note_own(kind, height, round.as_u32(), message, signature);
            if let (Err(_), Some(failure)) = (noted, self.env.failure.take()) {
                return Err(failure);
            }
        }
        Ok(true)
    }

    /// Withdraws requests for blocks made during the replay, and asks once more at the end if
    /// the core still waits for the own proposal of the round it has reached.
    fn ask_for_block_last(&mut self) {
        let (height, round) = (self.height(), self.round());
        let wanted = Action::NeedBlock { height, round };
        let waiting = self.state.driver.step_is_propose() && self.env.actions.contains(&wanted);
        self.env.actions.retain(|action| !matches!(action, Action::NeedBlock { .. }));
        if waiting {
            self.env.actions.push(wanted);
        }
    }
}
