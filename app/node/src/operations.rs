//! The node as its operator sees it: gathers [`NodeFacts`], raises alarms, answers the operations endpoint.
//!
//! # Wiring
//! 1. [`Uptime::start`] and [`NodeMetrics::new`], before the channels are opened.
//! 2. The observer of the channels' threads and links tells [`NodeMetrics::channel`] every event and the time of every
//!    turn. Whoever endorses, broadcasts and submits tells the same counters.
//! 3. REST is served through [`changbai_api::observed`] with [`NodeMetrics::api`].
//! 4. [`start`] answers on the listeners of `operations.listen`, and looks around once a second. Both end when the node
//!    stops.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use changbai_api::operations::{
    AlarmView, ChannelReadiness, FailedCheck, HealthCheck, LogControl, OperationsSource,
};
use changbai_api::{Listener, Transport, limits::Limits};
use changbai_channel::limits::MEMPOOL_TRANSACTIONS_MAX;
use changbai_channel::{Channel, PeerId, Recovery, SigningIdentity};
use changbai_msp::{ChannelConfig, ValidatorConfig};
use changbai_network::{Caller, PeerInfo, StreamKind, StreamTraffic};
use changbai_storage::{Files as _, StdFiles};
use changbai_time::TokenSources;
use changbai_wire::ValidatorAddress;
use changbai_wire::time::Clock;
use smkit_pki::Certificate;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::alarm::{Alarms, Change, Severity, conditions};
use crate::clock_watch::{ClockWatch, Uptime};
use crate::facts::{
    ChannelFacts, CustodyFacts, LinkFacts, NodeFacts, StreamFacts, TlsFacts, TokenFacts,
};
use crate::health::utc_text;
use crate::metrics::{ChannelMetrics, NodeMetrics, process};
use crate::readiness::obstacles;
use crate::renewal::RenewalStatus;
use crate::supervisor::Supervisor;
use crate::time::NodeTime;

/// Decides whether a chain of certificates, leaf first, belongs to this node's agency at that Unix second.
pub(crate) type OwnAgency = Box<dyn Fn(&[Certificate], i64) -> bool + Send + Sync>;

/// What the operations endpoint is made of.
pub(crate) struct Parts {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) time: NodeTime,
    /// Whom this node asks for time-stamp tokens.
    pub(crate) tokens: Option<Arc<TokenSources>>,
    pub(crate) uptime: Uptime,
    pub(crate) metrics: Arc<NodeMetrics>,
    pub(crate) tls: Arc<RenewalStatus>,
    /// The node's certificate on the ledger.
    pub(crate) identity: Certificate,
    /// The data directory.
    pub(crate) dir: PathBuf,
    /// As in [`changbai_channel::Tuning::disk_reserve_bytes`].
    pub(crate) disk_reserve_bytes: u64,
    /// Every channel as it is now.
    pub(crate) channels: Box<dyn Fn() -> Vec<ChannelFacts> + Send + Sync>,
    pub(crate) own_agency: OwnAgency,
    /// `node.insecure`: whoever reaches a plain listener is answered.
    pub(crate) insecure: bool,
    /// Changes the log's filter, where the program can.
    pub(crate) log: Option<Arc<dyn LogControl>>,
    pub(crate) supervisor: Supervisor,
    /// Its originals as they are now.
    pub(crate) custody: Box<dyn Fn() -> CustodyFacts + Send + Sync>,
}

/// The operator's view of a node.
pub(crate) struct Operations {
    parts: Parts,
    started_ms: u64,
    clock_watch: ClockWatch,
    alarms: Alarms,
}

impl std::fmt::Debug for Operations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operations").field("started_ms", &self.started_ms).finish_non_exhaustive()
    }
}

