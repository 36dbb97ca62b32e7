//! Counters and distributions that many threads add to, and the bounded sets of labels they are kept under.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A distribution of durations over [`super::table::SECONDS`].
#[derive(Debug, Default)]
pub(crate) struct Timing {
    /// One for each bound, and one above them all.
    buckets: [AtomicU64; BUCKETS],
    sum_us: AtomicU64,
}

impl Timing {
    pub(crate) fn observe(&self, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        let place = super::table::SECONDS.iter().take_while(|bound| seconds > **bound).count();
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        self.sum_us.fetch_add(micros, Ordering::Relaxed);
    }

    /// Observations up to each bound and in all, and their sum in seconds.
    pub(crate) fn cumulative(&self) -> (Vec<u64>, f64) {
        let mut sum = 0_u64;
        let grown = self.buckets.iter().map(|bucket| {
            sum = sum.wrapping_add(bucket.load(Ordering::Relaxed));
            sum
        });
        let micros = self.sum_us.load(Ordering::Relaxed);
        (grown.collect(), Duration::from_micros(micros).as_secs_f64())
    }
}

/// One series for each set of label values, at most [`SERIES_MAX`]; what comes later is counted under `other`.
#[derive(Debug)]
pub(crate) struct Labelled<const N: usize, V>(RwLock<BTreeMap<[String; N], Arc<V>>>);

impl<const N: usize, V: Default> Labelled<N, V> {
    pub(crate) fn of(&self, labels: [&str; N]) -> Arc<V> {
        let labels = labels.map(str::to_owned);
        if let Some(found) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&labels) {
            return Arc::clone(found);
        }
        let mut series = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let full = series.len() >= SERIES_MAX && !series.contains_key(&labels);
        let labels = if full { [(); N].map(|()| OTHER.to_owned()) } else { labels };
        Arc::clone(series.entry(labels).or_default())
    }

    /// Every series in order of its labels.
    pub(crate) fn each(&self, mut visit: impl FnMut([&str; N], &V)) {
        let series = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for (labels, value) in series.iter() {
            visit(labels.each_ref().map(String::as_str), value);
        }
    }
}

impl<const N: usize, V> Default for Labelled<N, V> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

/// Most sets of label values of one metric.
pub(crate) const SERIES_MAX: usize = 512;
/// The label value of what has no series of its own.
pub(crate) const OTHER: &str = "other";
const BUCKETS: usize = super::table::SECONDS.len() + 1;

#[cfg(test)]
mod tests {
    use super::{Counter, Duration, Labelled, OTHER, SERIES_MAX, Timing};

    #[test]
    fn a_duration_falls_into_every_bucket_at_or_above_it() {
        let timing = Timing::default();
        for micros in [900, 1_000, 1_001, 40_000_000] {
            timing.observe(Duration::from_micros(micros));
        }
        let (counts, sum) = timing.cumulative();
        assert_eq!(&counts[..3], [2, 3, 3]);
        assert_eq!(counts.last(), Some(&4));
        assert_eq!(counts[counts.len() - 2], 3);
        assert!((sum - 40.002_901).abs() < 1e-9, "{sum}");
    }

    #[test]
    fn labels_that_never_end_are_counted_together() {
        let counts: Labelled<1, Counter> = Labelled::default();
        for n in 0..SERIES_MAX + 100 {
            counts.of([&n.to_string()]).add(1);
        }
        let (mut series, mut sum, mut other) = (0, 0, 0);
        counts.each(|[label], count| {
            series += 1;
            sum += count.value();
            if label == OTHER {
                other = count.value();
            }
        });
        assert_eq!((series, sum, other), (SERIES_MAX + 1, SERIES_MAX as u64 + 100, 100));
        // A series that is there goes on.
        counts.of(["7"]).add(1);
        assert_eq!(counts.of(["7"]).value(), 2);
    }
}
