//! The engine: one step function around Malachite's core.

mod replay;

use std::{collections::BTreeSet, fmt};

use changbai_wire::ValidatorAddress;
use core_consensus::{
    Input, LocallyProposedValue, Params, PeerId, ProposedValue, State, ValuePayload,
};
use core_types::{
    ExtendedCommitCertificate, Round, Timeout, Validity, ValueOrigin, ValueResponse,
    VoteExtensionPolicy, VoteExtensions,
};
use malachite_metrics::Metrics;
use smkit::{Sm3Digest, sm2::SigningKey};

use crate::{
    Action, CommitCertificate, EngineError, Event, Origin, Refusal, SignatureStats, TimeoutKind,
    TimeoutToken, Timeouts, ValidatorSet,
    codec::Message,
    context::{Address, BlockId, Ctx, Height, Validators},
    effects::{Env, Logging, Own},
    guard::Guard,
    limits::{QUEUED_HEIGHTS_MAX, QUEUED_PER_HEIGHT_MAX},
    sign::{proposal_bytes, vote_bytes},
    verify::Verifier,
};

/// Rounds ahead of the current one in which a body from a proposer is still taken; the core's
/// own bound for votes and proposals.
const ROUND_LOOKAHEAD: u32 = core_consensus::MAX_FUTURE_ROUND_LOOKAHEAD;

/// An identity multihash of one byte: the core insists on naming a peer for synced values.
const SYNC_PEER: &[u8] = &[0, 1, 0];

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peek {
    /// Its height.
    pub height: u64,
    /// Whether it is a vote or proposal; else a certificate.
    pub statement: bool,
}

/// Consensus of one channel on one node.
///
/// Life: [`Engine::new`], then [`Engine::recover`] or [`Engine::start`], then any number of
/// [`Engine::step`], and after each [`Action::Finalized`] again [`Engine::start`]. Not `Sync` by
/// intent: one thread owns it. An error, or a panic inside, halts it for good.
pub struct Engine {
    state: State<Ctx>,
    metrics: Metrics,
    env: Env,
    started: bool,
    halted: bool,
}

impl Engine {
    /// An engine that has not started. Without `own` it observes: it follows and decides, but
    /// never signs. With `own` it signs at heights whose set contains the key.
    ///
    /// `height` and `set` may be replaced by those of [`Engine::start`] or [`Engine::recover`].
    #[must_use]
    pub fn new(channel_id: &str, own: Option<SigningKey>, height: u64, set: ValidatorSet) -> Self {
        let own = own.map(|key| Own {
            address: Address(ValidatorAddress::for_key(key.verifying_key().public_key())),
            key,
        });
        let params = Params {
            // An observer is nobody: `enabled` keeps it from acting whatever its address.
            address: own
                .as_ref()
                .map_or(Address(ValidatorAddress::new(Sm3Digest::new([0; 32]))), |own| own.address),
            threshold_params: thresholds(),
            value_payload: ValuePayload::ProposalAndParts,
            enabled: own.is_some(),
        };
        let height = Height(height);
        let state = State::new(
            Ctx,
            height,
            Validators::from(&set),
            params,
            QUEUED_HEIGHTS_MAX,
            QUEUED_PER_HEIGHT_MAX,
        );
        let env = Env {
            own,
            verifier: Verifier::new(channel_id),
            guard: Guard::default(),
            set,
            timeouts: Timeouts::default(),
            height,
            logging: Logging::Off,
            fresh: BTreeSet::new(),
            dirty: false,
            decided: false,
            actions: Vec::new(),
            failure: None,
        };
        Self { state, metrics: Metrics::new(), env, started: false, halted: false }
    }

