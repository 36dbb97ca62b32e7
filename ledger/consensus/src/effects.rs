//! Answers the core's effects: signs, verifies, and turns everything else into actions.

mod certificates;
mod evidence;

use std::collections::BTreeSet;

use core_consensus::{ConsensusMsg, Effect, Error, Input, Resumable, Resume};
use core_types::{SignedMessage, Timeout, VoteType};
use smkit::{Sm3Digest, sm2::SigningKey, sm3};

use crate::{
    Action, CommitCertificate, EngineError, MessageKind, Refusal, TimeoutKind, TimeoutToken,
    Timeouts, ValidatorSet, WalRecord,
    codec::{Message, encode_record},
    context::{Address, Ctx, Height, Key, Proposal, Sig, Vote},
    guard::{Guard, Known},
    sign::{proposal_bytes, vote_bytes},
    verify::Verifier,
};

/// The own key and the address derived from it.
pub(crate) struct Own {
    pub(crate) key: SigningKey,
    pub(crate) address: Address,
}

/// Whether the core's log requests become records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logging {
    /// An observer signs nothing and needs no log.
    Off,
    /// Every request does.
    On,
    /// Only statements signed during the replay do: everything else is in the log already.
    Replay,
}

/// The failure is stored in [`Env::failure`]; the core only has to stop.
#[derive(Debug)]
pub(crate) struct Stopped;

type Answer = Result<Resume<Ctx>, Stopped>;

/// Everything around the core.
pub(crate) struct Env {
    pub(crate) own: Option<Own>,
    pub(crate) verifier: Verifier,
    pub(crate) guard: Guard,
    pub(crate) set: ValidatorSet,
    pub(crate) timeouts: Timeouts,
    pub(crate) height: Height,
    pub(crate) logging: Logging,
    /// Digests of statements signed during a replay and not logged yet.
    pub(crate) fresh: BTreeSet<Sm3Digest>,
    /// Records were appended since the last flush.
    pub(crate) dirty: bool,
    pub(crate) decided: bool,
    pub(crate) actions: Vec<Action>,
    pub(crate) failure: Option<EngineError>,
}

