//! Collecting endorsements: whom to ask next, and when there are enough.
//!
//! Without I/O and time. It lives in this crate and not with the policies, since it compares results
//! of simulations: whether an endorser disagrees or is merely at another height follows from what
//! it has read.

use std::sync::Arc;

use changbai_msp::{Identity, Missing};
use changbai_wire::proto::kvrwset::range_query_info::ReadsInfo;
use changbai_wire::{EndorsedResponse, TxReadWriteSet};

use super::{AskError, EndorserFault, FaultReason, opened, verified};
use crate::endorser::STATUS_CONTRACT_REFUSED;
use crate::epoch::Epoch;
use crate::limits::ENDORSEMENT_RETRIES;
use crate::outcome::InvokeError;

/// The endorsements of one proposal, as they come in.
pub(super) struct Collector {
    epoch: Arc<Epoch>,
    /// This node's result: what the others are measured by.
    own: EndorsedResponse,
    candidates: Vec<Candidate>,
    /// Somebody read newer versions than this node.
    behind: bool,
    retries_left: u32,
}

struct Candidate {
    identity: Arc<Identity>,
    state: State,
}

enum State {
    Idle,
    Asked,
    /// Answered; signature and result have not been looked at.
    Answered(EndorsedResponse),
    Agrees(EndorsedResponse),
    /// At another height, it may agree later.
    Differs(FaultReason),
    Failed(FaultReason),
}

/// What the owner of a [`Collector`] does next.
pub(super) enum Next {
    /// Ask these candidates, and hand what they say to [`Collector::answer`].
    Ask(Vec<usize>),
    /// Wait for an answer.
    Wait,
    /// Let a little time pass, simulate anew and hand the result to [`Collector::retry`].
    Retry,
    /// These are enough, in this order.
    Enough(Vec<EndorsedResponse>),
    /// It cannot be done.
    Impossible(InvokeError),
}

impl Collector {
    /// `own_identity` is `None` where this node is no endorser; its result still is the measure.
    /// `others` come in order of preference.
    pub(super) fn new(
        epoch: Arc<Epoch>,
        own_identity: Option<Arc<Identity>>,
        own: EndorsedResponse,
        others: Vec<Arc<Identity>>,
    ) -> Self {
        let state = State::Agrees(own.clone());
        let own_candidate = own_identity.map(|identity| Candidate { identity, state });
        let others = others.into_iter().map(|identity| Candidate { identity, state: State::Idle });
        let candidates = own_candidate.into_iter().chain(others).collect();
        Self { epoch, own, candidates, behind: false, retries_left: ENDORSEMENT_RETRIES }
    }

    /// What a candidate that was asked says, or that it says nothing.
    pub(super) fn answer(&mut self, at: usize, answer: Result<&[u8], AskError>) {
        let Some(candidate) = self.candidates.get_mut(at) else { return };
        if !matches!(candidate.state, State::Asked) {
            return;
        }
        let endorsed = answer.map_err(FaultReason::from).and_then(opened);
        candidate.state = match endorsed {
            Ok(response) if response.endorser == candidate.identity.as_bytes() => {
                State::Answered(response)
            }
            Ok(_) => State::Failed(FaultReason::Identity),
            // This node's simulation of the call went well: one of the two is behind.
            Err(reason @ FaultReason::Refused { status: STATUS_CONTRACT_REFUSED, .. }) => {
                self.behind = true;
                State::Differs(reason)
            }
            Err(reason) => State::Failed(reason),
        };
    }

    /// The same proposal simulated by this node once more; whoever differs is asked again.
    pub(super) fn retry(&mut self, own: EndorsedResponse) {
        self.retries_left = self.retries_left.saturating_sub(1);
        self.behind = false;
        for candidate in &mut self.candidates {
            let old = std::mem::replace(&mut candidate.state, State::Idle);
            candidate.state = match old {
                State::Agrees(response) if response.endorser == own.endorser => {
                    State::Agrees(own.clone())
                }
                State::Agrees(response) if response.payload == own.payload => {
                    State::Agrees(response)
                }
                State::Agrees(_) | State::Differs(_) => State::Idle,
                other => other,
            };
        }
        self.own = own;
    }

    /// What to do now.
    pub(super) fn next(&mut self) -> Next {
        loop {
            let usable = self.usable();
            let identities: Vec<_> = usable
                .iter()
                .filter_map(|at| self.candidates.get(*at))
                .map(|candidate| Arc::clone(&candidate.identity))
                .collect();
            let chosen: Vec<usize> = match self.epoch.endorsement.choose(&identities) {
                Ok(places) => places.iter().filter_map(|at| usable.get(*at).copied()).collect(),
                Err(missing) => return self.without(missing),
            };
            if self.behind && self.retries_left > 0 {
                return Next::Retry;
            }
            let ask = self.ask(&chosen);
            if !ask.is_empty() {
                return Next::Ask(ask);
            }
            if chosen.iter().any(|at| self.is(*at, |state| matches!(state, State::Asked))) {
                return Next::Wait;
            }
            // Judging may take some out of the set; then another one is chosen.
            if !self.judge() {
                return Next::Enough(self.responses(&chosen));
            }
        }
    }

