//! What the API is given: the evidence service, and what it stands on.

use std::sync::{Arc, Mutex};

use changbai_api::attachments::Attachments;
use changbai_api::batch::BatchStore;
use changbai_api::idempotency::AnswerLog;
use changbai_api::limits::Limits;
use changbai_api::{ApiParts, ApiState, Gateways};
use changbai_core::{AgencyProfile, EvidenceService, LedgerClient};
use changbai_custody::Custody;
use changbai_time::TokenSource;
use changbai_wire::time::Clock;
use smkit::OsRandom;
use smkit::selftest::SelfTest;

use crate::channels::{Channels, NodeChannel};
use crate::config::ValidConfig;
use crate::court;
use crate::directory::Directory;
use crate::documents;
use crate::embedded::EmbeddedLedger;
use crate::error::StartError;
use crate::health::NodeHealth;
use crate::identity;
use crate::listeners::Protection;
use crate::process_log::{self, ProcessLogs};
use crate::time::NodeTime;
use crate::time_stamps::TimeStamps;
use crate::transparency::{Transparency, TransparencyParts};
use crate::verdicts;

/// What the API is made of, and what else of it the node drives.
pub(crate) struct Wired {
    pub(crate) state: ApiState,
    pub(crate) evidence: Arc<EvidenceService>,
    pub(crate) logs: Arc<Transparency>,
    pub(crate) process: Arc<ProcessLogs>,
}

pub(crate) fn wire_api(
    directory: &Directory,
    config: &ValidConfig,
    channels: &Arc<Channels>,
    channel: &Arc<NodeChannel>,
    time: &NodeTime,
    self_test: SelfTest,
    protection: &Protection,
    time_stamps: &TimeStamps,
    custody: Arc<Custody>,
) -> Result<Wired, StartError> {
    let clock = &time.clock();
    let ledger: Arc<dyn LedgerClient> = Arc::new(EmbeddedLedger::new(channel, Arc::clone(clock)));
    let agency = &config.settings.agency;
    let service = EvidenceService::new(
        Arc::clone(&ledger),
        Arc::clone(&custody) as Arc<dyn changbai_core::OpeningStore>,
        Arc::clone(clock),
        Arc::new(Mutex::new(OsRandom)),
        AgencyProfile {
            region: agency.region.clone(),
            code: config.agency_code,
            msp_id: agency.msp_id.clone(),
            name: agency.name.clone(),
        },
    )
    .map_err(|e| StartError::Wiring(e.to_string()))?;
    let process = process_log::open(directory, channel, &ledger)?;
    let journal = Arc::clone(&process.log) as _;
    let service = service.with_process_log(journal, process.certificate_sm3);
    let service = match time.gate() {
        Some(gate) => service.with_time_gate(gate),
        None => service,
    };
    let health = NodeHealth::new(
        Arc::clone(&ledger),
        time.clone(),
        config.settings.platform.filing_number.clone(),
        self_test,
        Arc::clone(&protection.status),
    );
    if let Some(number) = config.issuer.filing_number().filter(|number| !number.is_usual()) {
        // Nothing published fixes the form: a warning, no refusal.
        tracing::warn!(number = number.as_str(), "node::filing_number_of_unusual_form");
    }
    let limits =
        Limits { upload_bytes_max: config.settings.node.upload_bytes_max, ..Limits::default() };
    let answers = AnswerLog::open(&directory.idempotency(), limits.idempotency_entries_max)
        .map_err(|e| StartError::file(&directory.idempotency(), e))?;
    let batches = BatchStore::open(&directory.batches())
        .map_err(|e| StartError::file(&directory.batches(), e))?;
    let tokens = time_stamps.source.clone().map(|source| source as Arc<dyn TokenSource>);
    let logs = transparency(directory, config, channels, clock, tokens)?;
    let evidence = Arc::new(service.with_offload(Arc::new(offload)));
    let state = ApiState::new(ApiParts {
        evidence: Arc::clone(&evidence),
        ledger,
        custody,
        channel: Arc::clone(channel) as _,
        channels: Arc::clone(channels) as _,
        clock: Arc::clone(clock),
        health: Arc::new(health),
        batches: Arc::new(batches),
        answers: Arc::new(answers),
        gateways: Gateways::new(config.gateways.clone()),
        authority: protection.authority(),
        time_stamps: time_stamps.service.clone(),
        logs: Some(Arc::clone(&logs) as _),
        documents: documents::open(directory, config, clock, time_stamps.source.clone())?,
        attachments: Attachments { checkpoints: Some(Arc::clone(&logs) as _) },
        anchoring: Some(Arc::clone(&process) as _),
        court: Some(court::access(directory, &config.settings.court)?),
        verdicts: Some(verdicts::open(directory)?),
        limits,
    });
    Ok(Wired { state, evidence, logs, process })
}

fn transparency(
    directory: &Directory,
    config: &ValidConfig,
    channels: &Arc<Channels>,
    clock: &Arc<dyn Clock>,
    tokens: Option<Arc<dyn TokenSource>>,
) -> Result<Arc<Transparency>, StartError> {
    let dir = directory.identity();
    let (key, certificates) = identity::log_signer(&dir, config, clock.now().at.seconds())?;
    let parts = TransparencyParts {
        key,
        certificates,
        witnesses: config.witnesses.clone(),
        tls_roots: identity::further_tls_roots(&dir)?,
        tokens,
        clock: Arc::clone(clock),
    };
    Transparency::new(directory, channels, parts)
}

/// File work leaves the runtime's threads; the runtime waits for it when it ends.
fn offload(job: Box<dyn FnOnce() + Send>) {
    drop(tokio::task::spawn_blocking(job));
}
