//! The clock with its bound.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use changbai_wire::time::{Clock, TimeReading, UnixMillis};

use crate::chrony::Tracking;
use crate::limits::STEP_NS_MIN;
use crate::raw::{RawClock, RawReading, UnixNanos};
use crate::refusal::Refusal;
use crate::standing::{Policy, Standing, evaluate};

/// The machine's clock, whose readings have a bound exactly while its standing is [`Standing::Synchronised`].
///
/// It learns from answers ([`learn`](Self::learn)) and judges by itself at each reading: how old the last answer is,
/// and whether the wall clock was set since.
pub struct BoundedClock {
    raw: Arc<dyn RawClock>,
    policy: Policy,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The last answer, whatever it said.
    answer: Option<Answer>,
    /// Why the last question had no answer, once one failed.
    failure: Option<Refusal>,
    /// A step of the wall clock that chronyd has not measured yet.
    jump: Option<Jump>,
    /// Where both clocks were last seen to agree.
    seen: Option<RawReading>,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    tracking: Tracking,
    /// When it was asked for: the answer describes a moment at or after this one.
    asked: RawReading,
}

#[derive(Clone, Copy, Debug)]
struct Jump {
    by_ms: i64,
    /// When it was noticed, on the monotonic clock.
    noticed_ns: u64,
    /// The measurement that the first answer since then was based on. That one may be older than the step.
    measured: Option<UnixNanos>,
}

impl BoundedClock {
    /// A clock without a standing: readings get no bound before the first answer.
    #[must_use]
    pub fn new(raw: Arc<dyn RawClock>, policy: Policy) -> Self {
        Self { raw, policy, state: Mutex::default() }
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Both clocks of the machine, now: what a question is to be dated with.
    #[must_use]
    pub fn raw(&self) -> RawReading {
        self.raw.read()
    }

    /// Takes the outcome of a question that was sent at `asked`.
    ///
    /// No answer at all leaves the last one standing until it is too old; anything else replaces it.
    pub fn learn(&self, outcome: Result<Tracking, Refusal>, asked: RawReading) {
        let now = self.raw.read();
        let mut state = self.lock();
        state.notice(now);
        match outcome {
            Ok(tracking) => {
                state.jump = state.jump.and_then(|jump| jump.after(&tracking, asked));
                state.answer = Some(Answer { tracking, asked });
                state.failure = None;
                state.seen = Some(now);
            }
            Err(refusal) => {
                if !matches!(refusal, Refusal::NoReply | Refusal::Unreachable { .. }) {
                    state.answer = None;
                }
                state.failure = Some(refusal);
            }
        }
    }

    /// How the clock stands now.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let now = self.raw.read();
        let mut state = self.lock();
        state.notice(now);
        state.standing(&self.policy, now)
    }

    /// The last answer of chronyd, for people.
    #[must_use]
    pub fn tracking(&self) -> Option<Tracking> {
        self.lock().answer.map(|answer| answer.tracking)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Looks whether the wall clock was set since both were last seen.
    fn notice(&mut self, now: RawReading) {
        let Some(seen) = self.seen else {
            self.seen = Some(now);
            return;
        };
        let gained = gained_ns(seen, now);
        let noise = seen.spread_ns.saturating_add(now.spread_ns);
        if gained.unsigned_abs() < u128::from(STEP_NS_MIN.saturating_add(noise)) {
            return;
        }
        let by_ms = i64::try_from(gained / 1_000_000).unwrap_or(if gained < 0 {
            i64::MIN
        } else {
            i64::MAX
        });
        self.jump = Some(Jump { by_ms, noticed_ns: now.monotonic_ns, measured: None });
        self.seen = Some(now);
    }

    fn standing(&self, policy: &Policy, now: RawReading) -> Standing {
        if let Some(Jump { by_ms, .. }) = self.jump {
            return Standing::Refused(Refusal::Jumped { by_ms });
        }
        let failure = || self.failure.clone().unwrap_or(Refusal::NotAsked);
        let Some(Answer { tracking, asked }) = self.answer else {
            return Standing::Refused(failure());
        };
        let age_ns = now.monotonic_ns.saturating_sub(asked.monotonic_ns);
        if age_ns / 1_000_000 > policy.answer_age_ms_max {
            let refusal = self.failure.clone().unwrap_or(Refusal::NoReply);
            return Standing::Refused(refusal);
        }
        let at_answer = match evaluate(&tracking, policy, now.wall) {
            Standing::Synchronised { bound_us } => bound_us,
            refused @ Standing::Refused(_) => return refused,
        };
        let drift_us = age_ns.saturating_mul(policy.drift_ppm.into()).div_ceil(1_000_000_000);
        let step_ns = self.seen.map_or(0, |seen| gained_ns(seen, now).unsigned_abs());
        let step_us = step_ns.div_ceil(1_000);
        let sum = u128::from(at_answer).saturating_add(drift_us.into()).saturating_add(step_us);
        let (bound_us, bound_us_max) =
            (u32::try_from(sum).unwrap_or(u32::MAX), policy.bound_us_max);
        if bound_us > bound_us_max {
            return Standing::Refused(Refusal::Bound { bound_us, bound_us_max });
        }
        Standing::Synchronised { bound_us }
    }
}

impl Jump {
    /// What is left of it after an answer. Two measurements must differ: of the first, nobody knows whether chronyd
    /// took it before the step or after.
    fn after(self, tracking: &Tracking, asked: RawReading) -> Option<Self> {
        let measured = tracking.reference_time;
        match self.measured {
            _ if asked.monotonic_ns < self.noticed_ns => Some(self),
            None => Some(Self { measured: Some(measured), ..self }),
            Some(first) if first == measured => Some(self),
            Some(_) => None,
        }
    }
}

impl Clock for BoundedClock {
    fn now(&self) -> TimeReading {
        let now = self.raw.read();
        let mut state = self.lock();
        state.notice(now);
        let bound_us = state.standing(&self.policy, now).bound_us();
        TimeReading { at: UnixMillis(now.wall.0 / 1_000_000), bound_us }
    }
}

impl fmt::Debug for BoundedClock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("BoundedClock").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// How much further the wall clock has come than the monotonic one.
fn gained_ns(from: RawReading, to: RawReading) -> i128 {
    let wall = i128::from(to.wall.0) - i128::from(from.wall.0);
    wall - (i128::from(to.monotonic_ns) - i128::from(from.monotonic_ns))
}
