//! Why a reading has no bound.

use std::fmt;

use crate::chrony::ReplyError;
use crate::reasons::{self, Reason};

/// Why the clock's readings get no bound at the moment. Displays its English sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody has been asked yet.
    NotAsked,
    /// chronyd could not be asked.
    Unreachable {
        /// What the system says.
        reason: String,
    },
    /// No answer in time.
    NoReply,
    /// Bytes that are no answer of the protocol.
    Malformed {
        /// Where.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// Answers to requests that were never made.
    Sequence,
    /// Answers to earlier requests.
    Replayed,
    /// chronyd refuses.
    Status {
        /// Its status.
        status: u16,
    },
    /// The clock follows nothing.
    Unsynchronised,
    /// The clock follows itself.
    LocalReference,
    /// Leap status 3.
    LeapAlarm,
    /// Not 1 to 15.
    Stratum {
        /// What it is.
        stratum: u16,
    },
    /// Too long since the last measurement.
    Stale {
        /// Seconds since then.
        age_s: u64,
        /// Most that are accepted.
        age_s_max: u64,
    },
    /// The last measurement lies ahead.
    ReferenceAhead {
        /// By so many seconds.
        ahead_s: u64,
    },
    /// The bound is above the policy's.
    Bound {
        /// Microseconds.
        bound_us: u32,
        /// Most that are accepted.
        bound_us_max: u32,
    },
    /// The wall clock was set, or the machine slept.
    Jumped {
        /// How far, in milliseconds; positive where forward.
        by_ms: i64,
    },
}

impl Refusal {
    /// Code and sentences.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::NotAsked => reasons::NOT_ASKED,
            Self::Unreachable { .. } => reasons::UNREACHABLE,
            Self::NoReply => reasons::NO_REPLY,
            Self::Malformed { .. } => reasons::MALFORMED,
            Self::Sequence => reasons::SEQUENCE,
            Self::Replayed => reasons::REPLAYED,
            Self::Status { .. } => reasons::STATUS,
            Self::Unsynchronised => reasons::UNSYNCHRONISED,
            Self::LocalReference => reasons::LOCAL_REFERENCE,
            Self::LeapAlarm => reasons::LEAP_ALARM,
            Self::Stratum { .. } => reasons::STRATUM,
            Self::Stale { .. } => reasons::STALE,
            Self::ReferenceAhead { .. } => reasons::REFERENCE_AHEAD,
            Self::Bound { .. } => reasons::BOUND,
            Self::Jumped { .. } => reasons::JUMPED,
        }
    }

    /// Whether nothing is known about the clock, rather than something bad.
    #[must_use]
    pub const fn is_unchecked(&self) -> bool {
        matches!(
            self,
            Self::NotAsked
                | Self::Unreachable { .. }
                | Self::NoReply
                | Self::Malformed { .. }
                | Self::Sequence
                | Self::Replayed
                | Self::Status { .. }
        )
    }

    /// The sentence in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        self.fill(self.reason().zh)
    }

    /// The sentence in English.
    #[must_use]
    pub fn en(&self) -> String {
        self.fill(self.reason().en)
    }

    fn fill(&self, sentence: &str) -> String {
        let (first, second) = self.facts();
        sentence.replace("{0}", &first).replace("{1}", &second)
    }

    fn facts(&self) -> (String, String) {
        let one = |fact: &dyn fmt::Display| (fact.to_string(), String::new());
        match self {
            Self::Unreachable { reason } => one(reason),
            Self::Malformed { at, what } => one(&format_args!("byte {at}: {what}")),
            Self::Status { status } => one(status),
            Self::Stratum { stratum } => one(stratum),
            Self::Stale { age_s, age_s_max } => (age_s.to_string(), age_s_max.to_string()),
            Self::ReferenceAhead { ahead_s } => one(ahead_s),
            Self::Bound { bound_us, bound_us_max } => {
                (bound_us.to_string(), bound_us_max.to_string())
            }
            Self::Jumped { by_ms } => one(&format_args!("{by_ms:+}")),
            Self::NotAsked
            | Self::NoReply
            | Self::Sequence
            | Self::Replayed
            | Self::Unsynchronised
            | Self::LocalReference
            | Self::LeapAlarm => (String::new(), String::new()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.en())
    }
}

impl std::error::Error for Refusal {}

impl From<ReplyError> for Refusal {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::Malformed { at, what } => Self::Malformed { at, what },
            ReplyError::Sequence { .. } => Self::Sequence,
            ReplyError::Status { status } => Self::Status { status },
        }
    }
}
