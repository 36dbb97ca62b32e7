//! Notices when the wall clock jumps.
//!
//! Timeouts, retries and pauses of a node run on the monotonic clock: no jump of the wall clock shortens or lengthens
//! them. What the wall clock decides is what others see: the time of blocks and records, and whether a certificate is
//! valid. So a jump stops nothing by itself, and is reported: peers refuse blocks whose time is too far from theirs.

use std::sync::{Mutex, PoisonError};

use crate::facts::ClockFacts;

/// The process's monotonic clock, from some moment of its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Uptime(std::time::Instant);

impl Uptime {
    pub(crate) fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the node's monotonic clock, read only here")]
        Self(std::time::Instant::now())
    }

    /// Milliseconds since then. Stands still while the machine sleeps.
    pub(crate) fn ms(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A step of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jump {
    /// How far, in milliseconds; positive where the clock was set forward.
    pub(crate) by_ms: i64,
}

/// Compares the wall clock with the monotonic one.
#[derive(Debug, Default)]
pub(crate) struct ClockWatch(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    started: Option<Reading>,
    last: Option<Reading>,
    jumps: u64,
    last_jump: Option<(u64, Jump)>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    wall_ms: u64,
    up_ms: u64,
}

impl Reading {
    /// How much further the wall clock has come since `earlier` than the monotonic one.
    fn gained_ms(self, earlier: Self) -> i64 {
        let up_ms = self.up_ms.saturating_sub(earlier.up_ms);
        let expected = earlier.wall_ms.saturating_add(up_ms);
        let difference = i128::from(self.wall_ms) - i128::from(expected);
        i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
    }
}

impl ClockWatch {
    /// Takes both clocks, read one right after the other, about once a second. Gives the jump since the last call, if
    /// there was one. A clock that is slewed (`chronyd` and `ntpd` stay below 1 ms a second) does not jump.
    pub(crate) fn tick(&self, wall_ms: u64, up_ms: u64) -> Option<Jump> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Reading { wall_ms, up_ms };
        state.started.get_or_insert(now);
        let by_ms = state.last.replace(now).map_or(0, |last| now.gained_ms(last));
        if by_ms.unsigned_abs() < JUMP_MS_MIN {
            return None;
        }
        let jump = Jump { by_ms };
        state.jumps = state.jumps.saturating_add(1);
        state.last_jump = Some((up_ms, jump));
        Some(jump)
    }

    pub(crate) fn facts(&self, up_ms: u64) -> ClockFacts {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ClockFacts {
            jumps: state.jumps,
            last_jump_ms: state.last_jump.map_or(0, |(_, jump)| jump.by_ms),
            last_jump_ago_ms: state.last_jump.map(|(at, _)| up_ms.saturating_sub(at)),
            offset_ms: state.started.zip(state.last).map_or(0, |(from, to)| to.gained_ms(from)),
        }
    }
}

/// Smaller steps are noise of scheduling: a thread that is held up between its two readings.
const JUMP_MS_MIN: u64 = 500;

#[cfg(test)]
mod tests {
    use super::{ClockFacts, ClockWatch, Jump};

    const START: u64 = 1_800_000_000_000;

    #[test]
    fn only_jumps_are_reported() {
        let watch = ClockWatch::default();
        assert_eq!(watch.tick(START, 0), None);
        // A second, a slow second, ten seconds without a look.
        for (wall, up) in [(1_000, 1_000), (2_400, 2_000), (12_400, 12_000)] {
            assert_eq!(watch.tick(START + wall, up), None, "{wall}");
        }
        assert_eq!(watch.facts(13_000), ClockFacts { offset_ms: 400, ..ClockFacts::default() });
        assert_eq!(watch.tick(START + 3_613_400, 13_000), Some(Jump { by_ms: 3_600_000 }));
        assert_eq!(watch.tick(START + 3_614_400, 14_000), None, "it is reported once");
        let back = watch.tick(START + 15_000, 15_000);
        assert_eq!(back, Some(Jump { by_ms: -3_600_400 }));
        let facts = watch.facts(75_000);
        assert_eq!((facts.jumps, facts.last_jump_ms), (2, -3_600_400));
        assert_eq!((facts.last_jump_ago_ms, facts.offset_ms), (Some(60_000), 0));
    }

    #[test]
    fn readings_at_the_ends_of_their_range_do_not_overflow() {
        let watch = ClockWatch::default();
        assert_eq!(watch.tick(0, 0), None);
        assert_eq!(watch.tick(u64::MAX, 1), Some(Jump { by_ms: i64::MAX }));
        assert_eq!(watch.tick(0, u64::MAX), Some(Jump { by_ms: i64::MIN }));
    }
}
