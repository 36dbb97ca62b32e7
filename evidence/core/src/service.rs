//! Submit evidence and read it back, over any [`LedgerClient`].

mod court;
mod directory;
mod error;
mod flight;
mod process;
mod query;
mod serials;
mod submission;
#[cfg(test)]
mod tests;
mod time_gate;

use std::sync::{Arc, Mutex, PoisonError};

use changbai_wire::time::Clock;
use smkit::{Random, sm3::Sm3Digest};

pub use court::CourtQuery;
pub use directory::{Admission, Admitted};
pub use error::{QueryError, SubmitError};
pub use process::Handed;
pub use query::{Listed, Page, Query};
pub use submission::{Submission, Submitted, Submitter};
pub use time_gate::{TimeGate, TimeRefusal};

use crate::{
    commitment::Opening,
    contract::{self, StoredRecord, Version, VersionChain},
    evidence_id::EvidenceId,
    ledger::{BoxFuture, LedgerClient, LedgerError, LedgerProof},
    openings::{OpeningStore, OpeningStoreError},
    process::{Actor, ActorRole, ProcessJournal},
    record::{Agency, Record, RecordError},
    uscc::Uscc,
};
use flight::Flights;
use process::Trail;
use serials::Serials;

/// Submits evidence and reads it back. Share one per process: it removes duplicates in flight and hands out serials.
pub struct EvidenceService {
    ledger: Arc<dyn LedgerClient>,
    openings: Arc<dyn OpeningStore>,
    clock: Arc<dyn Clock>,
    random: Arc<Mutex<dyn Random + Send>>,
    agency: AgencyProfile,
    offload: Arc<dyn Offload>,
    flights: Flights,
    serials: Serials,
    time_gate: Option<Arc<dyn TimeGate>>,
    trail: Option<Trail>,
}

/// The agency in whose name this service records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgencyProfile {
    /// Region (行政区划, GB/T 2260), six digits.
    pub region: String,
    /// Unified social credit code.
    pub code: Uscc,
    /// Organisation on the ledger; the ledger identity that submits must belong to it.
    pub msp_id: String,
    /// Name.
    pub name: String,
}

/// A record on the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// The transaction that wrote it, 64 lower-case hexadecimal digits.
    pub tx_id: String,
    /// Number of the transaction's block.
    pub block_number: u64,
    /// The block's time, unix milliseconds.
    pub committed_at_ms: u64,
}

/// Runs blocking work elsewhere, such as `tokio::task::spawn_blocking`. Implemented for closures.
pub trait Offload: Send + Sync {
    /// Runs `job` soon; it must not be dropped unrun unless the process ends.
    fn offload(&self, job: Box<dyn FnOnce() + Send>);
}

impl<F: Fn(Box<dyn FnOnce() + Send>) + Send + Sync> Offload for F {
    fn offload(&self, job: Box<dyn FnOnce() + Send>) {
        self(job);
    }
}

impl EvidenceService {
    /// A service for `agency`. The first submission of a day asks the ledger for the last serial.
    ///
    /// # Errors
    /// [`RecordError`] if the agency could never record (region, MSP id or name).
    pub fn new(
        ledger: Arc<dyn LedgerClient>,
        openings: Arc<dyn OpeningStore>,
        clock: Arc<dyn Clock>,
        random: Arc<Mutex<dyn Random + Send>>,
        agency: AgencyProfile,
    ) -> Result<Self, RecordError> {
        agency.check()?;
        Ok(Self {
            ledger,
            openings,
            clock,
            random,
            agency,
            offload: Arc::new(|job: Box<dyn FnOnce() + Send>| job()),
            flights: Flights::default(),
            serials: Serials::default(),
            time_gate: None,
            trail: None,
        })
    }

    /// Runs the opening store's blocking calls through `offload`; without it they run where the future is polled.
    #[must_use]
    pub fn with_offload(mut self, offload: Arc<dyn Offload>) -> Self {
        self.offload = offload;
        self
    }

    /// Records nothing while the clock has no bound; `gate` says why. Without a gate records may be without one, and
    /// say so (`"source":"local"`).
    #[must_use]
    pub fn with_time_gate(mut self, gate: Arc<dyn TimeGate>) -> Self {
        self.time_gate = Some(gate);
        self
    }

    /// Logs each step of each record's life in `journal`, this node's own steps under its certificate; records nothing
    /// that could not be logged.
    #[must_use]
    pub fn with_process_log(
        mut self,
        journal: Arc<dyn ProcessJournal>,
        node_certificate_sm3: Sm3Digest,
    ) -> Self {
        self.trail = Some(Trail::new(journal, Actor::known(node_certificate_sm3, ActorRole::Node)));
        self
    }

