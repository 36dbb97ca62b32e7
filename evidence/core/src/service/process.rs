//! The process log of the records that this service makes and shows.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use smkit::sm3::{Sm3Digest, sm3};

use super::{EvidenceService, QueryError, Stored, SubmitError};
use crate::{
    canonical,
    ledger::Committed,
    limits::{PROCESS_ENTRIES_MAX, SEEN_LATELY_MAX},
    process::{
        Actor, ActorRole, JournalError, NewEntry, ProcessDocument, ProcessJournal, Step, detail,
    },
    record::{Record, RecordTime},
};

/// When and in which role a submission was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    /// When all of it had arrived.
    pub collected: RecordTime,
    /// When its digests were computed, or compared.
    pub hashed: RecordTime,
    /// In which role the submitter handed it in.
    pub role: ActorRole,
}

/// Where this service logs, and as whom.
pub(super) struct Trail {
    journal: Arc<dyn ProcessJournal>,
    node: Actor,
    /// What strangers did to which record within the same minute: logged once.
    lately: Mutex<(u64, HashSet<Seen>)>,
    /// Records on their way to the ledger: their outcome will be logged by whoever waits for it.
    under_way: Mutex<HashSet<Sm3Digest>>,
}

/// Record, step and detail of an anonymous step.
type Seen = (Sm3Digest, Step, Sm3Digest);

/// A record on its way to the ledger, for as long as this lives.
pub(super) struct UnderWay<'a>(Option<(&'a Trail, Sm3Digest)>);

impl Trail {
    pub(super) fn new(journal: Arc<dyn ProcessJournal>, node: Actor) -> Self {
        Self { journal, node, lately: Mutex::default(), under_way: Mutex::default() }
    }

    /// Whether an anonymous step is the first of its kind on this record within a minute. Strangers may ask as often
    /// as they like; what they can make the log grow by is bounded.
    fn is_first(&self, entry: &NewEntry) -> bool {
        let mut lately = self.lately.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = entry.at.at_ms / 60_000;
        if lately.0 != minute || lately.1.len() >= SEEN_LATELY_MAX {
            *lately = (minute, HashSet::new());
        }
        lately.1.insert((entry.record_sm3, entry.step, entry.detail))
    }

    /// `None` if somebody else waits for the record's outcome already.
    fn set_out(&self, record_sm3: Sm3Digest) -> Option<UnderWay<'_>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.insert(record_sm3).then_some(UnderWay(Some((self, record_sm3))))
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let Some((trail, record_sm3)) = self.0 else { return };
        trail.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&record_sm3);
    }
}

fn has(document: &ProcessDocument, step: Step) -> bool {
    document.entries.iter().any(|entry| entry.step == step)
}

/// Whether nothing is to be added: the outcome is logged, or a document holds no more.
fn is_settled(document: &ProcessDocument) -> bool {
    has(document, Step::Committed) || document.entries.len() >= PROCESS_ENTRIES_MAX
}

impl EvidenceService {
    /// A submission that is handed in, whole and hashed, now, by somebody who may submit.
    pub fn handed(&self) -> Handed {
        let now = self.now();
        Handed { collected: now, hashed: now, role: ActorRole::Client }
    }

    /// The clock's reading as a record carries it.
    pub fn now(&self) -> RecordTime {
        let reading = self.clock.now();
        RecordTime { at_ms: reading.at.0, bound_us: reading.bound_us }
    }

    /// Whether steps are logged.
    pub fn has_process_log(&self) -> bool {
        self.trail.is_some()
    }

    /// Logs that somebody did something with a record; durable soon. What strangers do within a minute to one record
    /// is logged once for each kind of step.
    ///
    /// # Errors
    /// [`JournalError`]; nothing was logged.
    pub fn log_step(
        &self,
        record: &Record,
        step: Step,
        actor: Actor,
        detail: Sm3Digest,
    ) -> Result<(), JournalError> {
        let Some(trail) = &self.trail else { return Ok(()) };
        let entry = self.entry(record, step, actor, detail);
        if actor.certificate_sm3.is_none() && !trail.is_first(&entry) {
            return Ok(());
        }
        trail.journal.note(vec![entry])
    }

    /// Logs that somebody did something with a record. Durable when this returns.
    ///
    /// # Errors
    /// [`JournalError`]; it may not have been logged.
    pub async fn log_step_durably(
        &self,
        record: &Record,
        step: Step,
        actor: Actor,
        detail: Sm3Digest,
    ) -> Result<(), JournalError> {
        let Some(trail) = &self.trail else { return Ok(()) };
        trail.journal.append(vec![self.entry(record, step, actor, detail)]).await
    }

    /// Waits until everything logged so far is durable.
    ///
    /// # Errors
    /// [`JournalError`].
    pub async fn log_durable(&self) -> Result<(), JournalError> {
        let Some(trail) = &self.trail else { return Ok(()) };
        trail.journal.append(Vec::new()).await
    }

