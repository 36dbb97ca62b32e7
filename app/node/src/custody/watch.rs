//! What a node does about originals by itself: it compares them with the ledger's records, and audits them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use changbai_core::{CustodyMode, EvidenceService, Query};
use changbai_custody::{AuditEnd, Claim, Custody, CustodyError, Finding, Outcome};
use changbai_wire::time::Clock;
use smkit::Sm3Digest;
use tokio::sync::watch::Receiver;
use tokio::task::{JoinHandle, spawn_blocking};

use super::AUDIT_NOW;
use crate::clock_watch::Uptime;
use crate::config::CustodyPlan;
use crate::directory::{read_small, write_whole};
use crate::facts::CustodyFacts;

/// What operators are told of custody.
pub(crate) struct CustodyStatus {
    custody: Arc<Custody>,
    audit_every_ms: Option<u64>,
    audited_bytes: AtomicU64,
    findings: [AtomicU64; 3],
    /// What the store, or custody's own files, last refused; none since it last worked.
    failure: Mutex<Option<String>>,
}

/// The tasks around custody.
pub(crate) struct CustodyWatch {
    pub(crate) status: Arc<CustodyStatus>,
    evidence: Arc<EvidenceService>,
    plan: CustodyPlan,
    clock: Arc<dyn Clock>,
    uptime: Uptime,
    dir: PathBuf,
    msp_id: String,
    claims: tokio::sync::Mutex<Claims>,
}

/// How the comparison of records with originals stands.
struct Claims {
    /// Records of before this time have been compared, Unix milliseconds.
    until_ms: u64,
    /// Records whose original is not held.
    unheld: BTreeMap<(String, Sm3Digest), u64>,
}

/// A record's word that it has an original here, and until when that must stay.
type Wanted = (String, Sm3Digest, u64);

impl CustodyStatus {
    pub(crate) fn facts(&self) -> CustodyFacts {
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let [intact, damaged, missing] = &self.findings;
        let mut facts = CustodyFacts {
            audit_every_ms: self.audit_every_ms,
            audited_bytes: count(&self.audited_bytes),
            found_intact: count(intact),
            found_damaged: count(damaged),
            found_missing: count(missing),
            failure: self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            ..CustodyFacts::default()
        };
        match self.custody.audit_state() {
            Ok(state) => {
                facts.audit_ended_ms = state.ended_at_ms;
                facts.audit_began_ms = state.began_at_ms;
                facts.last = state.last;
                facts.lost = state.lost;
                facts.unheld = state.unheld;
            }
            Err(error) => facts.failure = Some(error.to_string()),
        }
        facts
    }

    fn note<T>(&self, result: Result<T, CustodyError>) -> Option<T> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(value) => {
                *failure = None;
                Some(value)
            }
            Err(error) => {
                *failure = Some(error.to_string());
                None
            }
        }
    }

    fn count(&self, finding: &Finding) {
        let [intact, damaged, missing] = &self.findings;
        let of = match finding.outcome {
            Outcome::Intact => intact,
            Outcome::Damaged => damaged,
            Outcome::Missing => missing,
            Outcome::Erased => return,
        };
        of.fetch_add(1, Ordering::Relaxed);
    }
}

impl CustodyWatch {
    pub(crate) fn new(
        custody: Arc<Custody>,
        evidence: Arc<EvidenceService>,
        plan: CustodyPlan,
        clock: Arc<dyn Clock>,
        uptime: Uptime,
        dir: PathBuf,
        msp_id: &str,
    ) -> Self {
        let status = CustodyStatus {
            custody,
            audit_every_ms: plan.audit_every_ms,
            audited_bytes: AtomicU64::new(0),
            findings: Default::default(),
            failure: Mutex::new(None),
        };
        let claimed = read_small(&dir.join(CLAIMED)).ok().flatten();
        let claimed = claimed.and_then(|bytes| String::from_utf8(bytes).ok());
        // What cannot be read is compared anew, from the first record on.
        let until_ms = claimed.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let claims = Claims { until_ms, unheld: BTreeMap::new() };
        Self {
            status: Arc::new(status),
            evidence,
            plan,
            clock,
            uptime,
            dir,
            msp_id: msp_id.to_owned(),
            claims: tokio::sync::Mutex::new(claims),
        }
    }