    /// Whether a submission would be refused for want of a bound; ask before taking in what belongs to it.
    ///
    /// # Errors
    /// [`SubmitError::Time`].
    pub fn check_time(&self) -> Result<(), SubmitError> {
        let refusal = self.time_gate.as_ref().and_then(|gate| gate.refusal());
        refusal.map_or(Ok(()), |refusal| Err(SubmitError::Time(Box::new(refusal))))
    }

    /// The agency in whose name this service records.
    pub fn agency(&self) -> &AgencyProfile {
        &self.agency
    }

    /// The ledger behind it.
    pub fn ledger(&self) -> &Arc<dyn LedgerClient> {
        &self.ledger
    }

    /// The record with this id; `None` if there is none.
    ///
    /// # Errors
    /// [`QueryError::Ledger`], or [`QueryError::Malformed`] if the ledger holds something else under the id.
    pub async fn get(&self, id: &EvidenceId) -> Result<Option<Stored>, QueryError> {
        let answer = self.evaluate(contract::GET, vec![id.to_string().into_bytes()]).await?;
        if answer.is_empty() {
            return Ok(None);
        }
        let stored = self.locate(StoredRecord::from_bytes(&answer)?).await?;
        if stored.record.id() != id {
            return Err(QueryError::Malformed { what: "the record under the id has another id" });
        }
        Ok(Some(stored))
    }

    /// All versions of the evidence that `id` belongs to, oldest first; empty if there is no such record.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn history(&self, id: &EvidenceId) -> Result<Vec<Version>, QueryError> {
        let answer = self.evaluate(contract::HISTORY, vec![id.to_string().into_bytes()]).await?;
        Ok(VersionChain::from_bytes(&answer)?.versions)
    }

    /// The proof of the transaction that wrote `stored`. Waits for nothing: a fresh record is not yet proven.
    ///
    /// # Errors
    /// [`LedgerError::NotYetProven`] for the moments between a block and the next header.
    pub async fn proof(&self, stored: &Stored) -> Result<LedgerProof, LedgerError> {
        self.ledger.proof(&stored.tx_id).await
    }

    /// The openings of a record's commitments, if this agency holds them.
    ///
    /// # Errors
    /// [`OpeningStoreError`].
    pub async fn openings(
        &self,
        record: &Record,
    ) -> Result<Option<Vec<Opening>>, OpeningStoreError> {
        let record = record.clone();
        self.with_openings(move |store| store.openings(&record)).await
    }

    /// Erases the openings of a record: its personal values can never be shown again, its proofs stay valid.
    ///
    /// # Errors
    /// [`OpeningStoreError`].
    pub async fn erase_openings(&self, record: &Record) -> Result<(), OpeningStoreError> {
        let record = record.clone();
        self.with_openings(move |store| store.erase(&record)).await
    }

    /// Joins a record with the place of its transaction.
    async fn locate(&self, stored: StoredRecord) -> Result<Stored, QueryError> {
        let record = Record::from_bytes(&stored.record)?;
        let tx_id = stored.tx_id.to_string();
        let transaction = self.ledger.transaction(&tx_id).await?;
        Ok(Stored {
            record,
            tx_id,
            block_number: transaction.block_number,
            committed_at_ms: transaction.time_ms,
        })
    }

    fn evaluate(
        &self,
        function: &str,
        args: Vec<Vec<u8>>,
    ) -> BoxFuture<'_, Result<Vec<u8>, LedgerError>> {
        self.ledger.evaluate(contract::NAME, function, args)
    }

    async fn with_openings<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn OpeningStore) -> Result<T, OpeningStoreError> + Send + 'static,
    ) -> Result<T, OpeningStoreError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let store = Arc::clone(&self.openings);
        self.offload.offload(Box::new(move || {
            // The receiver is gone when the caller gave up; the work is done all the same.
            let _ = sender.send(work(store.as_ref()));
        }));
        receiver.await.unwrap_or_else(|_| {
            Err(OpeningStoreError::Io { reason: "the worker ended before its work".to_owned() })
        })
    }

    fn random_bytes(&self, out: &mut [u8]) -> Result<(), SubmitError> {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        random.fill(out).map_err(|_| SubmitError::Random)
    }
}

impl AgencyProfile {
    fn check(&self) -> Result<(), RecordError> {
        let day = crate::date::CivilDate::new(2026, 1, 1)
            .map_err(|_| RecordError::Part { part: "time.at_ms", expected: "a calendar day" })?;
        EvidenceId::compose(&self.region, &self.code, day, 0)
            .map_err(|reason| RecordError::Id { part: "agency", reason })?;
        crate::record::check_agency(&self.msp_id, &self.name)
    }

    fn to_agency(&self) -> Agency {
        Agency { code: self.code, msp_id: self.msp_id.clone(), name: self.name.clone() }
    }
}

impl std::fmt::Debug for EvidenceService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EvidenceService").field("agency", &self.agency).finish_non_exhaustive()
    }
}
