//! What the API is given: the evidence service, and what it stands on.

use std::sync::{Arc, Mutex};

use changbai_api::documents::Documents;
use changbai_api::idempotency::AnswerLog;
use changbai_api::limits::Limits;
use changbai_api::{ApiParts, ApiState, Gateways};
use changbai_core::{AgencyProfile, EvidenceService, LedgerClient};
use changbai_custody::Custody;
use smkit::OsRandom;
use smkit::selftest::SelfTest;

use crate::channels::{Channels, NodeChannel};
use crate::config::ValidConfig;
use crate::directory::Directory;
use crate::embedded::EmbeddedLedger;
use crate::error::StartError;
use crate::health::NodeHealth;
use crate::listeners::Protection;
use crate::process_log::{self, ProcessLogs};
use crate::time::NodeTime;
use crate::{court, time_stamps};

pub(crate) fn wire_api(
    directory: &Directory,
    config: &ValidConfig,
    channels: &Arc<Channels>,
    channel: &Arc<NodeChannel>,
    time: &NodeTime,
    self_test: SelfTest,
    protection: &Protection,
) -> Result<(ApiState, Arc<EvidenceService>, Arc<ProcessLogs>), StartError> {
    let clock = &time.clock();
    let custody = Arc::new(Custody::open(&directory.custody(), &mut OsRandom)?);
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
    let logs = process_log::open(directory, channel, &ledger)?;
    let journal = Arc::clone(&logs.log) as _;
    let service = service.with_process_log(journal, logs.certificate_sm3);
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
    let evidence = Arc::new(service.with_offload(Arc::new(offload)));
    let state = ApiState::new(ApiParts {
        evidence: Arc::clone(&evidence),
        ledger,
        custody,
        channel: Arc::clone(channel) as _,
        channels: Arc::clone(channels) as _,
        clock: Arc::clone(clock),
        health: Arc::new(health),
        answers: Arc::new(answers),
        gateways: Gateways::new(config.gateways.clone()),
        authority: protection.authority(),
        time_stamps: time_stamps::open(directory, config, time)?,
        documents: Documents { issuer: Some(config.issuer.clone()), signer: None },
        anchoring: Some(Arc::clone(&logs) as _),
        court: Some(court::access(directory, &config.settings.court)?),
        limits,
    });
    Ok((state, evidence, logs))
}

/// File work leaves the runtime's threads; the runtime waits for it when it ends.
fn offload(job: Box<dyn FnOnce() + Send>) {
    drop(tokio::task::spawn_blocking(job));
}
