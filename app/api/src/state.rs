//! What the routes share: services, gates and bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use changbai_core::ledger::BoxFuture;
use changbai_core::{EvidenceService, LedgerClient};
use changbai_custody::Custody;
use changbai_msp::Membership;
use changbai_receipt::Trust;
use changbai_wire::time::{Clock, TimeReading};
use smkit::sm3::sm3_parts;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::attachments::Attachments;
use crate::authority::AuthorityService;
use crate::batch::BatchStore;
use crate::channels::ChannelDirectory;
use crate::court::CourtAccess;
use crate::documents::Documents;
use crate::health::HealthSource;
use crate::idempotency::{AnswerStore, Idempotency};
use crate::jobs::Jobs;
use crate::limits::Limits;
use crate::logs::LogDirectory;
use crate::problem::{Code, Problem};
use crate::rate::RateLimiter;
use crate::signature::ReplayCache;
use crate::time_stamps::TimeStamping;
use crate::transport::Gateways;
use crate::verdicts::VerdictSigning;

/// Everything that the node hands to the API.
pub struct ApiParts {
    /// Submits and reads evidence.
    pub evidence: Arc<EvidenceService>,
    /// Blocks, transactions and proofs.
    pub ledger: Arc<dyn LedgerClient>,
    /// Originals.
    pub custody: Arc<Custody>,
    /// What the channel's configuration says.
    pub channel: Arc<dyn ChannelView>,
    /// All channels of the node.
    pub channels: Arc<dyn ChannelDirectory>,
    /// The node's clock.
    pub clock: Arc<dyn Clock>,
    /// What `GET /health` says about the node.
    pub health: Arc<dyn HealthSource>,
    /// The digests of batches.
    pub batches: Arc<BatchStore>,
    /// Answers under idempotency keys.
    pub answers: Arc<dyn AnswerStore>,
    /// Who may pass a client's certificate on.
    pub gateways: Gateways,
    /// The authority whose services are offered beside, if this node keeps one.
    pub authority: Option<AuthorityService>,
    /// The time-stamp authority, if this node is one.
    pub time_stamps: Option<Arc<dyn TimeStamping>>,
    /// Who issues and signs certificates.
    pub documents: Documents,
    /// Puts what the process log holds on the ledger at once, for whoever needs it there.
    pub anchoring: Option<Arc<dyn Anchoring>>,
    /// Which courts may ask, if any.
    pub court: Option<CourtAccess>,
    /// Proofs that go into bundles beside record and receipt.
    pub attachments: Attachments,
    /// The transparency logs of the channels, if this node publishes them.
    pub logs: Option<Arc<dyn LogDirectory>>,
    /// Signs verdicts; without it they are handed out unsigned.
    pub verdicts: Option<Arc<dyn VerdictSigning>>,
    /// Every bound.
    pub limits: Limits,
}

/// Anchors the node's process log on the ledger.
pub trait Anchoring: Send + Sync {
    /// Anchors everything logged so far. The error is for the log.
    fn anchor_now(&self) -> BoxFuture<'_, Result<(), String>>;
}

/// A channel's configuration as it is now.
pub trait ChannelView: Send + Sync {
    /// Turns certificates into identities of the channel.
    fn membership(&self) -> Arc<Membership>;
    /// What `POST /verify` judges against: the channel's roots, and the channel itself.
    fn trust(&self) -> Arc<Trust>;
}

impl std::fmt::Debug for ApiParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiParts").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The state of the running API; cheap to clone.
#[derive(Clone)]
pub struct ApiState(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) parts: ApiParts,
    pub(crate) idempotency: Idempotency,
    pub(crate) replays: ReplayCache,
    pub(crate) started: TimeReading,
    requests: Arc<Semaphore>,
    uploads: Arc<Semaphore>,
    downloads: Arc<Semaphore>,
    batches: Arc<Semaphore>,
    events: Arc<Semaphore>,
    pub(crate) jobs: Arc<Jobs>,
    pub(crate) checks: Semaphore,
    pub(crate) check_rates: RateLimiter,
    numbered: AtomicU64,
    pub(crate) selftested_ms: AtomicU64,
}

impl ApiState {
    /// The state from its parts. From now on nonces are remembered: signatures created before this moment
    /// are refused.
    #[must_use]
    pub fn new(parts: ApiParts) -> Self {
        let limits = &parts.limits;
        let started = parts.clock.now();
        let shared = Shared {
            idempotency: Idempotency::new(Arc::clone(&parts.answers)),
            replays: ReplayCache::new(limits.nonces_max),
            started,
            requests: Arc::new(Semaphore::new(limits.requests_max)),
            uploads: Arc::new(Semaphore::new(limits.uploads_max)),
            downloads: Arc::new(Semaphore::new(limits.downloads_max)),
            batches: Arc::new(Semaphore::new(limits.batches_max)),
            events: Arc::new(Semaphore::new(limits.event_streams_max)),
            jobs: Arc::new(Jobs::new(Arc::clone(&parts.answers), limits.operations_max)),
            checks: Semaphore::new(limits.checks_max),
            check_rates: RateLimiter::new(limits.checks_client, limits.checks),
            numbered: AtomicU64::new(0),
            selftested_ms: AtomicU64::new(started.at.0),
            parts,
        };
        Self(Arc::new(shared))
    }
}

impl ApiState {
    /// Every bound.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.0.limits()
    }

    /// Waits for submissions that were to be answered later, at most `grace`; call it after the last request.
    pub async fn end(&self, grace: Duration) {
        self.0.jobs.end(grace).await;
    }
}

impl Shared {
    pub(crate) fn now_ms(&self) -> u64 {
        self.parts.clock.now().at.0
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.parts.limits
    }

    pub(crate) fn request_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        take(&self.requests, Code::Overloaded)
    }

    pub(crate) fn upload_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        take(&self.uploads, Code::Busy)
    }

    pub(crate) fn download_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        take(&self.downloads, Code::Busy)
    }

    pub(crate) fn batch_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        take(&self.batches, Code::Busy)
    }

    pub(crate) fn event_permit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        take(&self.events, Code::Overloaded)
    }

    /// An id of 32 hex digits for a request that brought none: unique, and not a secret.
    pub(crate) fn request_id(&self) -> String {
        let count = self.numbered.fetch_add(1, Ordering::Relaxed);
        let parts = [self.started.at.0.to_be_bytes(), count.to_be_bytes()].concat();
        let mut id = sm3_parts(&[b"changbai/api/request-id/v1", &parts]).to_string();
        id.truncate(32);
        id
    }
}

fn take(semaphore: &Arc<Semaphore>, full: Code) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(semaphore).try_acquire_owned().map_err(|_| Problem::new(full))
}

impl std::fmt::Debug for ApiState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiState").field("parts", &self.0.parts).finish_non_exhaustive()
    }
}
