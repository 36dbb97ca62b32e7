//! The node's clock: the machine's own, or the machine's with chronyd's bound.

use std::sync::Arc;

use changbai_core::{TimeGate, TimeRefusal};
use changbai_time::{BoundedClock, OsClock, Refusal, Watch};
use changbai_wire::time::Clock;

use crate::clock::LocalClock;
use crate::config::Chronyd;
use crate::error::StartError;

/// The clock that everything in the node reads, and how it stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeTime {
    bounded: Option<Arc<BoundedClock>>,
}

impl NodeTime {
    /// Starts watching the clock where chronyd is configured. A clock that is refused does not keep a node from
    /// starting: reads go on.
    pub(crate) fn start(chronyd: Option<&Chronyd>) -> Result<(Self, Option<Watch>), StartError> {
        let Some(Chronyd { address, policy }) = chronyd else {
            tracing::warn!("time::unbounded");
            return Ok((Self::default(), None));
        };
        let clock = Arc::new(BoundedClock::new(Arc::new(OsClock::start()), *policy));
        let watch = Watch::start(Arc::clone(&clock), address.clone());
        let watch = watch.map_err(|error| StartError::Wiring(error.to_string()))?;
        match clock.standing().refusal() {
            Some(refusal) => {
                tracing::warn!(code = refusal.reason().code, %refusal, "time::refused");
            }
            None => tracing::info!(bound_us = clock.now().bound_us, "time::synchronised"),
        }
        Ok((Self { bounded: Some(clock) }, Some(watch)))
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        match &self.bounded {
            Some(clock) => Arc::clone(clock) as _,
            None => Arc::new(LocalClock),
        }
    }

    /// What lets records pass only with a bound; none where they need none.
    pub(crate) fn gate(&self) -> Option<Arc<dyn TimeGate>> {
        self.bounded.is_some().then(|| Arc::new(self.clone()) as _)
    }

    /// Whether what is stamped needs a bound.
    pub(crate) const fn is_bounded(&self) -> bool {
        self.bounded.is_some()
    }

    /// `chrony`, or `local`.
    pub(crate) fn source(&self) -> &'static str {
        if self.bounded.is_some() { "chrony" } else { "local" }
    }

    /// What chronyd says the clock follows.
    pub(crate) fn reference(&self) -> Option<String> {
        self.bounded.as_ref()?.tracking().map(|tracking| tracking.reference())
    }

    /// Why submissions are refused.
    pub(crate) fn refused(&self) -> Option<Refusal> {
        self.bounded.as_ref()?.standing().refusal().cloned()
    }
}

impl TimeGate for NodeTime {
    fn refusal(&self) -> Option<TimeRefusal> {
        let refusal = self.refused()?;
        Some(TimeRefusal { code: refusal.reason().code, zh: refusal.zh(), en: refusal.en() })
    }
}
