//! The channels of this node: opened at the start, joined while it runs, closed in order.

mod api;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use changbai_api::ChannelView;
use changbai_channel::{
    Block, Channel, OpenError, Orderer, Parts, Recovery, SigningIdentity, Tuning,
};
use changbai_contract::Registry;
use changbai_contract_directory::DirectoryContract;
use changbai_contract_evidence::EvidenceContract;
use changbai_msp::{ChannelConfig, Membership};
use changbai_network::{Caller, ChannelDriver, DriverParts, Hub, JoinParts, Observer};
use changbai_receipt::Trust;
use changbai_storage::{StdFiles, StorageError};
use changbai_wire::time::Clock;
use smkit::Sm3Digest;
use smkit_pki::TrustAnchors;

use crate::configurations::Configurations;
use crate::directory::{Directory, read_small, sync_parent, write_whole};
use crate::error::{StartError, StopError};
use crate::facts::ChannelFacts;
use crate::identity::{Identities, node_file};
use crate::links::Answers;
use crate::metrics::ChannelMetrics;
use crate::observer::NodeObserver;
use crate::operations::channel_facts;
use crate::time_rule::TimeRule;

/// A clock this far behind the last block is wrong, in milliseconds: this node would refuse every block of the others.
const CLOCK_BEHIND_MAX_MS: u64 = 30_000;

/// Every channel of this node.
pub(crate) struct Channels {
    open: RwLock<BTreeMap<String, Arc<NodeChannel>>>,
    directory: Directory,
    msp_id: String,
    identities: Identities,
    clock: Arc<dyn Clock>,
    hub: Option<Hub>,
    observer: Arc<NodeObserver>,
    time_rule: Option<Arc<TimeRule>>,
    /// Held while a channel is joined; true once nothing more may be.
    joining: Mutex<bool>,
}

/// One channel of this node.
pub(crate) struct NodeChannel {
    pub(crate) channel: Channel,
    pub(crate) identity: SigningIdentity,
    pub(crate) recovery: Recovery,
    pub(crate) metrics: Arc<ChannelMetrics>,
    pub(crate) configurations: Arc<Configurations>,
    /// Hash of the genesis header.
    genesis: Sm3Digest,
    caller: Caller,
    driver: Mutex<Option<ChannelDriver>>,
}

impl Channels {
    /// Opens every channel that the directory holds. Within a runtime: links are its tasks.
    pub(crate) fn open(
        directory: &Directory,
        msp_id: &str,
        identities: Identities,
        clock: &Arc<dyn Clock>,
        hub: Option<Hub>,
        observer: Arc<NodeObserver>,
        time_rule: Option<Arc<TimeRule>>,
    ) -> Result<Self, StartError> {
        let channels = Self {
            open: RwLock::default(),
            directory: directory.clone(),
            msp_id: msp_id.to_owned(),
            identities,
            clock: Arc::clone(clock),
            hub,
            observer,
            time_rule,
            joining: Mutex::new(false),
        };
        for id in kept(&directory.channels())? {
            channels.start(&id)?;
        }
        Ok(channels)
    }