impl Env {
    /// Performs one effect. Never waits, never does I/O.
    pub(crate) fn handle(&mut self, effect: Effect<Ctx>) -> Answer {
        if self.failure.is_some() {
            return Err(Stopped);
        }
        match effect {
            Effect::CancelAllTimeouts(r) => self.act(Action::CancelAll, r),
            Effect::CancelTimeout(timeout, r) => {
                let token = self.token(timeout)?;
                self.act(Action::Cancel(token), r)
            }
            Effect::ScheduleTimeout(timeout, r) => {
                let token = self.token(timeout)?;
                let duration_ms = self.timeouts.duration_ms(token);
                self.act(Action::Schedule { token, duration_ms }, r)
            }
            Effect::StartRound(height, round, proposer, _, r) => {
                self.flush();
                let round = self.number(round)?;
                let proposer = proposer.0;
                self.act(Action::RoundStarted { height: height.0, round, proposer }, r)
            }
            Effect::PublishConsensusMsg(message, r) => {
                let bytes = self.outgoing(&message.into())?;
                self.act(Action::Broadcast(bytes), r)
            }
            Effect::PublishLivenessMsg(message, r) => self.repeat(&message.into(), r),
            Effect::RepublishVote(vote, r) => self.repeat(&Message::Vote(vote), r),
            Effect::RepublishRoundCertificate(certificate, r) => {
                self.repeat(&Message::Round(certificate), r)
            }
            Effect::GetValue(height, round, _, r) => {
                let round = self.number(round)?;
                self.act(Action::NeedBlock { height: height.0, round }, r)
            }
            Effect::RestreamProposal(height, round, _, _, block, r) => {
                let round = self.number(round)?;
                self.act(Action::Restream { height: height.0, round, block: block.0 }, r)
            }
            Effect::CertVerifiedSyncValue(response, proposer, r) => {
                let round = self.number(response.certificate.round)?;
                let certified = Action::Certified {
                    height: response.certificate.height.0,
                    round,
                    proposer: proposer.0,
                    block: response.certificate.value_id.0,
                };
                self.act(certified, r)
            }
            Effect::CertRejectedSyncValue(_, height, error, r) => {
                let reason = match error {
                    Error::InvalidCommitCertificate(_, fault) => fault.to_string(),
                    // Anything else is a fault of this node, not of the peer.
                    other => return self.fail(EngineError::from(other)),
                };
                self.act(Action::Refused(Refusal::Certificate { height: height.0, reason }), r)
            }
            Effect::Decide(certificate, _, r) => {
                self.flush();
                let certificate = match CommitCertificate::from_core(certificate, &self.set) {
                    Ok(certificate) => certificate,
                    Err(error) => return self.fail(EngineError::Encoding(error)),
                };
                self.act(Action::Decided(certificate), r)
            }
            Effect::Finalize(certificate, _, evidence, r) => {
                self.decided = true;
                let misbehaviour = self.misbehaviour(evidence)?;
                self.act(Action::Finalized { height: certificate.height.0, misbehaviour }, r)
            }
            Effect::SignVote(vote, r) => {
                let signature = self.sign_vote(&vote)?;
                Ok(r.resume_with(SignedMessage::new(vote, signature)))
            }
            Effect::SignProposal(proposal, r) => {
                let signature = self.sign_proposal(&proposal)?;
                Ok(r.resume_with(SignedMessage::new(proposal, signature)))
            }
            Effect::VerifySignature(message, key, r) => {
                let valid = self.verify(&message, &key)?;
                Ok(r.resume_with(valid))
            }
            Effect::VerifyCommitCertificate(certificate, set, thresholds, r) => {
                let verdict = self.commit(&certificate, &set, thresholds)?;
                Ok(r.resume_with(verdict))
            }
            Effect::VerifyExtendedCommitCertificate(certificate, set, thresholds, _, r) => {
                let verdict = self.commit(&certificate.trim_vote_extensions(), &set, thresholds)?;
                Ok(r.resume_with(verdict))
            }
            Effect::VerifyPolkaCertificate(certificate, set, thresholds, r) => {
                let verdict = self.polka(&certificate, &set, thresholds)?;
                Ok(r.resume_with(verdict))
            }
            Effect::VerifyRoundCertificate(certificate, set, thresholds, r) => {
                let verdict = self.round(&certificate, &set, thresholds)?;
                Ok(r.resume_with(verdict))
            }
            Effect::WalAppend(height, input, r) => {
                self.log(height, input)?;
                Ok(r.resume_with(()))
            }
            Effect::ExtendVote(_, _, _, _, r) => Ok(r.resume_with(None)),
            Effect::VerifyVoteExtension(_, _, _, _, _, _, r) => Ok(r.resume_with(Ok(()))),
        }
    }

    /// Notes an own statement that was seen validly signed, whether or not this process signed
    /// it. A second, different one proves that the key is in use twice.
    pub(crate) fn note_own(
        &mut self,
        kind: MessageKind,
        height: Height,
        round: Option<u32>,
        message: &[u8],
        signature: Sig,
    ) -> Result<(), Stopped> {
        let (Some(own), Some(round)) = (&self.own, round) else { return Ok(()) };
        let validator = own.address.0;
        if height != self.height {
            return Ok(());
        }
        match self.guard.record(height.0, round, kind, sm3(message), signature) {
            Known::Nothing | Known::Same(_) => Ok(()),
            Known::Conflict => {
                let height = height.0;
                self.fail(EngineError::KeyUsedTwice { validator, kind, height, round })
            }
        }
    }

