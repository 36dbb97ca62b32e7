//! The machine's two clocks, read together.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::limits::{READ_ATTEMPTS_MAX, SPREAD_NS_MAX};

/// Unix time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixNanos(pub u64);

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawReading {
    /// The wall clock.
    pub wall: UnixNanos,
    /// The monotonic clock, in nanoseconds from some moment.
    pub monotonic_ns: u64,
    /// How far the two reads may lie apart, in nanoseconds.
    pub spread_ns: u64,
}

/// Where readings come from: the machine, or a test.
pub trait RawClock: Send + Sync {
    /// Reads both clocks.
    fn read(&self) -> RawReading;
}

/// The operating system's clocks. On Linux the monotonic one is slewed together with the wall clock
/// (`CLOCK_MONOTONIC`): they part only when the wall clock is set, or while the machine sleeps.
#[derive(Debug, Clone, Copy)]
pub struct OsClock {
    started: Instant,
}

impl OsClock {
    /// Starts the monotonic clock.
    #[must_use]
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is where the clock comes in")]
        Self { started: Instant::now() }
    }

    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn read_once(&self) -> RawReading {
        let before = self.monotonic_ns();
        #[expect(clippy::disallowed_methods, reason = "this is where the clock comes in")]
        let wall = SystemTime::now();
        let after = self.monotonic_ns();
        let wall = wall.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        RawReading {
            wall: UnixNanos(u64::try_from(wall).unwrap_or(u64::MAX)),
            monotonic_ns: before,
            spread_ns: after.saturating_sub(before),
        }
    }
}

impl RawClock for OsClock {
    fn read(&self) -> RawReading {
        let mut best = self.read_once();
        for _ in 1..READ_ATTEMPTS_MAX {
            if best.spread_ns <= SPREAD_NS_MAX {
                break;
            }
            let again = self.read_once();
            if again.spread_ns <= best.spread_ns {
                best = again;
            }
        }
        best
    }
}
