//! A link that is up, as those see it who do not run it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use changbai_channel::PeerId;
use changbai_msp::Identity;
use smkit_pki::{Certificate, Purpose};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::calls::Calls;
use crate::codes::Refusal;
use crate::kind::StreamKind;
use crate::limits::inbound_bytes;
use crate::queue::SendQueue;

/// Who is on the other end of a link, as its opening established.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) peer: PeerId,
    pub(crate) identity: Arc<Identity>,
    pub(crate) incarnation: u64,
    pub(crate) address: SocketAddr,
    /// What it showed on the connection.
    pub(crate) chain: Vec<Certificate>,
    /// Whether this node dialled.
    pub(crate) dialled: bool,
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) kind: StreamKind,
    pub(crate) remote: Remote,
    pub(crate) queue: SendQueue,
    /// Room for what waits for the ordering thread.
    pub(crate) room: Arc<Semaphore>,
    pub(crate) calls: Option<Arc<Calls>>,
    started: Instant,
    heard_us: AtomicU64,
    /// The reader waits for somebody else than the peer.
    held: AtomicBool,
    rtt_us: AtomicU64,
    end: Mutex<Option<Refusal>>,
    ended: Notify,
}

impl Stream {
    pub(crate) fn new(kind: StreamKind, remote: Remote, calls: Option<Arc<Calls>>) -> Self {
        Self {
            kind,
            remote,
            queue: SendQueue::new(kind),
            room: Arc::new(Semaphore::new(inbound_bytes(kind))),
            calls,
            started: Instant::now(),
            heard_us: AtomicU64::new(0),
            held: AtomicBool::new(false),
            rtt_us: AtomicU64::new(0),
            end: Mutex::default(),
            ended: Notify::new(),
        }
    }

    /// Microseconds since the link came up.
    pub(crate) fn age_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    pub(crate) fn hear(&self) {
        self.heard_us.store(self.age_us(), Ordering::Relaxed);
    }

    pub(crate) fn set_held(&self, held: bool) {
        self.held.store(held, Ordering::Relaxed);
        if !held {
            self.hear();
        }
    }

    /// How long nothing has been heard, though somebody listened.
    pub(crate) fn silence(&self) -> Duration {
        if self.held.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let heard = self.heard_us.load(Ordering::Relaxed);
        Duration::from_micros(self.age_us().saturating_sub(heard))
    }

    /// A ping of that age came back.
    pub(crate) fn answered(&self, sent_us: u64) {
        let rtt = self.age_us().saturating_sub(sent_us);
        self.rtt_us.store(rtt.max(1), Ordering::Relaxed);
    }

    pub(crate) fn rtt(&self) -> Option<Duration> {
        let rtt = self.rtt_us.load(Ordering::Relaxed);
        (rtt > 0).then(|| Duration::from_micros(rtt))
    }

    /// Ends the link; the first reason counts.
    pub(crate) fn end(&self, refusal: Refusal) {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(refusal);
        self.ended.notify_one();
    }

    /// Waits for [`end`](Self::end); only the task that runs the link does.
    pub(crate) async fn ended(&self) -> Refusal {
        loop {
            if let Some(refusal) = &*self.end.lock().unwrap_or_else(PoisonError::into_inner) {
                return refusal.clone();
            }
            self.ended.notified().await;
        }
    }

    /// What the peer's certificate was for, as seen from here.
    pub(crate) const fn purpose(&self) -> Purpose {
        purpose(self.remote.dialled)
    }

    /// The last moment at which all certificates of the link are valid, Unix seconds.
    pub(crate) fn valid_until(&self) -> i64 {
        let remote = &self.remote;
        let all = remote.chain.iter().chain([&remote.identity.certificate]);
        all.map(Certificate::not_after).min().unwrap_or(i64::MIN)
    }
}

/// What the certificate of the other end of a connection is for.
pub(crate) const fn purpose(dialled: bool) -> Purpose {
    if dialled { Purpose::TlsServer } else { Purpose::TlsClient }
}
