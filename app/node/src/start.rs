//! Starting and stopping a node: the one place where all parts meet.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use changbai_api::operations::LogControl;
use changbai_api::{ApiState, Listener};
use changbai_channel::{Channel, Recovery, Tuning};
use changbai_core::EvidenceService;
use changbai_time::Watch;
use smkit::OsRandom;
use smkit::selftest::SelfTest;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::channels::Channels;
use crate::clock_watch::Uptime;
use crate::config::{Config, Endpoint};
use crate::custody::{self, CustodyWatch};
use crate::directory::{Directory, Lock, write_whole};
use crate::error::{StartError, StopError};
use crate::links::Links;
use crate::listeners::{Protection, bind};
use crate::metrics::{ApiMetrics, NodeMetrics};
use crate::observer::NodeObserver;
use crate::operations::{self, own_agency};
use crate::renewal::RenewalStatus;
use crate::supervisor::Supervisor;
use crate::time::NodeTime;
use crate::time_rule::TimeRule;
use crate::time_stamps::TimeStamps;
use crate::tls_files::TlsFiles;
use crate::wiring::{Wired, wire_api};
use crate::{first_start, identity};

/// How long open requests may take to end after a stop was asked for.
pub(crate) const STOP_GRACE: Duration = Duration::from_secs(10);

/// A node at work. Dropping it without [`shutdown`](Self::shutdown) is like a crash: safe, but
/// the next start has more to check.
#[derive(Debug)]
pub struct RunningNode {
    listen: Vec<Endpoint>,
    operations: Option<Endpoint>,
    directory: Directory,
    first_start: bool,
    recovery: Recovery,
    evidence_channel: Channel,
    channels: Arc<Channels>,
    evidence: Arc<EvidenceService>,
    server: JoinHandle<()>,
    links: Option<JoinHandle<()>>,
    trust: JoinHandle<()>,
    renewal: JoinHandle<()>,
    watching: Vec<JoinHandle<()>>,
    tls_status: Arc<RenewalStatus>,
    stop: watch::Sender<bool>,
    time_watch: Option<Watch>,
    _lock: Lock,
}

/// What surrounds the node's process and is of no concern to its configuration.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Changes the log's filter; without one the operations endpoint does not offer it.
    pub log: Option<Arc<dyn LogControl>>,
    /// Whoever started the process and wants to know how it is.
    pub supervisor: Supervisor,
}

/// As [`start_in`], with nothing around.
///
/// # Errors
///
/// [`StartError`]; nothing keeps running then.
pub async fn start(config: Config) -> Result<RunningNode, StartError> {
    Box::pin(start_in(config, Surroundings::default())).await
}

/// Starts a node on its data directory, creating everything at the first start. When this
/// returns the node serves requests.
///
/// # Errors
///
/// [`StartError`]; nothing keeps running then.
pub async fn start_in(
    config: Config,
    surroundings: Surroundings,
) -> Result<RunningNode, StartError> {
    let config = config.load()?;
    let (directory, lock) = Directory::take(&config.dir)?;
    let self_test = smkit::selftest::run();
    if !self_test.all() {
        let SelfTest { sm2, sm3, sm4, .. } = self_test;
        return Err(StartError::SelfTest { sm2, sm3, sm4 });
    }
    let (time, time_watch) = NodeTime::start(config.chronyd.as_ref())?;
    let clock = time.clock();
    let first_start = first_start::is_due(&directory);
    if first_start {
        first_start::prepare(&directory, &config, clock.as_ref())?;
    }
    let now = clock.now().at;
    let (identities, tls_authority) =
        identity::load(&directory.identity(), &config, now.seconds(), &mut OsRandom)?;
    let msp_id = &config.settings.agency.msp_id;
    let (configured, reconfigured) = watch::channel(0);
    let uptime = Uptime::start();
    let metrics = Arc::new(NodeMetrics::new(uptime));
    let observer = Arc::new(NodeObserver { configured, metrics: Arc::clone(&metrics) });
    let identity = identities.node.clone();
    let links = match config.network {
        Some(address) => {
            let identity = identities.on_ledger(msp_id);
            let tls = TlsFiles::below(&directory.identity()).read()?;
            let observer = Arc::clone(&observer) as _;
            Some(Links::bind(address, identity, &tls, &clock, observer).await?)
        }
        None => None,
    };
    let hub = links.as_ref().map(|links| links.hub.clone());
    let production = config.settings.time.production;
    let time_rule = production.then(|| Arc::new(TimeRule::new(Arc::clone(&clock))));
    let channels =
        Channels::open(&directory, msp_id, identities, &clock, hub.clone(), observer, time_rule)?;
    let channels = Arc::new(channels);
    let id = &config.settings.node.channel;
    let channel = channels
        .get(id)
        .ok_or_else(|| StartError::NoChannel { channel: id.clone(), dir: directory.channels() })?;
    channels.keep_trust()?;

    let config_now = channel.channel.config();
    let protection = Protection::new(&directory, &config, tls_authority, &config_now, &clock)?;
    let acceptor = protection.transport.acceptor();
    let (listeners, listen) = bind(&config.listen, Some(&acceptor)).await?;
    let (asked, operations) = bind(config.operations.as_slice(), Some(&acceptor)).await?;
    let time_stamps = TimeStamps::open(&directory, &config, &time)?;
    let custody = Arc::new(custody::open(&directory, &config, &clock)?);
    let Wired { state, evidence, logs, process } = wire_api(
        &directory,
        &config,
        &channels,
        &channel,
        &time,
        self_test,
        &protection,
        &time_stamps,
        Arc::clone(&custody),
    )?;
    let (stop, stopped) = watch::channel(false);
    let server = serve(listeners, state, metrics.api(), stopped.clone());
    let network = links.as_ref().map(|links| links.address.to_string());
    let links = links.map(|links| links.serve(stopped.clone()));
    let trust = keep_trust(Arc::clone(&channels), reconfigured, stopped.clone());
    let tls_status = Arc::clone(&protection.status);
    let (known, described) = (Arc::clone(&channels), Arc::clone(&logs));
    let facts = move || {
        let mut facts = known.facts();
        facts.iter_mut().for_each(|facts| described.describe(facts));
        facts
    };
    let checkpoints = logs.keep(config.settings.transparency.interval(), stopped.clone());
    let custody = CustodyWatch::new(
        custody,
        Arc::clone(&evidence),
        config.custody.clone(),
        Arc::clone(&clock),
        uptime,
        directory.custody(),
        msp_id,
    );
    let originals = Arc::clone(&custody.status);
    let watched = operations::Parts {
        clock,
        time,
        tokens: time_stamps.source,
        uptime,
        metrics,
        tls: Arc::clone(&tls_status),
        identity,
        dir: directory.root.clone(),
        disk_reserve_bytes: Tuning::default().disk_reserve_bytes,
        channels: Box::new(facts),
        own_agency: own_agency(channel.channel.clone(), msp_id),
        insecure: config.settings.node.insecure,
        log: surroundings.log,
        supervisor: surroundings.supervisor,
        custody: Box::new(move || originals.facts()),
    };
    let mut watching = operations::start(asked, watched, &stopped);
    watching.extend(custody.start(&stopped));
    watching.push(checkpoints);
    watching.push(process.keep_anchored(stopped.clone()));
    let renewal = protection.renew(hub, stopped);
    let spoken: Vec<String> = listen.iter().map(ToString::to_string).collect();
    let operations = operations.into_iter().next();
    let running = serde_json::json!({
        "listen": spoken,
        "network": network,
        "operations": operations.map(|endpoint| endpoint.to_string()),
        "pid": std::process::id(),
    });
    write_whole(&directory.running(), running.to_string().as_bytes(), 0o644)?;
    tracing::info!(listen = spoken.join(" "), dir = %directory.root.display(), "node::started");
    Ok(RunningNode {
        listen,
        operations,
        directory,
        first_start,
        recovery: channel.recovery,
        evidence_channel: channel.channel.clone(),
        channels,
        evidence,
        server,
        links,
        trust,
        renewal,
        watching,
        tls_status,
        stop,
        time_watch,
        _lock: lock,
    })
}