    /// Adds a flush if records were appended since the last one.
    pub(crate) fn flush(&mut self) {
        if std::mem::take(&mut self.dirty) {
            self.actions.push(Action::Flush);
        }
    }

    fn sign_vote(&mut self, vote: &Vote) -> Result<Sig, Stopped> {
        let bytes = vote_bytes(self.verifier.channel_id(), vote);
        self.sign(kind_of(vote.kind), vote.height, vote.round.as_u32(), bytes)
    }

    fn sign_proposal(&mut self, proposal: &Proposal) -> Result<Sig, Stopped> {
        let bytes = proposal_bytes(self.verifier.channel_id(), proposal);
        self.sign(MessageKind::Proposal, proposal.height, proposal.round.as_u32(), bytes)
    }

    fn sign(
        &mut self,
        kind: MessageKind,
        height: Height,
        round: Option<u32>,
        message: Option<Vec<u8>>,
    ) -> Result<Sig, Stopped> {
        let (Some(round), Some(message)) = (round, message) else {
            return self.fail(EngineError::Encoding(crate::CodecError::NilRound));
        };
        let Some(own) = &self.own else { return self.fail(EngineError::NoKey) };
        let digest = sm3(&message);
        let signature = match self.guard.known(height.0, round, kind, &digest) {
            Known::Same(signature) => signature,
            Known::Conflict => {
                return self.fail(EngineError::DoubleSign { kind, height: height.0, round });
            }
            Known::Nothing => {
                let signature = Sig(own.key.sign(&message));
                self.verifier.remember_own(own.key.verifying_key(), &message, &signature);
                self.guard.record(height.0, round, kind, digest, signature);
                signature
            }
        };
        if self.logging == Logging::Replay {
            self.fresh.insert(digest);
        }
        Ok(signature)
    }

    fn verify(
        &mut self,
        signed: &SignedMessage<Ctx, ConsensusMsg<Ctx>>,
        key: &Key,
    ) -> Result<bool, Stopped> {
        let channel_id = self.verifier.channel_id();
        let (kind, height, round, bytes) = match &signed.message {
            ConsensusMsg::Vote(vote) => {
                (kind_of(vote.kind), vote.height, vote.round, vote_bytes(channel_id, vote))
            }
            ConsensusMsg::Proposal(proposal) => (
                MessageKind::Proposal,
                proposal.height,
                proposal.round,
                proposal_bytes(channel_id, proposal),
            ),
        };
        let valid = bytes
            .as_ref()
            .is_some_and(|message| self.verifier.check(&key.key, message, &signed.signature));
        if let (true, ConsensusMsg::Proposal(proposal)) = (valid, &signed.message) {
            self.proposed(proposal);
        }
        if !valid {
            let refusal = Refusal::Signature { validator: key.address.0, height: height.0 };
            self.actions.push(Action::Refused(refusal));
        } else if let (true, Some(message)) = (self.is_own(&key.address), bytes) {
            self.note_own(kind, height, round.as_u32(), &message, signed.signature)?;
        }
        Ok(valid)
    }

    /// Tells the caller of a proposal that its round's proposer signed.
    fn proposed(&mut self, proposal: &Proposal) {
        let (height, Some(round)) = (proposal.height, proposal.round.as_u32()) else { return };
        let its_turn = self.set.proposer(height.0, round).address == proposal.address.0;
        if height == self.height && its_turn {
            self.actions.push(Action::Proposed {
                height: height.0,
                round,
                pol_round: proposal.pol_round.as_u32(),
                proposer: proposal.address.0,
                block: proposal.value.0,
            });
        }
    }

    fn log(&mut self, height: Height, input: Input<Ctx>) -> Result<(), Stopped> {
        let wanted = match self.logging {
            Logging::Off => false,
            Logging::On => true,
            Logging::Replay => self.take_fresh(&input),
        };
        if !wanted {
            return Ok(());
        }
        match encode_record(height, input) {
            Ok(record) => self.append(record),
            Err(error) => self.fail(EngineError::Encoding(error))?,
        }
        Ok(())
    }

