//! Short-lived TLS certificates, renewed while the node runs.
//!
//! At two thirds of its life a certificate is replaced: a new key, a request, an answer from the authority, new files,
//! new credentials for connections to come. Connections that are open keep theirs. A renewal that fails is tried again,
//! more and more urgently announced; the node stops serving GM TLS only when the certificate has run out.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use changbai_authority::AuthorityStore;
use changbai_network::Hub;
use changbai_wire::time::Clock;
use smkit::OsRandom;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{AlternativeNames, CertificationRequest, CertificationResponse};
use tokio::sync::watch;

use crate::tls_files::{TlsFiles, TlsIdentity};
use crate::transport::NodeTransport;

/// Looks at the clock this often at most: a clock that jumps is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// First pause after a failure; it doubles up to [`RETRY_MAX_S`].
const RETRY_FIRST_S: i64 = 60;
const RETRY_MAX_S: i64 = 3_600;

/// Who renews.
pub(crate) enum Authority {
    /// The authority in this node's own directory.
    Own(Arc<Mutex<AuthorityStore>>, i64),
    /// The operator, who puts new files in place and restarts the node.
    Nobody,
    /// An enrolment service elsewhere.
    Remote(changbai_api::enrolment_client::EnrolmentClient),
}

/// What metrics and health say about the certificate.
#[derive(Debug, Default)]
pub struct RenewalStatus {
    not_after: AtomicI64,
    alarm_at: AtomicI64,
    renewed: AtomicU64,
    failed: AtomicU64,
}

impl RenewalStatus {
    /// The status of a certificate that has just been put to use.
    pub(crate) fn of(identity: &TlsIdentity) -> Self {
        let status = Self::default();
        status.show(identity);
        status
    }

    /// The status of a certificate that is valid for so long, for tests of what stands on it.
    #[cfg(test)]
    pub(crate) fn until(not_after_s: i64) -> Self {
        let status = Self::default();
        status.not_after.store(not_after_s, Ordering::Relaxed);
        status.alarm_at.store(not_after_s, Ordering::Relaxed);
        status
    }

    fn show(&self, identity: &TlsIdentity) {
        let not_after = identity.not_after();
        let life_s = identity.leaf().map_or(0, |leaf| leaf.not_after() - leaf.not_before());
        self.not_after.store(not_after, Ordering::Relaxed);
        self.alarm_at.store(not_after.saturating_sub(life_s / 6), Ordering::Relaxed);
    }

    /// Whether the certificate is in the last sixth of its life: renewal has failed for a sixth of it already.
    #[must_use]
    pub fn is_alarming(&self, now_s: i64) -> bool {
        now_s >= self.alarm_at.load(Ordering::Relaxed)
    }

    /// Last valid second of the certificate in use, Unix seconds.
    #[must_use]
    pub fn not_after(&self) -> i64 {
        self.not_after.load(Ordering::Relaxed)
    }

    /// Renewals since the start.
    #[must_use]
    pub fn renewed(&self) -> u64 {
        self.renewed.load(Ordering::Relaxed)
    }

    /// Renewals that failed since the start.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// Keeps the certificate fresh until the node stops.
pub(crate) struct Renewal {
    pub(crate) files: TlsFiles,
    pub(crate) identity: TlsIdentity,
    pub(crate) authority: Authority,
    pub(crate) transport: Arc<NodeTransport>,
    pub(crate) hub: Option<Hub>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) status: Arc<RenewalStatus>,
}

impl Renewal {
    pub(crate) async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let (mut retry_at, mut pause_s) = (i64::MIN, RETRY_FIRST_S);
        loop {
            let now_s = self.clock.now().at.seconds();
            if now_s >= self.due() && now_s >= retry_at {
                match self.renew().await {
                    Ok(()) => (retry_at, pause_s) = (i64::MIN, RETRY_FIRST_S),
                    Err(reason) => {
                        self.report(&reason, now_s);
                        retry_at = now_s.saturating_add(pause_s);
                        pause_s = pause_s.saturating_mul(2).min(RETRY_MAX_S);
                    }
                }
            }
            let wait = tokio::time::timeout(LOOK_EVERY, stopped.wait_for(|stopped| *stopped));
            if wait.await.is_ok() {
                return;
            }
        }
    }

    /// Two thirds of the certificate's life.
    fn due(&self) -> i64 {
        let Some(leaf) = self.identity.leaf() else { return i64::MIN };
        let life = leaf.not_after().saturating_sub(leaf.not_before());
        leaf.not_before().saturating_add(life / 3 * 2)
    }

    async fn renew(&mut self) -> Result<(), String> {
        let shown = self.identity.leaf().cloned().ok_or("no certificate to renew")?;
        let key = PrivateKey::generate(&mut OsRandom).map_err(|e| e.to_string())?;
        let signer = SigningKey::new(key.clone(), SignerId::DEFAULT).map_err(|e| e.to_string())?;
        let hosts = shown.alternative_names().cloned().unwrap_or_else(AlternativeNames::default);
        let request = CertificationRequest::create(&shown.subject_dn(), &signer, &hosts)
            .map_err(|e| e.to_string())?;
        let answer: CertificationResponse = match &self.authority {
            Authority::Own(store, lifetime_s) => {
                let (store, lifetime_s) = (Arc::clone(store), *lifetime_s);
                let now_s = self.clock.now().at.seconds();
                let enrol = move || {
                    let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
                    store.enrol(&shown, &request, lifetime_s, now_s, &mut OsRandom)
                };
                let done = tokio::task::spawn_blocking(enrol).await.map_err(|e| e.to_string())?;
                done.map_err(|e| e.to_string())?
            }
            Authority::Nobody => {
                return Err("neither an authority of its own nor tls.enrolment is set".to_owned());
            }
            Authority::Remote(client) => {
                client.enrol(&self.identity.signing, &request).await.map_err(|e| e.to_string())?
            }
        };
        let issued = answer.open(&key).map_err(|e| e.to_string())?;
        let next = TlsIdentity::answered(issued, key);
        // Whoever could not present it to a client of its own must not show it to others.
        self.transport.reload(&next).map_err(|e| e.to_string())?;
        if let Some(hub) = &self.hub {
            hub.reload(next.signing.clone()).map_err(|e| e.to_string())?;
        }
        self.files.write(&next).map_err(|e| e.to_string())?;
        self.status.show(&next);
        self.status.renewed.fetch_add(1, Ordering::Relaxed);
        self.identity = next;
        tracing::info!(not_after = self.identity.not_after(), "node::tls_certificate_renewed");
        Ok(())
    }

    /// A failure is a warning while there is time, and an error in the last sixth of the certificate's life.
    fn report(&self, reason: &str, now_s: i64) {
        self.status.failed.fetch_add(1, Ordering::Relaxed);
        let left_s = self.identity.not_after().saturating_sub(now_s);
        if self.status.is_alarming(now_s) {
            tracing::error!(reason, left_s, "node::tls_certificate_not_renewed");
        } else {
            tracing::warn!(reason, left_s, "node::tls_certificate_not_renewed");
        }
    }
}

#[cfg(test)]
mod tests;