    /// What to report when nobody is being asked any more, though somebody should be.
    pub(super) fn abandoned(&self) -> InvokeError {
        let missing = Missing { organisations: Vec::new() };
        InvokeError::NotEndorsed { missing, faults: self.faults() }
    }

    /// Whoever may still contribute: those that have answered first, then in order of preference.
    fn usable(&self) -> Vec<usize> {
        let places = |wanted: fn(&State) -> bool| {
            let candidates = self.candidates.iter().enumerate();
            candidates.filter(move |(_, c)| wanted(&c.state)).map(|(at, _)| at)
        };
        places(|state| matches!(state, State::Agrees(_) | State::Answered(_)))
            .chain(places(|state| matches!(state, State::Asked)))
            .chain(places(|state| matches!(state, State::Idle)))
            .collect()
    }

    fn without(&self, missing: Missing) -> Next {
        let differs = |c: &Candidate| matches!(c.state, State::Differs(_));
        if self.retries_left > 0 && self.candidates.iter().any(differs) {
            return Next::Retry;
        }
        let other_result = |c: &Candidate| {
            differs(c) || matches!(c.state, State::Failed(FaultReason::OtherResult))
        };
        let faults = self.faults();
        Next::Impossible(if self.candidates.iter().any(other_result) {
            InvokeError::Diverged { faults }
        } else {
            InvokeError::NotEndorsed { missing, faults }
        })
    }

    fn faults(&self) -> Vec<EndorserFault> {
        let fault = |candidate: &Candidate| match &candidate.state {
            State::Differs(reason) | State::Failed(reason) => {
                Some(EndorserFault::of(&candidate.identity, reason.clone()))
            }
            _ => None,
        };
        self.candidates.iter().filter_map(fault).collect()
    }

    fn is(&self, at: usize, state: fn(&State) -> bool) -> bool {
        self.candidates.get(at).is_some_and(|candidate| state(&candidate.state))
    }

    fn ask(&mut self, chosen: &[usize]) -> Vec<usize> {
        let mut asked = Vec::new();
        for at in chosen {
            if let Some(candidate) = self.candidates.get_mut(*at)
                && matches!(candidate.state, State::Idle)
            {
                candidate.state = State::Asked;
                asked.push(*at);
            }
        }
        asked
    }

    /// Looks at all answers together; whether there was one.
    fn judge(&mut self) -> bool {
        let answered: Vec<_> = self
            .candidates
            .iter()
            .filter_map(|candidate| match &candidate.state {
                State::Answered(response) => Some((candidate.identity.as_ref(), response)),
                _ => None,
            })
            .collect();
        let mut verdicts = verified(answered.into_iter()).into_iter();
        let mut any = false;
        for candidate in &mut self.candidates {
            if !matches!(candidate.state, State::Answered(_)) {
                continue;
            }
            any = true;
            let old = std::mem::replace(&mut candidate.state, State::Idle);
            let State::Answered(response) = old else { continue };
            let holds = verdicts.next().unwrap_or(false);
            candidate.state = if !holds {
                State::Failed(FaultReason::Signature)
            } else if response.payload == self.own.payload {
                State::Agrees(response)
            } else {
                match compare(&self.own, &response) {
                    Height::Same => State::Failed(FaultReason::OtherResult),
                    Height::Older => State::Differs(FaultReason::OtherResult),
                    Height::Newer => {
                        self.behind = true;
                        State::Differs(FaultReason::OtherResult)
                    }
                }
            };
        }
        any
    }

    fn responses(&self, chosen: &[usize]) -> Vec<EndorsedResponse> {
        let response = |at: &usize| match &self.candidates.get(*at)?.state {
            State::Agrees(response) => Some(response.clone()),
            _ => None,
        };
        chosen.iter().filter_map(response).collect()
    }
}

/// At what height somebody simulated, compared with this node.
enum Height {
    /// Everything read was the same, so the results should be.
    Same,
    Older,
    Newer,
}

fn compare(own: &EndorsedResponse, other: &EndorsedResponse) -> Height {
    let (Ok(own), Ok(other)) = (own.read_write_set(), other.read_write_set()) else {
        return Height::Same;
    };
    let reads = |set: &TxReadWriteSet| -> Vec<_> {
        let of = |ns: &changbai_wire::NsReadWriteSet| {
            (ns.namespace.clone(), ns.set.reads.clone(), ns.set.range_queries_info.clone())
        };
        set.namespaces.iter().map(of).collect()
    };
    if reads(&own) == reads(&other) {
        Height::Same
    } else if newest(&other) > newest(&own) {
        Height::Newer
    } else {
        Height::Older
    }
}

/// The newest version among everything read. A key that has been deleted has none: then the older
/// one looks newer, and this node simulates once more in vain.
fn newest(set: &TxReadWriteSet) -> Option<(u64, u64)> {
    let within = |info: &Option<ReadsInfo>| match info {
        Some(ReadsInfo::RawReads(reads)) => reads.kv_reads.clone(),
        _ => Vec::new(),
    };
    let in_ranges = set
        .namespaces
        .iter()
        .flat_map(|ns| &ns.set.range_queries_info)
        .flat_map(|range| within(&range.reads_info));
    let reads = set.namespaces.iter().flat_map(|ns| ns.set.reads.iter().cloned());
    reads.chain(in_ranges).filter_map(|read| read.version).map(|v| (v.block_num, v.tx_num)).max()
}