    fn append(&mut self, record: WalRecord) {
        self.actions.push(Action::Wal(record));
        self.dirty = true;
    }

    /// Whether `input` is a statement signed during this replay; true once for each.
    fn take_fresh(&mut self, input: &Input<Ctx>) -> bool {
        let channel_id = self.verifier.channel_id();
        let message = match input {
            Input::Vote(vote) if self.is_own(&vote.message.address) => {
                vote_bytes(channel_id, &vote.message)
            }
            Input::Proposal(proposal) if self.is_own(&proposal.message.address) => {
                proposal_bytes(channel_id, &proposal.message)
            }
            _ => None,
        };
        message.is_some_and(|message| self.fresh.remove(&sm3(&message)))
    }

    fn repeat(&mut self, message: &Message, r: impl Resumable<Ctx, Value = ()>) -> Answer {
        let bytes = self.outgoing(message)?;
        self.act(Action::BroadcastBestEffort(bytes), r)
    }

    /// Encodes a message that is about to leave, after making durable what it may contain:
    /// certificates carry own votes too.
    fn outgoing(&mut self, message: &Message) -> Result<Vec<u8>, Stopped> {
        self.flush();
        self.encoded(message)
    }

    fn encoded(&mut self, message: &Message) -> Result<Vec<u8>, Stopped> {
        match message.encode() {
            Ok(bytes) => Ok(bytes),
            Err(error) => self.fail(EngineError::Encoding(error)),
        }
    }

    fn act(&mut self, action: Action, r: impl Resumable<Ctx, Value = ()>) -> Answer {
        self.actions.push(action);
        Ok(r.resume_with(()))
    }

    fn token(&mut self, timeout: Timeout) -> Result<TimeoutToken, Stopped> {
        let kind = match timeout.kind {
            core_types::TimeoutKind::Propose => TimeoutKind::Propose,
            core_types::TimeoutKind::Prevote => TimeoutKind::Prevote,
            core_types::TimeoutKind::Precommit => TimeoutKind::Precommit,
            core_types::TimeoutKind::Rebroadcast => TimeoutKind::Rebroadcast,
            core_types::TimeoutKind::FinalizeHeight(_) => {
                let reason = "a finalization timer without a target time".to_owned();
                return self.fail(EngineError::Core { reason });
            }
        };
        Ok(TimeoutToken { height: self.height.0, round: self.number(timeout.round)?, kind })
    }

    fn number(&mut self, round: core_types::Round) -> Result<u32, Stopped> {
        match round.as_u32() {
            Some(round) => Ok(round),
            None => self.fail(EngineError::Encoding(crate::CodecError::NilRound)),
        }
    }

    fn fail<T>(&mut self, error: EngineError) -> Result<T, Stopped> {
        self.failure.get_or_insert(error);
        Err(Stopped)
    }

    pub(crate) fn is_own(&self, address: &Address) -> bool {
        self.own.as_ref().is_some_and(|own| own.address == *address)
    }
}

impl From<Error<Ctx>> for EngineError {
    fn from(error: Error<Ctx>) -> Self {
        use core_consensus::RecordKind;
        match error {
            Error::ReplayDivergence(kind, height, round) => Self::Diverged {
                kind: match kind {
                    RecordKind::Prevote => MessageKind::Prevote,
                    RecordKind::Precommit => MessageKind::Precommit,
                    RecordKind::Proposal => MessageKind::Proposal,
                },
                height: height.0,
                round: round.as_u32().unwrap_or(0),
            },
            other => Self::Core { reason: other.to_string() },
        }
    }
}

pub(crate) fn kind_of(kind: VoteType) -> MessageKind {
    match kind {
        VoteType::Prevote => MessageKind::Prevote,
        VoteType::Precommit => MessageKind::Precommit,
    }
}