impl Operations {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            started_ms: parts.clock.now().at.0,
            parts,
            clock_watch: ClockWatch::default(),
            alarms: Alarms::default(),
        }
    }

    /// Looks around once a second until the node stops.
    pub(crate) async fn run(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        loop {
            self.look();
            let wait = tokio::time::timeout(LOOK_EVERY, stopped.wait_for(|stopped| *stopped));
            if wait.await.is_ok() {
                return;
            }
        }
    }

    /// Compares the clocks, and tells what has changed since the last look.
    pub(crate) fn look(&self) -> Vec<Change> {
        let (wall_ms, up_ms) = (self.parts.clock.now().at.0, self.parts.uptime.ms());
        if let Some(jump) = self.clock_watch.tick(wall_ms, up_ms) {
            tracing::warn!(by_ms = jump.by_ms, "node::clock_jumped");
        }
        let changes = self.alarms.update(conditions(&self.facts()), up_ms, wall_ms);
        for change in &changes {
            self.tell(change);
        }
        self.parts.supervisor.alive();
        changes
    }

    fn tell(&self, change: &Change) {
        match change {
            Change::Raised(raised) => {
                let row = raised.alarm.row();
                self.parts.metrics.alarms_raised.of([row.code]).add(1);
                let channel = raised.channel.as_deref();
                let (code, text, detail) = (row.code, row.en, raised.detail.as_str());
                let action = row.action_en;
                if row.severity == Severity::Critical {
                    tracing::error!(code, channel, text, detail, action, "node::alarm_raised");
                } else {
                    tracing::warn!(code, channel, text, detail, action, "node::alarm_raised");
                }
            }
            Change::Cleared(cleared) => {
                let (code, channel) = (cleared.alarm.row().code, cleared.channel.as_deref());
                tracing::info!(code, channel, "node::alarm_cleared");
            }
        }
    }

    /// Everything that is known now.
    pub(crate) fn facts(&self) -> NodeFacts {
        let reading = self.parts.clock.now();
        let (now_s, tls) = (reading.at.seconds(), &self.parts.tls);
        NodeFacts {
            now_ms: reading.at.0,
            clock_bound_us: reading.bound_us,
            clock_refused: self.parts.time.refused().map(|r| format!("{}: {r}", r.reason().code)),
            clock: self.clock_watch.facts(self.parts.uptime.ms()),
            tokens: self.parts.tokens.as_deref().map(token_facts).unwrap_or_default(),
            tls: TlsFacts {
                not_after_s: tls.not_after(),
                alarming: tls.is_alarming(now_s),
                renewed: tls.renewed(),
                failed: tls.failed(),
            },
            identity_not_after_s: self.parts.identity.not_after(),
            disk_free_bytes: StdFiles.free_bytes(&self.parts.dir).ok(),
            disk_reserve_bytes: self.parts.disk_reserve_bytes,
            process: process::read(self.started_ms),
            custody: (self.parts.custody)(),
            channels: (self.parts.channels)(),
        }
    }
}

fn token_facts(sources: &TokenSources) -> TokenFacts {
    let status = sources.status();
    TokenFacts {
        first: status.given.saturating_sub(status.given_by_fallback),
        fallback: status.given_by_fallback,
        failed: status.failed,
        failing: status.failing.map(|error| format!("{}: {error}", error.reason().code)),
    }
}

/// What is known of one channel now. `own` is this node's identity on it, `recovery` what opening it had to repair.
pub(crate) fn channel_facts(
    channel: &Channel,
    own: &SigningIdentity,
    metrics: &ChannelMetrics,
    recovery: Recovery,
    links: &Caller,
) -> ChannelFacts {
    let status = channel.status();
    let condition = status.condition;
    let config = channel.config();
    let in_force: BTreeSet<ValidatorAddress> =
        config.validators.iter().map(ValidatorConfig::address).collect();
    let cases = channel.misbehaviour();
    let accused: BTreeSet<ValidatorAddress> =
        cases.iter().map(|case| case.validator).filter(|who| in_force.contains(who)).collect();
    let traffic = links.traffic();
    ChannelFacts {
        channel: status.channel_id,
        checkpoint_refused: None,
        checkpoint_lacks: Vec::new(),
        height: status.height,
        peers_height: condition.peers_height,
        peers: condition.peers,
        validators: config.validators.len(),
        validator: condition.validator,
        configuration: config.sequence,
        round: condition.round,
        waiting: condition.waiting,
        waiting_max: MEMPOOL_TRANSACTIONS_MAX,
        halted: status.halted,
        suspended: condition.suspended,
        no_quorum: condition.no_quorum_since_ms.is_some(),
        accused: accused.iter().map(ToString::to_string).collect(),
        foreign_genesis_ago_ms: metrics.foreign_genesis_ago_ms(),
        salvaged_to: recovery.salvaged_to,
        links: link_facts(&config, own, links.peers()),
        streams: StreamKind::ALL.map(|kind| stream_facts(kind, traffic.stream(kind))).to_vec(),
        connects: traffic.connects,
        openings_refused: traffic.refused,
    }
}

/// Every other validator, linked or not, and whoever else is linked.
fn link_facts(
    config: &ChannelConfig,
    own: &SigningIdentity,
    linked: Vec<PeerInfo>,
) -> Vec<LinkFacts> {
    let own = PeerId::from(ValidatorAddress::for_key(own.key.verifying_key().public_key()));
    let others = config.validators.iter().map(|v| (PeerId::from(v.address()), v.msp_id.as_str()));
    let mut found: BTreeMap<PeerId, LinkFacts> = others
        .filter(|(peer, _)| *peer != own)
        .map(|(peer, msp_id)| {
            let host = host(msp_id, peer);
            (peer, LinkFacts { host, validator: true, ..LinkFacts::default() })
        })
        .collect();
    for info in linked {
        let fresh = || LinkFacts { host: host(&info.msp_id, info.peer), ..LinkFacts::default() };
        let link = found.entry(info.peer).or_insert_with(fresh);
        link.connected = info.connected;
        link.streams = info.streams.len() as u64;
        let micros = |rtt: Duration| u64::try_from(rtt.as_micros()).unwrap_or(u64::MAX);
        link.round_trip_us = info.rtt.map(micros);
    }
    found.into_values().collect()
}

