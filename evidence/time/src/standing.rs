//! Judging what chronyd says. No clock is read here, nothing is asked.

#[cfg(test)]
mod tests;

use crate::chrony::{LEAP_UNSYNCHRONISED, Tracking};
use crate::limits::RESOLUTION_US;
use crate::raw::UnixNanos;
use crate::refusal::Refusal;

/// What is accepted of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Largest bound of a reading's error, in microseconds.
    pub bound_us_max: u32,
    /// Most seconds since chronyd last measured the clock against its source.
    pub reference_age_s_max: u64,
    /// How fast the clock may drift away between two answers, in millionths, beyond what chronyd corrects.
    pub drift_ppm: u32,
    /// How long an answer is good for while no other one comes, in milliseconds.
    pub answer_age_ms_max: u64,
}

impl Default for Policy {
    /// 10 ms, as evidence rules have it. 4,096 s are four of the longest usual polling intervals. 50 ppm is what a
    /// quartz without any correction stays within; a disciplined one is far better. 5 s let chronyd be restarted.
    fn default() -> Self {
        Self {
            bound_us_max: 10_000,
            reference_age_s_max: 4_096,
            drift_ppm: 50,
            answer_age_ms_max: 5_000,
        }
    }
}

/// How the clock stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It follows a source.
    Synchronised {
        /// Bound of a reading's error, in microseconds.
        bound_us: u32,
    },
    /// Its readings get no bound.
    Refused(Refusal),
}

impl Standing {
    /// The bound, if there is one.
    #[must_use]
    pub const fn bound_us(&self) -> Option<u32> {
        match self {
            Self::Synchronised { bound_us } => Some(*bound_us),
            Self::Refused(_) => None,
        }
    }

    /// Why there is none.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Synchronised { .. } => None,
            Self::Refused(refusal) => Some(refusal),
        }
    }
}

/// Leap status, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leap {
    /// No leap second soon.
    Normal,
    /// The day ends with 23:59:60.
    Insert,
    /// The day ends with 23:59:58.
    Delete,
    /// Not synchronised.
    Unsynchronised,
}

impl Leap {
    /// `normal`, `insert`, `delete` or `unsynchronised`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Insert => "insert",
            Self::Delete => "delete",
            Self::Unsynchronised => "unsynchronised",
        }
    }
}

impl Tracking {
    /// The leap status.
    #[must_use]
    pub const fn leap(&self) -> Leap {
        match self.leap_status {
            0 => Leap::Normal,
            1 => Leap::Insert,
            2 => Leap::Delete,
            _ => Leap::Unsynchronised,
        }
    }

    /// Bound of the clock's error in microseconds, rounded up: |system offset| + root dispersion + root delay / 2
    /// (chronyc(1), `tracking`).
    #[must_use]
    pub fn clock_bound_us(&self) -> u32 {
        let half_delay = self.root_delay.nanos_up().div_ceil(2);
        let sum = self.system_offset.nanos_up();
        let sum = sum.saturating_add(self.root_dispersion.nanos_up()).saturating_add(half_delay);
        u32::try_from(sum.div_ceil(1_000)).unwrap_or(u32::MAX)
    }

    /// Bound of the error of a reading in whole milliseconds: the clock's, and what rounding down takes away.
    #[must_use]
    pub fn reading_bound_us(&self) -> u32 {
        self.clock_bound_us().saturating_add(RESOLUTION_US)
    }

    /// Seconds since the last measurement at `now`, rounded down.
    #[must_use]
    pub const fn reference_age_s(&self, now: UnixNanos) -> u64 {
        now.0.saturating_sub(self.reference_time.0) / 1_000_000_000
    }
}

/// Judges an answer that came when the wall clock showed `now`. The first reason found is given; what the clock
/// follows comes before how well.
#[must_use]
pub fn evaluate(tracking: &Tracking, policy: &Policy, now: UnixNanos) -> Standing {
    match refusal(tracking, policy, now) {
        Some(refusal) => Standing::Refused(refusal),
        None => Standing::Synchronised { bound_us: tracking.reading_bound_us() },
    }
}

fn refusal(tracking: &Tracking, policy: &Policy, now: UnixNanos) -> Option<Refusal> {
    let stratum = tracking.stratum;
    if tracking.is_local() {
        return Some(Refusal::LocalReference);
    }
    if tracking.reference_id == 0 || stratum == 0 || tracking.reference_time.0 == 0 {
        return Some(Refusal::Unsynchronised);
    }
    if tracking.leap_status >= LEAP_UNSYNCHRONISED {
        return Some(Refusal::LeapAlarm);
    }
    if stratum > STRATUM_MAX {
        return Some(Refusal::Stratum { stratum });
    }
    let ahead_s = tracking.reference_time.0.saturating_sub(now.0) / 1_000_000_000;
    if ahead_s > 0 {
        return Some(Refusal::ReferenceAhead { ahead_s });
    }
    let (age_s, age_s_max) = (tracking.reference_age_s(now), policy.reference_age_s_max);
    if age_s > age_s_max {
        return Some(Refusal::Stale { age_s, age_s_max });
    }
    let (bound_us, bound_us_max) = (tracking.reading_bound_us(), policy.bound_us_max);
    (bound_us > bound_us_max).then_some(Refusal::Bound { bound_us, bound_us_max })
}

const STRATUM_MAX: u16 = 15;