    /// The same engine with other durations.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.env.timeouts = timeouts;
        self
    }

    /// Starts a height whose predecessor is durable, without anything logged for it.
    ///
    /// Call it only after the action list that held [`Action::Finalized`] is performed to its
    /// end, or to jump ahead after blocks were appended under their certificates.
    ///
    /// # Errors
    /// A height that is not above the last one started, or any halt.
    pub fn start(&mut self, height: u64, set: ValidatorSet) -> Result<Vec<Action>, EngineError> {
        self.begin(height, set)?;
        Ok(self.take_actions())
    }

    /// Takes one event; returns what to do, in order.
    ///
    /// Before the first start, and between a decision and the next start, events of the current
    /// height are dropped, except that the last votes are still repeated for those who are late.
    ///
    /// # Errors
    /// Any [`EngineError`] means: halt. What a peer sends never causes one, unless it proves that
    /// the own key is in use twice.
    pub fn step(&mut self, event: Event) -> Result<Vec<Action>, EngineError> {
        if self.halted {
            return Err(EngineError::Halted);
        }
        if !self.started {
            return Ok(Vec::new());
        }
        let input = match event {
            Event::Message(bytes) => match Message::decode(&bytes) {
                Ok(message) if self.is_over(message.height().0) => None,
                Ok(message) => Some(message.into_input()),
                Err(error) => return Ok(vec![Action::Refused(Refusal::Malformed(error))]),
            },
            Event::Timeout(token) => self.timeout_input(token),
            Event::Built { height, round, block } => (height == self.height() && !self.env.decided)
                .then(|| {
                    let (height, round) = (Height(height), Round::new(round));
                    Input::Propose(LocallyProposedValue::new(height, round, BlockId(block)))
                }),
            Event::Validated { height, round, proposer, block, valid, origin } => {
                self.value_input(height, round, proposer, block, valid, origin)
            }
            Event::Synced { certificate } => self.sync_input(certificate)?,
        };
        if let Some(input) = input {
            self.drive(input)?;
        }
        Ok(self.take_actions())
    }

    /// What a peer's message is about; `None` for bytes that are none. Nothing is verified.
    #[must_use]
    pub fn peek(bytes: &[u8]) -> Option<Peek> {
        let message = Message::decode(bytes).ok()?;
        let statement = matches!(message, Message::Vote(_) | Message::Proposal(_));
        Some(Peek { height: message.height().0, statement })
    }

    /// The round of a proposal; `None` for any other bytes. Nothing is verified.
    #[must_use]
    pub fn proposal_round(bytes: &[u8]) -> Option<u32> {
        match Message::decode(bytes).ok()? {
            Message::Proposal(proposal) => proposal.message.round.as_u32(),
            Message::Vote(_) | Message::Polka(_) | Message::Round(_) => None,
        }
    }

    /// Whether `bytes` are a vote or proposal of `height` that a member of `set` signed: reason
    /// enough to start that height. A valid signature is remembered.
    pub fn is_authentic(&mut self, bytes: &[u8], height: u64, set: &ValidatorSet) -> bool {
        let Ok(message) = Message::decode(bytes) else { return false };
        let channel_id = self.env.verifier.channel_id();
        let (place, address, signature, statement) = match &message {
            Message::Vote(vote) => {
                let statement = vote_bytes(channel_id, &vote.message);
                (vote.message.height, vote.message.address, vote.signature, statement)
            }
            Message::Proposal(proposal) => {
                let statement = proposal_bytes(channel_id, &proposal.message);
                (proposal.message.height, proposal.message.address, proposal.signature, statement)
            }
            Message::Polka(_) | Message::Round(_) => return false,
        };
        let (Some(member), Some(statement)) = (set.member(&address.0), statement) else {
            return false;
        };
        place.0 == height && self.env.verifier.check(&member.key, &statement, &signature)
    }

    /// The block that a quorum is known to have prevoted at the current height: it may be decided
    /// or proposed again, so its body must be kept.
    #[must_use]
    pub fn valid_block(&self) -> Option<Sm3Digest> {
        self.state.driver.valid_value().map(|valid| valid.value.0)
    }

    /// The height being decided, or just decided.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.state.height().0
    }

    /// The round within the height; 0 before the start.
    #[must_use]
    pub fn round(&self) -> u32 {
        self.state.round().as_u32().unwrap_or(0)
    }

    /// Whether the current height is decided and waits for the next start.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.env.decided
    }

    /// Whether this node votes at the current height.
    #[must_use]
    pub fn is_validator(&self) -> bool {
        self.env.own.as_ref().is_some_and(|own| self.env.set.position(&own.address.0).is_some())
    }

    /// Whether an error has halted the engine.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.halted
    }

    /// What signing and verifying cost so far.
    #[must_use]
    pub fn signature_stats(&self) -> SignatureStats {
        self.env.verifier.stats
    }

    /// Moves to a height and lets the core start it.
    fn begin(&mut self, height: u64, set: ValidatorSet) -> Result<(), EngineError> {
        if self.halted {
            return Err(EngineError::Halted);
        }
        if self.started && height <= self.height() {
            return Err(EngineError::Height { current: self.height(), asked: height });
        }
        if self.env.set != set {
            // A signature is remembered for a key, not for a set; forgetting is merely prudent.
            self.env.verifier.forget();
            self.env.set = set;
        }
        self.started = true;
        self.env.height = Height(height);
        self.env.guard.start(height);
        self.env.decided = false;
        self.env.logging = if self.is_validator() { Logging::On } else { Logging::Off };
        let validators = Validators::from(&self.env.set);
        // No target time: blocks are paced by the caller, and the core reads no clock.
        self.drive(Input::StartHeight(
            Height(height),
            validators,
            false,
            None,
            VoteExtensionPolicy::Disabled,
        ))
    }

    /// Lets the core process one input; its actions gather in the environment.
    fn drive(&mut self, input: Input<Ctx>) -> Result<(), EngineError> {
        // Set until the input is through, so that a panic inside leaves the engine halted.
        self.halted = true;
        let Self { state, metrics, env, .. } = self;
        let outcome: Result<(), core_consensus::Error<Ctx>> = core_consensus::process!(
            input: input, state: state, metrics: &*metrics, with: effect => env.handle(effect)
        );
        if let Some(failure) = env.failure.take() {
            env.actions.clear();
            return Err(failure);
        }
        if let Err(error) = outcome {
            env.actions.clear();
            return Err(error.into());
        }
        self.halted = false;
        Ok(())
    }

    fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.env.actions)
    }

    /// Whether nothing of this height matters any more.
    fn is_over(&self, height: u64) -> bool {
        height < self.height() || (height == self.height() && self.env.decided)
    }

    fn timeout_input(&self, token: TimeoutToken) -> Option<Input<Ctx>> {
        let round = Round::new(token.round);
        let timeout = match token.kind {
            TimeoutKind::Propose => Timeout::propose(round),
            TimeoutKind::Prevote => Timeout::prevote(round),
            TimeoutKind::Precommit => Timeout::precommit(round),
            TimeoutKind::Rebroadcast => Timeout::rebroadcast(round),
        };
        let wanted = !self.env.decided || token.kind == TimeoutKind::Rebroadcast;
        (token.height == self.height() && wanted).then_some(Input::TimeoutElapsed(timeout))
    }

    fn value_input(
        &self,
        height: u64,
        round: u32,
        proposer: ValidatorAddress,
        block: Sm3Digest,
        valid: bool,
        origin: Origin,
    ) -> Option<Input<Ctx>> {
        let latest = self.round().saturating_add(ROUND_LOOKAHEAD);
        if self.is_over(height) || (origin == Origin::Consensus && round > latest) {
            return None;
        }
        let value = ProposedValue {
            height: Height(height),
            round: Round::new(round),
            valid_round: Round::Nil,
            proposer: Address(proposer),
            value: BlockId(block),
            validity: Validity::from_bool(valid),
        };
        let origin = match origin {
            Origin::Consensus => ValueOrigin::Consensus,
            Origin::Sync => ValueOrigin::Sync,
        };
        Some(Input::ProposedValue(value, origin))
    }

    fn sync_input(
        &mut self,
        certificate: CommitCertificate,
    ) -> Result<Option<Input<Ctx>>, EngineError> {
        if certificate.height != self.height() || self.env.decided {
            return Ok(None);
        }
        let peer = PeerId::from_bytes(SYNC_PEER).map_err(|error| {
            self.halted = true;
            EngineError::Core { reason: error.to_string() }
        })?;
        let certificate = ExtendedCommitCertificate::from_commit_certificate_and_extensions(
            certificate.into_core(),
            VoteExtensions::default(),
        );
        let response = ValueResponse::new(peer, Default::default(), certificate);
        Ok(Some(Input::SyncValueResponse(response)))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("channel_id", &self.env.verifier.channel_id())
            .field("height", &self.height())
            .field("round", &self.round())
            .field("started", &self.started)
            .field("decided", &self.env.decided)
            .field("halted", &self.halted)
            .finish_non_exhaustive()
    }
}

#[cfg(not(feature = "mutations"))]
fn thresholds() -> core_types::ThresholdParams {
    core_types::ThresholdParams::default()
}

#[cfg(feature = "mutations")]
fn thresholds() -> core_types::ThresholdParams {
    let mut thresholds = core_types::ThresholdParams::default();
    if crate::mutation::is(crate::mutation::Mutation::QuorumOffByOne) {
        // Two of four, four of seven.
        thresholds.quorum = core_types::ThresholdParam::new(49, 100);
    }
    thresholds
}
