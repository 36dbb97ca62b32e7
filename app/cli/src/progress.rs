//! Progress bars on standard error, for work that takes a while; nothing is drawn when standard error is no terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::limits;

/// A bar over a known number of bytes; hidden for small inputs.
#[derive(Debug, Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Starts a bar labelled `label` over `total_bytes`.
    pub(crate) fn bytes(label: &str, total_bytes: u64) -> Self {
        if total_bytes < limits::PROGRESS_BYTES_MIN {
            return Self::hidden();
        }
        // indicatif hides the bar itself when standard error is not a terminal.
        let bar = ProgressBar::with_draw_target(Some(total_bytes), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(label.to_owned());
        Self(bar)
    }

    /// Starts a bar over a stream whose length is not known.
    pub(crate) fn unknown(label: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(SPINNER) {
            bar.set_style(style);
        }
        bar.set_message(label.to_owned());
        Self(bar)
    }

    /// Starts a bar over a number of steps.
    pub(crate) fn steps(label: &str, total: usize) -> Self {
        let target = ProgressDrawTarget::stderr();
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        if let Ok(style) = ProgressStyle::with_template(STEPS) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(label.to_owned());
        Self(bar)
    }

    /// A bar that draws nothing.
    pub(crate) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// Counts `bytes` more.
    pub(crate) fn advance(&self, bytes: usize) {
        self.0.inc(bytes as u64);
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

const BAR: &str = "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
const STEPS: &str = "{msg} [{bar:30}] {pos}/{len}";
const SPINNER: &str = "{spinner} {msg} {bytes} {bytes_per_sec}";
