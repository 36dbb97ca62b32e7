//! Asking again and again.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;

use smkit::OsRandom;

use crate::address::ChronyAddress;
use crate::bounded::BoundedClock;
use crate::client::ChronyClient;
use crate::limits::POLL_INTERVAL;
use crate::raw::OsClock;
use crate::standing::Standing;

/// A thread that keeps a [`BoundedClock`] informed, once a second. Dropping it ends and joins the thread, within about
/// a second.
#[derive(Debug)]
pub struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Asks once, so that the clock has a standing when this returns, and goes on asking.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(clock: Arc<BoundedClock>, address: ChronyAddress) -> std::io::Result<Self> {
        let mut asker =
            Asker { clock, client: ChronyClient::new(address), waits: OsClock::start() };
        let mut last = asker.ask();
        let (stop, stopped) = mpsc::channel::<()>();
        let thread =
            std::thread::Builder::new().name("time-watch".to_owned()).spawn(move || {
                while stopped.recv_timeout(POLL_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    let standing = asker.ask();
                    tell(&last, &standing);
                    last = standing;
                }
            })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It cannot be told of a panic in any better way than the panic's own message.
            drop(thread.join());
        }
    }
}

struct Asker {
    clock: Arc<BoundedClock>,
    client: ChronyClient,
    waits: OsClock,
}

impl Asker {
    fn ask(&mut self) -> Standing {
        let asked = self.clock.raw();
        let outcome = self.client.ask(&self.waits, &mut OsRandom);
        self.clock.learn(outcome, asked);
        self.clock.standing()
    }
}

/// One line in the log when the standing changes its kind.
fn tell(before: &Standing, now: &Standing) {
    let code = |standing: &Standing| standing.refusal().map(|refusal| refusal.reason().code);
    if code(before) == code(now) {
        return;
    }
    match now {
        Standing::Synchronised { bound_us } => tracing::info!(bound_us, "time::synchronised"),
        Standing::Refused(refusal) => {
            tracing::warn!(code = refusal.reason().code, %refusal, "time::refused");
        }
    }
}
