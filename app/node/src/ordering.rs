//! The thread that orders a channel's transactions.

use std::thread::JoinHandle;
use std::time::Duration;

use changbai_channel::{Halted, Orderer};

use crate::error::StopError;
use crate::metrics::ChannelObserver;

/// The ordering thread looks up at least this often.
const IDLE: Duration = Duration::from_secs(1);

/// The ordering thread of a channel.
#[derive(Debug)]
pub(crate) struct Ordering(JoinHandle<Result<Orderer, Halted>>);

impl Ordering {
    /// Starts to order. Whatever happens is told to `observer`.
    pub(crate) fn start(
        channel: &str,
        orderer: Orderer,
        observer: ChannelObserver,
    ) -> std::io::Result<Self> {
        let thread = std::thread::Builder::new().name(format!("order-{channel}"));
        thread.spawn(move || order(orderer, &observer)).map(Self)
    }

    pub(crate) fn join(self) -> Result<Orderer, StopError> {
        Ok(self.0.join().map_err(|_| StopError::Task)??)
    }
}

/// Turns until everything taken is committed and proven, or until ordering halts.
fn order(mut orderer: Orderer, observer: &ChannelObserver) -> Result<Orderer, Halted> {
    #[expect(
        clippy::disallowed_methods,
        reason = "timeouts need a monotonic clock, read only here"
    )]
    let started = std::time::Instant::now();
    let now_ms = || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    loop {
        let began = started.elapsed();
        let turn = orderer.turn(now_ms());
        observer.metrics().turned(started.elapsed().saturating_sub(began));
        orderer.take_events().iter().for_each(|event| observer.observe(event));
        let turn = turn.inspect_err(|halted| {
            tracing::error!(reason = %halted, "node::ordering_halted");
        })?;
        if orderer.is_drained() {
            return Ok(orderer);
        }
        let until_deadline = turn.deadline_ms.map(|at| at.saturating_sub(now_ms()));
        orderer.wait(until_deadline.map_or(IDLE, Duration::from_millis).min(IDLE));
    }
}