    /// A channel by its id.
    pub(crate) fn get(&self, id: &str) -> Option<Arc<NodeChannel>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(id).map(Arc::clone)
    }

    /// Every channel, in order of their ids.
    pub(crate) fn all(&self) -> Vec<Arc<NodeChannel>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect()
    }

    /// What is known of every channel now.
    pub(crate) fn facts(&self) -> Vec<ChannelFacts> {
        self.all().iter().map(|channel| channel.facts()).collect()
    }

    /// Takes no more transactions; those taken are still ordered.
    pub(crate) fn stop(&self) {
        self.all().iter().for_each(|channel| channel.channel.stop());
    }

    /// Waits until what was taken is ordered, and writes the indices out.
    pub(crate) async fn close(&self) -> Result<(), StopError> {
        *self.joining.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let open = std::mem::take(&mut *self.open.write().unwrap_or_else(PoisonError::into_inner));
        let mut outcome = Ok(());
        for channel in open.into_values() {
            // All are closed, whatever becomes of one.
            let closed = channel.close().await;
            outcome = outcome.and(closed);
        }
        outcome
    }

    /// Rewrites the trust file if it does not say what the channels do.
    pub(crate) fn keep_trust(&self) -> Result<(), StartError> {
        let (mut roots, mut anchors) = (Vec::new(), Vec::new());
        for channel in self.all() {
            let trust = channel.trust().map_err(OpenError::from)?;
            roots.extend(trust.roots().iter().cloned());
            anchors.extend(trust.channels().iter().cloned());
        }
        let trust = Trust::new(TrustAnchors::from_certificates(roots), anchors)
            .map_err(|e| StartError::Wiring(e.to_string()))?;
        let (text, file) = (trust.to_text(), self.directory.trust());
        if read_small(&file)?.as_deref() == Some(text.as_bytes()) {
            return Ok(());
        }
        write_whole(&file, text.as_bytes(), 0o644)
    }

    /// What this node answers to the channel's others.
    fn answers(&self, channel: &Channel) -> Answers {
        Answers { channel: channel.clone(), time_rule: self.time_rule.clone() }
    }

    fn start(&self, id: &str) -> Result<(), StartError> {
        let genesis = load_genesis(&self.directory, id)?;
        let config = genesis_config(&self.directory, id, &genesis)?;
        if !self.directory.blocks(id).exists() {
            // Nothing is made for a channel that this node does not belong to.
            self.check_membership(&config)?;
        }
        let identity = self.identities.on_ledger(&self.msp_id);
        let parts = Parts {
            files: Arc::new(StdFiles),
            index: None,
            repair: config.validators.len() > 1,
            genesis: genesis.clone(),
            contracts: contracts()?,
            endorser: identity.clone(),
            validator: Some(self.identities.node_key.clone()),
            unsigned: read_small(&self.directory.unsigned(id))?.is_some(),
            clock: Arc::clone(&self.clock),
            tuning: Tuning::default(),
            now_ms: 0,
        };
        let opened = Channel::open(&self.directory.channel(id), parts);
        let (channel, orderer, recovery) = opened.map_err(|error| match error {
            OpenError::Genesis => {
                StartError::Genesis { file: self.directory.genesis(id), reason: error.to_string() }
            }
            error => error.into(),
        })?;
        // From now on its own log knows what it has signed; without that it must not vote at once.
        remove(&self.directory.unsigned(id))?;
        self.check(&channel)?;
        report(id, recovery);
        let driver = self.drive(&channel, orderer)?;
        let (caller, driver) = (driver.caller(), Mutex::new(Some(driver)));
        let (configurations, genesis) = (Arc::default(), genesis.header.hash());
        let channel = NodeChannel {
            channel,
            identity,
            recovery,
            metrics: self.observer.metrics.channel(id),
            configurations,
            genesis,
            caller,
            driver,
        };
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.insert(id.to_owned(), Arc::new(channel));
        Ok(())
    }

    /// Starts ordering, with links where this node has any.
    fn drive(&self, channel: &Channel, orderer: Orderer) -> Result<ChannelDriver, StartError> {
        let observer = Arc::clone(&self.observer) as Arc<dyn Observer>;
        let driver = match &self.hub {
            Some(hub) => {
                let handler = Some(Arc::new(self.answers(channel)) as _);
                hub.join(channel.clone(), orderer, JoinParts { observer, handler, now_ms: 0 })
            }
            None => {
                let parts = DriverParts { observer, now_ms: 0 };
                ChannelDriver::alone(channel.clone(), orderer, parts)
            }
        };
        driver.map_err(|e| StartError::Wiring(e.to_string()))
    }

    fn foreign(&self, config: &ChannelConfig, reason: String) -> StartError {
        let file = node_file(&self.directory.identity());
        StartError::Foreign { file, channel: config.channel_id.clone(), reason }
    }

    /// Whether the channel's configuration has this node as one of its own.
    fn check_membership(&self, config: &ChannelConfig) -> Result<(), StartError> {
        let org = config.org(&self.msp_id).ok_or_else(|| {
            self.foreign(config, format!("the channel has no organisation {}", self.msp_id))
        })?;
        org.admit(&self.identities.node, &[], self.clock.now().at.seconds())
            .map_err(|e| self.foreign(config, format!("{}: {e}", e.code())))?;
        Ok(())
    }

    /// What would make this node useless on the channel, said before it starts. The configuration asked is the one
    /// that is in force as far as this node knows.
    fn check(&self, channel: &Channel) -> Result<(), StartError> {
        let config = channel.config();
        let now = self.clock.now().at;
        self.check_membership(&config)?;
        let block = channel.status().height.saturating_sub(1);
        let tip = channel.block(block).map_err(OpenError::from)?;
        let block_ms = tip.map_or(0, |tip| tip.header.time_ms);
        if now.0.saturating_add(CLOCK_BEHIND_MAX_MS) < block_ms {
            let channel = config.channel_id.clone();
            return Err(StartError::Clock { channel, block, block_ms, now_ms: now.0 });
        }
        Ok(())
    }
}

impl std::fmt::Debug for Channels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channels").finish_non_exhaustive()
    }
}