    /// Starts both tasks; they end when the node stops.
    pub(crate) fn start(self, stopped: &Receiver<bool>) -> Vec<JoinHandle<()>> {
        let watch = Arc::new(self);
        let (comparing, auditing) = (Arc::clone(&watch), watch);
        #[expect(clippy::disallowed_methods, reason = "tasks of the node; shutdown joins them")]
        let tasks = vec![
            tokio::spawn(comparing.compare_always(stopped.clone())),
            tokio::spawn(auditing.audit_always(stopped.clone())),
        ];
        tasks
    }

    async fn compare_always(self: Arc<Self>, mut stopped: Receiver<bool>) {
        loop {
            self.compare(false, &stopped).await;
            let wait = tokio::time::timeout(COMPARE_EVERY, stopped.wait_for(|stop| *stop));
            if wait.await.is_ok() {
                return;
            }
        }
    }

    /// Goes through the records since the last time, with some overlap, or through all of them, and through those whose
    /// original was not held before.
    async fn compare(&self, all: bool, stopped: &Receiver<bool>) {
        let mut claims = self.claims.lock().await;
        let custody = Arc::clone(&self.status.custody);
        let store = spawn_blocking(move || custody.check_store()).await;
        if store.ok().and_then(|answer| self.status.note(answer)).is_none() {
            return;
        }
        let now_ms = self.clock.now().at.0;
        let from_ms = if all { 0 } else { claims.until_ms.saturating_sub(OVERLAP_MS) };
        let again = claims.unheld.iter();
        let mut wanted: Vec<Wanted> =
            again.map(|((record, sm3), until)| (record.clone(), *sm3, *until)).collect();
        let mut cursor = None;
        let mut found = claims.unheld.clone();
        loop {
            let query =
                Query { from_ms: Some(from_ms), cursor, limit: Some(PAGE), ..Query::default() };
            let page = match self.evidence.list(&query).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%error, "custody::records_not_read");
                    return;
                }
            };
            wanted.extend(page.items.iter().flat_map(|listed| self.wanted(&listed.record)));
            let custody = Arc::clone(&self.status.custody);
            let asked = std::mem::take(&mut wanted);
            let Ok(answers) = spawn_blocking(move || claim(&custody, asked)).await else { return };
            let Some(answers) = self.status.note(answers) else { return };
            for ((record, sm3, until_ms), held) in answers {
                if held {
                    found.remove(&(record, sm3));
                } else {
                    found.insert((record, sm3), until_ms);
                }
            }
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
            if *stopped.borrow() {
                return;
            }
        }
        claims.unheld = found;
        let unheld: Vec<_> = claims.unheld.keys().cloned().collect();
        let (custody, path) = (Arc::clone(&self.status.custody), self.dir.join(CLAIMED));
        let kept = spawn_blocking(move || {
            let kept = custody.keep_unheld(&unheld);
            drop(write_whole(&path, now_ms.to_string().as_bytes(), 0o600));
            kept
        });
        if kept.await.ok().and_then(|kept| self.status.note(kept)).is_some() {
            claims.until_ms = now_ms;
        }
    }

    /// What a record of this agency says about originals here.
    fn wanted(&self, record: &changbai_core::Record) -> Vec<Wanted> {
        let parts = record.parts();
        if parts.agency.msp_id != self.msp_id {
            return Vec::new();
        }
        let retention_ms = self.plan.retention_ms(parts.business_type);
        let until_ms = parts.time.at_ms.saturating_add(retention_ms);
        let here = parts.originals.iter().filter(|o| o.custody == CustodyMode::Platform);
        here.map(|original| (parts.id.to_string(), original.sm3, until_ms)).collect()
    }

    async fn audit_always(self: Arc<Self>, mut stopped: Receiver<bool>) {
        loop {
            if self.is_due() {
                // Whatever it finds is judged by records that are known.
                self.compare(true, &stopped).await;
                self.audit(&mut stopped).await;
            }
            let wait = tokio::time::timeout(LOOK_EVERY, stopped.wait_for(|stop| *stop));
            if wait.await.is_ok() {
                return;
            }
        }
    }

    fn is_due(&self) -> bool {
        if std::fs::remove_file(self.dir.join(AUDIT_NOW)).is_ok() {
            return true;
        }
        let failed = self.status.failure.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let (Some(every_ms), false) = (self.plan.audit_every_ms, failed) else { return false };
        let Ok(state) = self.status.custody.audit_state() else { return false };
        let now_ms = self.clock.now().at.0;
        state.began_at_ms > 0 || now_ms.saturating_sub(state.ended_at_ms) >= every_ms
    }

    async fn audit(&self, stopped: &mut Receiver<bool>) {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, status) = (Arc::clone(&stop), Arc::clone(&self.status));
        let (uptime, bytes_per_s) = (self.uptime, self.plan.audit_bytes_per_s);
        let mut auditing = spawn_blocking(move || {
            let began_ms = uptime.ms();
            let mut read = 0_u64;
            let mut pace = |bytes: u64| {
                read = read.saturating_add(bytes);
                status.audited_bytes.fetch_add(bytes, Ordering::Relaxed);
                let due_ms = read.saturating_mul(1_000) / bytes_per_s.max(1);
                while !told.load(Ordering::Relaxed) {
                    let ahead_ms = due_ms.saturating_sub(uptime.ms().saturating_sub(began_ms));
                    if ahead_ms == 0 {
                        return true;
                    }
                    std::thread::sleep(Duration::from_millis(ahead_ms.min(PAUSE_MS)));
                }
                false
            };
            status.custody.audit(&mut pace, &mut |finding| status.count(finding))
        });
        let ended = tokio::select! {
            ended = &mut auditing => ended,
            () = told_to_stop(stopped) => {
                stop.store(true, Ordering::Relaxed);
                auditing.await
            }
        };
        let Ok(ended) = ended else { return };
        if let Some(AuditEnd::Complete(counts)) = self.status.note(ended) {
            let changbai_custody::Counts { intact, damaged, missing, unrecorded, bytes, .. } =
                counts;
            tracing::info!(intact, damaged, missing, unrecorded, bytes, "custody::audited");
        }
    }
}

async fn told_to_stop(stopped: &mut Receiver<bool>) {
    // An error means the sender is gone, which is a stop as well.
    drop(stopped.wait_for(|stop| *stop).await);
}

/// Whether each original is held. One whose entry is damaged is not; a store that does not answer ends it.
fn claim(custody: &Custody, wanted: Vec<Wanted>) -> Result<Vec<(Wanted, bool)>, CustodyError> {
    let mut answers = Vec::with_capacity(wanted.len());
    for (record, sm3, until_ms) in wanted {
        let held = match custody.claim(&sm3, &record, until_ms) {
            Ok(claim) => claim != Claim::NotHeld,
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => {
                tracing::error!(%error, record, "custody::original_unusable");
                false
            }
        };
        answers.push(((record, sm3, until_ms), held));
    }
    Ok(answers)
}

/// How far records have been compared.
const CLAIMED: &str = "claimed";
const COMPARE_EVERY: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A record's time is a little before its block.
const OVERLAP_MS: u64 = 3_600_000;
/// Records of a page, the most there are.
const PAGE: u32 = 200;
const PAUSE_MS: u64 = 100;