    /// The process log of a record, everything logged so far included. `None` if this node did not make the record, and
    /// so cannot have logged all of its life.
    ///
    /// # Errors
    /// [`QueryError::ProcessLog`], or what the ledger says.
    pub async fn process(&self, stored: &Stored) -> Result<Option<ProcessDocument>, QueryError> {
        let Some(trail) = &self.trail else { return Ok(None) };
        let record_sm3 = sm3(stored.record.as_bytes());
        let Some(document) = self.document(trail, record_sm3).await? else { return Ok(None) };
        if is_settled(&document) {
            return Ok(Some(document));
        }
        // The node did not live to log the outcome: the ledger knows it. Unless it is being logged right now.
        let Some(_alone) = trail.set_out(record_sm3) else { return Ok(None) };
        let Some(document) = self.document(trail, record_sm3).await? else { return Ok(None) };
        if is_settled(&document) {
            return Ok(Some(document));
        }
        let found = self.ledger.transaction(&stored.tx_id).await?;
        let (block_number, index) = (found.block_number, found.index);
        let committed = self.committed(&stored.record, &stored.tx_id, block_number, index);
        trail.journal.append(committed).await?;
        self.document(trail, record_sm3).await
    }

    /// The process log up to the record's commitment, without an anchor: the same whenever it is asked for, as long as
    /// the node has it. `None` as for [`process`](Self::process), or while the outcome is not logged.
    ///
    /// # Errors
    /// As [`process`](Self::process).
    pub async fn recording(&self, stored: &Stored) -> Result<Option<ProcessDocument>, QueryError> {
        let (Some(trail), Some(whole)) = (&self.trail, self.process(stored).await?) else {
            return Ok(None);
        };
        let committed = whole.entries.iter().position(|entry| entry.step == Step::Committed);
        let Some(last) = committed else { return Ok(None) };
        let record_sm3 = whole.record_sm3;
        let journal = Arc::clone(&trail.journal);
        let read = self.run(move || journal.document(&record_sm3, last.saturating_add(1)));
        Ok(read.await??.map(|document| ProcessDocument { anchor: None, ..document }))
    }

    /// What is logged of a record that this node submitted.
    async fn document(
        &self,
        trail: &Trail,
        record_sm3: Sm3Digest,
    ) -> Result<Option<ProcessDocument>, QueryError> {
        // Whatever was noted before is durable once nothing has been.
        trail.journal.append(Vec::new()).await?;
        let journal = Arc::clone(&trail.journal);
        let read = self.run(move || journal.document(&record_sm3, PROCESS_ENTRIES_MAX)).await??;
        Ok(read.filter(|document| has(document, Step::Submitted)))
    }

    /// Before a record goes to the ledger: that it was collected, hashed, and is handed over now. Keep what it returns until the outcome
    /// is logged.
    pub(super) async fn log_submission(
        &self,
        record: &Record,
        handed: &Handed,
    ) -> Result<UnderWay<'_>, SubmitError> {
        let Some(trail) = &self.trail else { return Ok(UnderWay(None)) };
        let submitter = Actor::known(record.parts().submitter.certificate_sm3, handed.role);
        let collected = self.entry(record, Step::Collected, submitter, detail::collected(record));
        let hashed = self.entry(record, Step::Hashed, trail.node, detail::hashed(record));
        let submitted = self.entry(record, Step::Submitted, trail.node, detail::submitted(record));
        let collected_sm3 = collected.record_sm3;
        let steps = vec![
            NewEntry { at: handed.collected, ..collected },
            NewEntry { at: handed.hashed, ..hashed },
            submitted,
        ];
        let set_out = trail.set_out(collected_sm3);
        trail.journal.append(steps).await?;
        Ok(set_out.unwrap_or(UnderWay(None)))
    }

    /// After it is on the ledger. What cannot be logged now is made up for from the ledger when the log is asked for.
    pub(super) fn log_committed(&self, record: &Record, committed: &Committed) {
        let Some(trail) = &self.trail else { return };
        let Committed { tx_id, block_number, index, .. } = committed;
        let _ = trail.journal.note(self.committed(record, tx_id, *block_number, *index));
    }

    fn committed(
        &self,
        record: &Record,
        tx_id: &str,
        block_number: u64,
        index: u32,
    ) -> Vec<NewEntry> {
        let (Some(trail), Some(tx_id)) = (&self.trail, canonical::digest(tx_id)) else {
            return Vec::new();
        };
        let place = detail::committed(&tx_id, block_number, index);
        vec![
            self.entry(record, Step::Endorsed, trail.node, tx_id),
            self.entry(record, Step::Committed, trail.node, place),
        ]
    }

    fn entry(&self, record: &Record, step: Step, actor: Actor, detail: Sm3Digest) -> NewEntry {
        let record_sm3 = sm3(record.as_bytes());
        NewEntry { record: *record.id(), record_sm3, step, at: self.now(), actor, detail }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JournalError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.offload.offload(Box::new(move || {
            // The receiver is gone when the caller gave up.
            let _ = sender.send(work());
        }));
        let ended = || JournalError::Io { reason: "the worker ended before its work".to_owned() };
        receiver.await.map_err(|_| ended())
    }
}