impl NodeChannel {
    fn facts(&self) -> ChannelFacts {
        channel_facts(&self.channel, &self.identity, &self.metrics, self.recovery, &self.caller)
    }

    /// Waits for the ordering thread, and writes the index out unless somebody still reads.
    async fn close(self: Arc<Self>) -> Result<(), StopError> {
        let driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(driver) = driver else { return Ok(()) };
        let orderer = driver.join().await?;
        let channel = self.channel.clone();
        drop(self);
        let closed = tokio::task::spawn_blocking(move || channel.close(orderer)).await;
        Ok(closed.map_err(|_| StopError::Task)??)
    }

    /// Hash of the genesis header.
    pub(crate) const fn genesis(&self) -> Sm3Digest {
        self.genesis
    }

    /// The way to the channel's other nodes.
    pub(crate) fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// What verifiers of this channel trust, as its configurations have it by now.
    fn trust(&self) -> Result<Arc<Trust>, StorageError> {
        self.configurations.trust_of(&self.channel)
    }
}

impl ChannelView for NodeChannel {
    fn membership(&self) -> Arc<Membership> {
        self.channel.membership()
    }

    fn trust(&self) -> Arc<Trust> {
        // A verifier that trusts nobody says so.
        Self::trust(self).unwrap_or_else(|error| {
            tracing::error!(%error, "node::trust_unreadable");
            Arc::default()
        })
    }
}

/// The contracts that run inside the node.
pub(crate) fn contracts() -> Result<Registry, StartError> {
    let mut contracts = Registry::new();
    contracts
        .register(Arc::new(EvidenceContract))
        .and_then(|()| contracts.register(Arc::new(DirectoryContract)))
        .map_err(|e| StartError::Wiring(e.to_string()))?;
    Ok(contracts)
}

/// Writes block 0 of a channel that this node shall open.
///
/// Whoever joins a channel says with that that its key has signed nothing there.
pub(crate) fn keep_genesis(directory: &Directory, genesis: &Block) -> Result<(), StartError> {
    let id = &genesis.header.channel_id;
    write_whole(&directory.genesis(id), &genesis.to_bytes(), 0o644)?;
    write_whole(&directory.unsigned(id), &[], 0o644)
}

/// Removes a file, durably; one that is not there is fine.
fn remove(file: &Path) -> Result<(), StartError> {
    let wrong = |e| StartError::file(file, e);
    match std::fs::remove_file(file) {
        Ok(()) => sync_parent(file).map_err(wrong),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(wrong(error)),
    }
}

pub(crate) fn kept(folder: &Path) -> Result<Vec<String>, StartError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StartError::file(folder, error)),
    };
    let mut ids = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| StartError::file(folder, e))?;
        // A name that is no text is no channel's either.
        if let Ok(id) = entry.file_name().into_string() {
            ids.push(id);
        }
    }
    ids.sort();
    Ok(ids)
}

fn load_genesis(directory: &Directory, id: &str) -> Result<Block, StartError> {
    let file = directory.genesis(id);
    let refuse = |reason: String| StartError::Genesis { file: file.clone(), reason };
    let bytes = read_small(&file)?.ok_or_else(|| refuse("the file is missing".to_owned()))?;
    let block = read_genesis(&bytes).map_err(&refuse)?;
    if block.header.channel_id != id {
        let reason = format!("the block belongs to channel {:?}", block.header.channel_id);
        return Err(refuse(reason));
    }
    Ok(block)
}

/// Reads a genesis block.
pub(crate) fn read_genesis(bytes: &[u8]) -> Result<Block, String> {
    let block = Block::from_bytes(bytes)?;
    // The bytes are compared as well: a changed byte that a lenient reader would skip is damage.
    if block.to_bytes() != bytes {
        return Err("the bytes are not what a genesis block encodes to".to_owned());
    }
    Ok(block)
}

fn genesis_config(
    directory: &Directory,
    id: &str,
    genesis: &Block,
) -> Result<ChannelConfig, StartError> {
    let envelope = genesis.envelopes.first().map(Vec::as_slice).unwrap_or_default();
    ChannelConfig::from_envelope(envelope)
        .map_err(|e| StartError::Genesis { file: directory.genesis(id), reason: e.to_string() })
}

fn report(channel: &str, recovery: Recovery) {
    let Recovery { index_rebuilt, blocks_replayed, torn_bytes, .. } = recovery;
    if index_rebuilt || blocks_replayed > 0 || torn_bytes > 0 {
        tracing::warn!(channel, index_rebuilt, blocks_replayed, torn_bytes, "node::recovered");
    }
}
