//! Which snapshots are open, and what may be cleaned up.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Numbers the moments that readers see.
#[derive(Debug)]
pub(super) struct Tracker(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Entries with a lower number belong to finished batches.
    visible: u64,
    /// Open snapshots by the number they see up to.
    open: BTreeMap<u64, usize>,
}

impl Tracker {
    pub(super) fn new(visible: u64) -> Self {
        Self(Mutex::new(State { visible, open: BTreeMap::new() }))
    }

    pub(super) fn publish(&self, visible: u64) {
        let mut state = self.state();
        state.visible = state.visible.max(visible);
    }

    pub(super) fn acquire(&self) -> u64 {
        let mut state = self.state();
        let visible = state.visible;
        *state.open.entry(visible).or_default() += 1;
        visible
    }

    pub(super) fn release(&self, seen: u64) {
        let mut state = self.state();
        let left = state.open.get(&seen).map_or(0, |n| n.saturating_sub(1));
        if left == 0 {
            state.open.remove(&seen);
        } else {
            state.open.insert(seen, left);
        }
    }

    /// Older versions below this number are seen by nobody, now or later.
    pub(super) fn watermark(&self) -> u64 {
        let state = self.state();
        let lowest = state.open.keys().next().copied().unwrap_or(state.visible);
        lowest.min(state.visible).saturating_sub(1)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
