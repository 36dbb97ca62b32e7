//! The machine's clock. Its error against UTC is not measured here, so every reading says so.

use changbai_wire::time::{Clock, TimeReading, UnixMillis};

/// The operating system's clock, with no statement about its error: records that use it carry
/// the source `local` and no bound.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalClock;

impl Clock for LocalClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the machine's clock comes in")]
    fn now(&self) -> TimeReading {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let millis = since.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
        TimeReading { at: UnixMillis(millis), bound_us: None }
    }
}