/// Addresses change from one connection to the next; an id does not.
fn host(msp_id: &str, peer: PeerId) -> String {
    let mut id = peer.to_string();
    id.truncate(8);
    format!("{msp_id}/{id}")
}

const fn stream_facts(kind: StreamKind, traffic: StreamTraffic) -> StreamFacts {
    StreamFacts {
        kind: kind.name(),
        sent: traffic.messages_out,
        received: traffic.messages_in,
        sent_bytes: traffic.bytes_out,
        received_bytes: traffic.bytes_in,
        sent_dropped: traffic.dropped_out,
        received_dropped: traffic.dropped_in,
    }
}

/// Members of the agency, as the configuration of this channel knows them.
pub(crate) fn own_agency(channel: Channel, msp_id: &str) -> OwnAgency {
    let msp_id = msp_id.to_owned();
    Box::new(move |chain, at_s| {
        let config = channel.config();
        let (Some(org), Some((leaf, sent_along))) = (config.org(&msp_id), chain.split_first())
        else {
            return false;
        };
        org.admit(leaf, sent_along, at_s).is_ok()
    })
}

impl OperationsSource for Operations {
    /// This machine, and whoever shows a certificate of the agency.
    fn admits(&self, transport: &Transport) -> bool {
        if transport.remote.ip().to_canonical().is_loopback() {
            return true;
        }
        if transport.certificates.is_empty() {
            return self.parts.insecure;
        }
        (self.parts.own_agency)(&transport.certificates, self.parts.clock.now().at.seconds())
    }

    fn metrics(&self) -> String {
        self.parts.metrics.render(&self.facts(), &self.alarms.raised())
    }

    /// What a restart may mend; what only an operator can mend is an alarm and an obstacle to readiness.
    fn health(&self) -> HealthCheck {
        let facts = self.facts();
        let halted = facts.channels.into_iter().filter_map(|channel| {
            let component = format!("channel/{}", channel.channel);
            channel.halted.map(|reason| FailedCheck { component, reason })
        });
        HealthCheck::new(utc_text(self.parts.clock.now().at), halted.collect())
    }

    fn readiness(&self) -> Vec<ChannelReadiness> {
        let facts = self.facts();
        let of = |channel: &ChannelFacts| {
            let reasons = obstacles(channel, &facts);
            ChannelReadiness {
                channel: channel.channel.clone(),
                ready: reasons.is_empty(),
                height: channel.height,
                peers_height: channel.peers_height,
                reasons,
            }
        };
        facts.channels.iter().map(of).collect()
    }

    fn alarms(&self) -> Vec<AlarmView> {
        let view = |raised: crate::alarm::Raised| {
            let row = raised.alarm.row();
            AlarmView {
                code: row.code,
                severity: row.severity.word(),
                channel: raised.channel,
                zh: row.zh,
                en: row.en,
                action_zh: row.action_zh,
                action_en: row.action_en,
                detail: raised.detail,
                since_ms: raised.since_ms,
            }
        };
        self.alarms.raised().into_iter().map(view).collect()
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn log(&self) -> Option<&dyn LogControl> {
        self.parts.log.as_deref()
    }
}

/// Watches the node from now on and answers on these listeners, until the node stops.
pub(crate) fn start(
    listeners: Vec<Listener>,
    parts: Parts,
    stopped: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let operations = Arc::new(Operations::new(parts));
    let watching = Arc::clone(&operations).run(stopped.clone());
    #[expect(clippy::disallowed_methods, reason = "tasks of the node; shutdown joins them")]
    let mut tasks = vec![tokio::spawn(watching)];
    if !listeners.is_empty() {
        let serving = serve(listeners, operations, stopped.clone());
        #[expect(clippy::disallowed_methods, reason = "a task of the node; shutdown joins it")]
        tasks.push(tokio::spawn(serving));
    }
    tasks
}

async fn serve(
    listeners: Vec<Listener>,
    operations: Arc<Operations>,
    mut stopped: watch::Receiver<bool>,
) {
    let limits = Limits { connections_max: CONNECTIONS_MAX, ..Limits::default() };
    let router = changbai_api::operations::router(operations);
    let stop = async move {
        // An error means the sender is gone, which is a stop as well.
        drop(stopped.wait_for(|stopped| *stopped).await);
    };
    changbai_api::serve(listeners, router, limits, stop, SERVE_GRACE).await;
}

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Connections to the operations endpoint at a time.
const CONNECTIONS_MAX: usize = 64;
const SERVE_GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;
