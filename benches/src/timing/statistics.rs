//! Welch's t, and what it says.

use std::fmt;

use super::Times;

/// One operation's largest |t|.
pub(super) struct Outcome {
    pub(super) operation: &'static str,
    /// Which kernels ran.
    pub(super) path: &'static str,
    /// Whether a difference must show: the control, which proves that the test sees one.
    leaks: bool,
    pub(super) t: f64,
    /// Median of each class, nanoseconds.
    pub(super) medians: [f64; 2],
    pub(super) measurements: usize,
}

impl Outcome {
    pub(super) fn new(
        operation: &'static str,
        path: &'static str,
        leaks: bool,
        mut times: Times,
    ) -> Self {
        let mut all: Vec<f64> = times.iter().flatten().copied().collect();
        all.sort_by(f64::total_cmp);
        // dudect's row of croppings, and no cropping at all.
        let percentiles = (1..=CROPPINGS)
            .map(|step| 1.0 - 0.5_f64.powf(10.0 * f64::from(step) / f64::from(CROPPINGS)));
        let t = percentiles
            .map(|share| quantile(&all, share))
            .chain([f64::INFINITY])
            .filter_map(|limit| welch(&times, limit))
            .fold(0.0, f64::max);
        times.iter_mut().for_each(|class| class.sort_by(f64::total_cmp));
        let medians = [quantile(&times[0], 0.5), quantile(&times[1], 0.5)];
        Self { operation, path, leaks, t, medians, measurements: all.len() }
    }

    pub(super) fn as_expected(&self) -> bool {
        (self.t >= LEAK) == self.leaks
    }

    pub(super) fn verdict(&self) -> &'static str {
        match (self.t, self.leaks) {
            (LEAK.., true) => "seen, as it must be",
            (_, true) => "NOT SEEN: the run proves nothing",
            (LEAK.., false) => "LEAK",
            (DOUBT.., false) => "in doubt: measure again",
            (_, false) => "none found",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, path, t, medians: [fixed, random], measurements, .. } = self;
        write!(out, "{operation}, {path}: |t| = {t:.2}, ")?;
        write!(out, "medians {fixed:.0} and {random:.0} ns of {measurements}")
    }
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// |t| over the times up to `limit`; `None` with too few of them.
fn welch(times: &Times, limit: f64) -> Option<f64> {
    let [(n0, mean0, variance0), (n1, mean1, variance1)] = [&times[0], &times[1]].map(|class| {
        let kept = || class.iter().copied().filter(|time| *time <= limit);
        let n = kept().count() as f64;
        let mean = kept().sum::<f64>() / n;
        let variance = kept().map(|time| (time - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (n, mean, variance)
    });
    let error = (variance0 / n0 + variance1 / n1).sqrt();
    (n0 >= KEPT_MIN && n1 >= KEPT_MIN && error > 0.0).then(|| ((mean0 - mean1) / error).abs())
}

pub(super) const CROPPINGS: u32 = 40;
/// dudect's bounds: below the first nothing was found, from the second on the time depends on the secret.
pub(super) const DOUBT: f64 = 4.5;
pub(super) const LEAK: f64 = 10.0;
/// Fewest times of a class over which t means something.
const KEPT_MIN: f64 = 200.0;
