//! Starting and stopping a node: the one place where all parts meet.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use changbai_api::idempotency::AnswerLog;
use changbai_api::limits::Limits;
use changbai_api::{ApiParts, ApiState, Gateways, Listener};
use changbai_channel::{
    Block, Channel, Halted, OpenError, Orderer, Parts, Recovery, SigningIdentity,
    Tuning,
};
use changbai_contract::Registry;
use changbai_contract_evidence::EvidenceContract;
use changbai_core::{AgencyProfile, EvidenceService, LedgerClient};
use changbai_custody::{Custody, CustodyError};
use changbai_msp::{ChannelConfig, Organisation, ValidatorConfig};
use changbai_receipt::{ChannelAnchor, Trust};
use changbai_storage::{StdFiles, StorageError};
use changbai_wire::time::Clock;
use smkit::OsRandom;
use smkit::selftest::SelfTest;
use smkit_pki::TrustAnchors;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::LocalClock;
use crate::config::{Config, ConfigError, Endpoint, ValidConfig};
use crate::directory::{Directory, Lock, read_small, write_whole};
use crate::embedded::EmbeddedLedger;
use crate::health::NodeHealth;
use crate::identity::{self, Identities};
use crate::listeners::{Protection, bind};
use crate::renewal::RenewalStatus;

/// The channel of an embedded node.
const CHANNEL: &str = "changchun";
/// How long open requests may take to end after a stop was asked for.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(10);
/// The ordering thread looks up at least this often.
const IDLE: Duration = Duration::from_secs(1);

