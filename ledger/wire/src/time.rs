//! Time as the ledger sees it: a reading with its error bound, from a clock that is handed in.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// Unix time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Whole seconds since the epoch, rounded down: what certificate validity is compared with.
    #[must_use]
    pub fn seconds(self) -> i64 {
        i64::try_from(self.0 / 1_000).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// One reading of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeReading {
    /// What the clock shows.
    pub at: UnixMillis,
    /// Upper bound of its error in microseconds; `None` when nobody measured it.
    pub bound_us: Option<u32>,
}

/// The machine's clock, handed in: the ledger never reads one by itself.
pub trait Clock: Send + Sync {
    /// Reads the clock. Readings need not be monotonic.
    fn now(&self) -> TimeReading;
}

/// A clock that stands still until it is set: for tests and replays.
#[derive(Debug, Default)]
pub struct ManualClock {
    millis: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `at`.
    #[must_use]
    pub const fn new(at: UnixMillis) -> Self {
        Self { millis: AtomicU64::new(at.0) }
    }

    /// Sets the clock.
    pub fn set(&self, at: UnixMillis) {
        self.millis.store(at.0, Ordering::SeqCst);
    }

    /// Moves the clock forward by `millis` milliseconds.
    pub fn advance(&self, millis: u64) {
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> TimeReading {
        TimeReading { at: UnixMillis(self.millis.load(Ordering::SeqCst)), bound_us: None }
    }
}