impl RunningNode {
    /// Where REST listens, in the order of the configuration.
    #[must_use]
    pub fn listen(&self) -> &[Endpoint] {
        &self.listen
    }

    /// Where metrics and health are served, if anywhere.
    #[must_use]
    pub const fn operations(&self) -> Option<Endpoint> {
        self.operations
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

    /// Whether the clock's error is bounded, so that records may be relied on for their time. Without, the node is one
    /// for development.
    #[must_use]
    pub const fn clock_is_bounded(&self) -> bool {
        self.time_watch.is_some()
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

    /// What the start had to repair in the evidence channel.
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

    /// Where the ledger of the evidence channel stands.
    #[must_use]
    pub fn ledger(&self) -> changbai_channel::Status {
        self.evidence_channel.status()
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
        self.trust.await.map_err(|_| StopError::Task)?;
        for task in self.watching {
            task.await.map_err(|_| StopError::Task)?;
        }
        if let Some(links) = self.links {
            links.await.map_err(|_| StopError::Task)?;
        }
        drop((self.evidence, self.evidence_channel, self.time_watch));
        self.channels.stop();
        self.channels.close().await?;
        // Client commands fall back to "not running" without it.
        drop(std::fs::remove_file(self.directory.running()));
        tracing::info!("node::stopped");
        Ok(())
    }
}

/// Rewrites the trust file whenever a channel's configuration has changed.
fn keep_trust(
    channels: Arc<Channels>,
    mut reconfigured: watch::Receiver<u64>,
    mut stopped: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let keep = async move {
        loop {
            tokio::select! {
                changed = reconfigured.changed() => if changed.is_err() { return },
                _ = stopped.wait_for(|stop| *stop) => return,
            }
            if let Err(error) = channels.keep_trust() {
                tracing::error!(%error, "node::trust_file_not_written");
            }
        }
    };
    #[expect(clippy::disallowed_methods, reason = "the node's task; shutdown joins it")]
    tokio::spawn(keep)
}

fn serve(
    listeners: Vec<Listener>,
    state: ApiState,
    requests: Arc<ApiMetrics>,
    mut stopped: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let stop = async move {
        // An error means the sender is gone, which is a stop as well.
        drop(stopped.wait_for(|stop| *stop).await);
    };
    let limits = state.limits().clone();
    let router = changbai_api::observed(changbai_api::router(state.clone()), requests);
    let served = async move {
        changbai_api::serve(listeners, router, limits, stop, STOP_GRACE).await;
        state.end(STOP_GRACE).await;
    };
    #[expect(clippy::disallowed_methods, reason = "this is the node's task; shutdown joins it")]
    tokio::spawn(served)
}