/// Why a node does not start. Each text names the file or setting that is the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another process runs on the same directory.
    #[error("{dir} is in use by process {pid}", dir = .dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// Process id of the other one.
        pid: String,
    },
    /// A file cannot be read or written.
    #[error("{file}: {source}", file = .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate or key is missing, damaged or does not fit.
    #[error("{file}: {reason}", file = .file.display())]
    Identity {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The genesis block is missing or damaged while a ledger exists.
    #[error("{file}: {reason}", file = .file.display())]
    Genesis {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The ledger does not open.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// The store of originals does not open.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// The cryptographic self-test failed: nothing that this process signs could be relied on.
    #[error("the cryptographic self-test failed (SM2 {sm2}, SM3 {sm3}, SM4 {sm4})")]
    SelfTest {
        /// Result for SM2.
        sm2: bool,
        /// Result for SM3.
        sm3: bool,
        /// Result for SM4.
        sm4: bool,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A part refuses its settings.
    #[error("{0}")]
    Wiring(String),
}

impl StartError {
    /// The file that is damaged, the offset (0 where only the whole can be judged) and what is
    /// wrong there, when damage is what keeps the node from starting.
    #[must_use]
    pub fn damage(&self) -> Option<(&Path, u64, String)> {
        match self {
            Self::Identity { file, reason } | Self::Genesis { file, reason } => {
                Some((file, 0, reason.clone()))
            }
            Self::Ledger(OpenError::Storage(StorageError::Corrupt { file, offset, reason })) => {
                Some((file, *offset, reason.clone()))
            }
            Self::Custody(CustodyError::Damaged { file, offset, reason }) => {
                Some((file, *offset, (*reason).to_owned()))
            }
            _ => None,
        }
    }

    pub(crate) fn file(file: &Path, source: std::io::Error) -> Self {
        Self::File { file: file.to_owned(), source }
    }
}

/// Why a node did not stop in order. Nothing acknowledged is lost; the next start repairs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// Ordering had halted before.
    #[error(transparent)]
    Halted(#[from] Halted),
    /// The index could not be written out.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A task of the node panicked.
    #[error("a task of the node ended abnormally")]
    Task,
}

/// A node at work. Dropping it without [`shutdown`](Self::shutdown) is like a crash: safe, but
/// the next start has more to check.
#[derive(Debug)]
pub struct RunningNode {
    listen: Vec<Endpoint>,
    directory: Directory,
    first_start: bool,
    recovery: Recovery,
    channel: Channel,
    evidence: Arc<EvidenceService>,
    orderer: std::thread::JoinHandle<Result<Orderer, Halted>>,
    server: JoinHandle<()>,
    renewal: JoinHandle<()>,
    tls_status: Arc<RenewalStatus>,
    stop: watch::Sender<bool>,
    _lock: Lock,
}

/// Starts a node on its data directory, creating everything at the first start. When this
/// returns the node serves requests.
///
/// # Errors
///
/// [`StartError`]; nothing keeps running then.
pub async fn start(config: Config) -> Result<RunningNode, StartError> {
    let config = config.load()?;
    let (directory, lock) = Directory::take(&config.dir)?;
    let self_test = smkit::selftest::run();
    if !self_test.all() {
        let SelfTest { sm2, sm3, sm4, .. } = self_test;
        return Err(StartError::SelfTest { sm2, sm3, sm4 });
    }
    let clock: Arc<dyn Clock> = Arc::new(LocalClock);
    let first_start = !identity::exist(&directory.identity());
    if first_start {
        prepare(&directory, &config, clock.as_ref())?;
    }
    let now = clock.now().at;
    let (identities, tls_authority) =
        identity::load(&directory.identity(), &config, now.seconds(), &mut OsRandom)?;
    let genesis = load_genesis(&directory)?;
    let trust = trust(&genesis, &identities)?;
    repair_trust(&directory, &trust)?;
    let (channel, orderer, recovery) = open_channel(&directory, &identities, genesis, &clock)?;
    check_agency(&channel, &config)?;
    report(recovery);

    let protection =
        Protection::new(&directory, &config, tls_authority, &channel.config(), &clock)?;
    let (listeners, listen) = bind(&config.listen, &protection.transport.acceptor()).await?;
    let (state, evidence) = wire_api(
        &directory,
        &config,
        &identities,
        &channel,
        &clock,
        self_test,
        &protection,
        trust,
    )?;
    let orderer = std::thread::Builder::new()
        .name("orderer".to_owned())
        .spawn(move || order(orderer))
        .map_err(|e| StartError::file(&directory.root, e))?;
    let (stop, stopped) = watch::channel(false);
    let server = serve(listeners, state, stopped.clone());
    let tls_status = Arc::clone(&protection.status);
    let renewal = protection.renew(stopped);
    let spoken: Vec<String> = listen.iter().map(ToString::to_string).collect();
    let running = serde_json::json!({ "listen": spoken, "pid": std::process::id() });
    write_whole(&directory.running(), running.to_string().as_bytes(), 0o644)?;
    tracing::info!(listen = spoken.join(" "), dir = %directory.root.display(), "node::started");
    Ok(RunningNode {
        listen,
        directory,
        first_start,
        recovery,
        channel,
        evidence,
        orderer,
        server,
        renewal,
        tls_status,
        stop,
        _lock: lock,
    })
}

impl RunningNode {
    /// Where REST listens, in the order of the configuration.
    #[must_use]
    pub fn listen(&self) -> &[Endpoint] {
        &self.listen
    }

    /// How the renewal of the TLS certificate goes.
    #[must_use]
    pub fn tls_status(&self) -> &RenewalStatus {
        &self.tls_status
    }

    /// The data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.directory.root
    }

    /// What verifiers need: the root certificate, and the channel.
    #[must_use]
    pub fn trust_file(&self) -> PathBuf {
        self.directory.trust()
    }

    /// Whether this start created the directory's contents.
    #[must_use]
    pub fn first_start(&self) -> bool {
        self.first_start
    }

    /// What the start had to repair.
    #[must_use]
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// The evidence service, for programs that run a node inside themselves. Drop it before
    /// [`shutdown`](Self::shutdown), or the next start has more to check.
    #[must_use]
    pub fn evidence(&self) -> Arc<EvidenceService> {
        Arc::clone(&self.evidence)
    }

    /// Where the ledger stands.
    #[must_use]
    pub fn ledger(&self) -> changbai_channel::Status {
        self.channel.status()
    }

    /// Stops in order: no new requests, open ones end, what was taken is committed and proven,
    /// the index is written out.
    ///
    /// # Errors
    ///
    /// [`StopError`]; nothing acknowledged is lost.
    pub async fn shutdown(self) -> Result<(), StopError> {
        // A receiver that is gone means the server has ended already.
        let _ = self.stop.send(true);
        self.server.await.map_err(|_| StopError::Task)?;
        self.renewal.await.map_err(|_| StopError::Task)?;
        drop(self.evidence);
        self.channel.stop();
        let orderer = self.orderer;
        let joined = tokio::task::spawn_blocking(move || orderer.join()).await;
        let orderer = joined.map_err(|_| StopError::Task)?.map_err(|_| StopError::Task)??;
        self.channel.close(orderer)?;
        // Client commands fall back to "not running" without it.
        drop(std::fs::remove_file(self.directory.running()));
        tracing::info!("node::stopped");
        Ok(())
    }
}

/// Creates identities and genesis. Runs again after a crash in between: the root certificate is
/// written last, and its absence means that nothing was ever signed with what lies there.
fn prepare(
    directory: &Directory,
    config: &ValidConfig,
    clock: &dyn Clock,
) -> Result<(), StartError> {
    if directory.channel(CHANNEL).exists() {
        return Err(StartError::Identity {
            file: directory.identity(),
            reason: "a ledger exists, but the certificates it was made with are missing".to_owned(),
        });
    }
    let now = clock.now().at;
    let agency = &config.settings.agency;
    identity::create(&directory.identity(), config, now.seconds(), &mut OsRandom)?;
    let (identities, _) =
        identity::load(&directory.identity(), config, now.seconds(), &mut OsRandom)?;
    let wrong = |e: &dyn std::fmt::Display| StartError::Wiring(e.to_string());
    let roots = TrustAnchors::from_certificates(vec![identities.root.clone()]);
    let org = Organisation::new(&agency.msp_id, &agency.name, roots);
    let validator = ValidatorConfig::new(&agency.msp_id, identities.node, 0);
    let channel = ChannelConfig::new(CHANNEL, vec![org], vec![validator]).map_err(|e| wrong(&e))?;
    let genesis = Block::genesis(&channel, channel.to_genesis_envelope(), now.0);
    write_whole(&directory.genesis(), &genesis.to_bytes(), 0o644)?;
    if !directory.settings().exists() {
        let text = toml::to_string(&config.settings).map_err(|e| wrong(&e))?;
        write_whole(&directory.settings(), text.as_bytes(), 0o644)?;
    }
    Ok(())
}

fn load_genesis(directory: &Directory) -> Result<Block, StartError> {
    let file = directory.genesis();
    let refuse = |reason: String| StartError::Genesis { file: file.clone(), reason };
    let bytes = read_small(&file)?.ok_or_else(|| refuse("the file is missing".to_owned()))?;
    let block = Block::from_bytes(&bytes).map_err(&refuse)?;
    // The bytes are compared as well: a changed byte that a lenient reader would skip is damage.
    if block.to_bytes() != bytes {
        return Err(refuse("the bytes are not what a genesis block encodes to".to_owned()));
    }
    Ok(block)
}

fn open_channel(
    directory: &Directory,
    identities: &Identities,
    genesis: Block,
    clock: &Arc<dyn Clock>,
) -> Result<(Channel, Orderer, Recovery), StartError> {
    let mut contracts = Registry::new();
    contracts
        .register(Arc::new(EvidenceContract))
        .map_err(|e| StartError::Wiring(e.to_string()))?;
    let parts = Parts {
        files: Arc::new(StdFiles),
        index: None,
        repair: false,
        genesis,
        contracts,
        endorser: signing_identity(directory, identities)?,
        validator: Some(identities.node_key.clone()),
        clock: Arc::clone(clock),
        tuning: Tuning::default(),
        now_ms: 0,
    };
    Ok(Channel::open(&directory.channel(CHANNEL), parts)?)
}

/// The node as a member of the channel; the MSP id comes from the genesis block's organisation.
fn signing_identity(
    directory: &Directory,
    identities: &Identities,
) -> Result<SigningIdentity, StartError> {
    let genesis = load_genesis(directory)?;
    let envelope = genesis.envelopes.first().map(Vec::as_slice).unwrap_or_default();
    let refuse = |reason: String| StartError::Genesis { file: directory.genesis(), reason };
    let config = ChannelConfig::from_envelope(envelope).map_err(|e| refuse(e.to_string()))?;
    let org = config.orgs.first().ok_or_else(|| refuse("no organisation".to_owned()))?;
    let serialized = changbai_msp::serialize_identity(&org.msp_id, &identities.node);
    Ok(SigningIdentity { serialized, key: identities.node_key.clone() })
}

/// The agency is part of certificates and genesis; a file that says otherwise is a mistake.
fn check_agency(channel: &Channel, config: &ValidConfig) -> Result<(), StartError> {
    let msp_id = &config.settings.agency.msp_id;
    if channel.config().orgs.iter().any(|org| &org.msp_id == msp_id) {
        return Ok(());
    }
    Err(StartError::Config(ConfigError::Value {
        key: "agency.msp_id",
        value: msp_id.clone(),
        reason: "the ledger in this directory belongs to another agency",
    }))
}

fn wire_api(
    directory: &Directory,
    config: &ValidConfig,
    identities: &Identities,
    channel: &Channel,
    clock: &Arc<dyn Clock>,
    self_test: SelfTest,
    protection: &Protection,
    trust: Trust,
) -> Result<(ApiState, Arc<EvidenceService>), StartError> {
    let custody = Arc::new(Custody::open(&directory.custody(), &mut OsRandom)?);
    let identity = signing_identity(directory, identities)?;
    let ledger: Arc<dyn LedgerClient> =
        Arc::new(EmbeddedLedger::new(channel.clone(), identity, Arc::clone(clock)));
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
    let health = NodeHealth::new(
        Arc::clone(&ledger),
        Arc::clone(clock),
        config.settings.platform.filing_number.clone(),
        self_test,
        Arc::clone(&protection.status),
    );
    let limits =
        Limits { upload_bytes_max: config.settings.node.upload_bytes_max, ..Limits::default() };
    let answers = AnswerLog::open(&directory.idempotency(), limits.idempotency_entries_max)
        .map_err(|e| StartError::file(&directory.idempotency(), e))?;
    let evidence = Arc::new(service.with_offload(Arc::new(offload)));
    let state = ApiState::new(ApiParts {
        evidence: Arc::clone(&evidence),
        ledger,
        custody,
        membership: Arc::new(channel.config().membership()),
        trust,
        clock: Arc::clone(clock),
        health: Arc::new(health),
        answers: Arc::new(answers),
        gateways: Gateways::new(config.gateways.clone()),
        authority: Some(protection.authority()),
        limits,
    });
    Ok((state, evidence))
}

/// File work leaves the runtime's threads; the runtime waits for it when it ends.
fn offload(job: Box<dyn FnOnce() + Send>) {
    drop(tokio::task::spawn_blocking(job));
}

fn serve(
    listeners: Vec<Listener>,
    state: ApiState,
    mut stopped: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let stop = async move {
        // An error means the sender is gone, which is a stop as well.
        drop(stopped.wait_for(|stop| *stop).await);
    };
    let limits = state.limits().clone();
    let router = changbai_api::router(state);
    #[expect(clippy::disallowed_methods, reason = "this is the node's task; shutdown joins it")]
    tokio::spawn(changbai_api::serve(listeners, router, limits, stop, STOP_GRACE))
}

/// The ordering thread: turns until everything taken is committed and proven, or until it halts.
fn order(mut orderer: Orderer) -> Result<Orderer, Halted> {
    #[expect(
        clippy::disallowed_methods,
        reason = "timeouts need a monotonic clock, read only here"
    )]
    let started = std::time::Instant::now();
    let now_ms = || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    loop {
        let turn = orderer.turn(now_ms()).inspect_err(|halted| {
            tracing::error!(reason = %halted, "node::ordering_halted");
        })?;
        if orderer.is_drained() {
            return Ok(orderer);
        }
        let until_deadline = turn.deadline_ms.map(|at| at.saturating_sub(now_ms()));
        orderer.wait(until_deadline.map_or(IDLE, Duration::from_millis).min(IDLE));
    }
}

/// What verifiers of this channel trust: the agency's root, and the channel by its genesis block.
fn trust(genesis: &Block, identities: &Identities) -> Result<Trust, StartError> {
    let anchor = ChannelAnchor {
        channel_id: genesis.header.channel_id.clone(),
        genesis: genesis.header.hash(),
        validators: vec![genesis.header.validators_hash],
    };
    let roots = TrustAnchors::from_certificates(vec![identities.root.clone()]);
    Trust::new(roots, vec![anchor]).map_err(|e| StartError::Wiring(e.to_string()))
}

fn repair_trust(directory: &Directory, trust: &Trust) -> Result<(), StartError> {
    let text = trust.to_text();
    if read_small(&directory.trust())?.as_deref() == Some(text.as_bytes()) {
        return Ok(());
    }
    write_whole(&directory.trust(), text.as_bytes(), 0o644)
}

fn report(recovery: Recovery) {
    let Recovery { index_rebuilt, blocks_replayed, torn_bytes, .. } = recovery;
    if index_rebuilt || blocks_replayed > 0 || torn_bytes > 0 {
        tracing::warn!(index_rebuilt, blocks_replayed, torn_bytes, "node::recovered");
    }
}
