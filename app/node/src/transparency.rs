//! The transparency logs (透明日志) of the node's channels: checkpoints, signed with a key of their own, cosigned by
//! witnesses, stamped by a time-stamp authority, kept beside the ledger.
//!
//! *Invariant:* a note is durable in `checkpoints.log` before its signature leaves; see `changbai_witness::Issuer` for
//! what is never signed.

mod issue;
mod log;
mod remote;
mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use changbai_api::attachments::{CheckpointSource, SourceError, Subject};
use changbai_api::log_client::{LogClient, Tls};
use changbai_api::logs::{LogDirectory, PublishedLog};
use changbai_core::ledger::BoxFuture;
use changbai_time::TokenSource;
use changbai_wire::time::Clock;
use smkit::sm2::SigningKey;
use smkit_pki::{Certificate, TrustAnchors, Validator};
use smkit_tls::peer::PathVerifier;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::issue::{CheckpointParts, Checkpoints};
use self::log::ChannelLog;
use self::remote::RemoteWitness;
use self::store::CheckpointStore;
use crate::channels::{Channels, NodeChannel};
use crate::config::WitnessPeer;
use crate::directory::Directory;
use crate::error::StartError;
use crate::facts::ChannelFacts;
use crate::transport::NodeTime as TlsTime;

/// The logs of a running node.
pub(crate) struct Transparency {
    directory: Directory,
    channels: Arc<Channels>,
    parts: TransparencyParts,
    open: Mutex<BTreeMap<String, Opened>>,
}

/// A log that is published, or why it is not.
type Opened = Result<Arc<Checkpoints>, String>;

/// What all logs of a node share.
pub(crate) struct TransparencyParts {
    /// Signs checkpoints.
    pub(crate) key: SigningKey,
    /// Its certificate, and those above it.
    pub(crate) certificates: Vec<Certificate>,
    /// Whom to ask for cosignatures.
    pub(crate) witnesses: Vec<WitnessPeer>,
    /// Below which `gmtls://` witnesses are.
    pub(crate) tls_roots: Vec<Certificate>,
    /// Who stamps.
    pub(crate) tokens: Option<Arc<dyn TokenSource>>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Transparency {
    pub(crate) fn new(
        directory: &Directory,
        channels: &Arc<Channels>,
        parts: TransparencyParts,
    ) -> Result<Arc<Self>, StartError> {
        let logs = Self {
            directory: directory.clone(),
            channels: Arc::clone(channels),
            parts,
            open: Mutex::default(),
        };
        // A wrong address is said at the start.
        logs.remotes().map_err(|e| StartError::Wiring(format!("transparency.witnesses: {e}")))?;
        Ok(Arc::new(logs))
    }

    /// Issues checkpoints of every channel at least every `interval`, until the node stops.
    pub(crate) fn keep(
        self: &Arc<Self>,
        interval: Duration,
        mut stopped: watch::Receiver<bool>,
    ) -> JoinHandle<()> {
        let logs = Arc::clone(self);
        let keep = async move {
            loop {
                let pause = tokio::time::timeout(interval, stopped.wait_for(|stopped| *stopped));
                if pause.await.is_ok() {
                    return;
                }
                let all = async {
                    for channel in logs.channels.all() {
                        let Ok(log) = logs.opened(&channel) else { continue };
                        // What fails is logged where it does, and alarmed.
                        drop(log.refresh().await);
                    }
                };
                tokio::select! {
                    () = all => {}
                    _ = stopped.wait_for(|stopped| *stopped) => return,
                }
            }
        };
        #[expect(clippy::disallowed_methods, reason = "the node's task; shutdown joins it")]
        tokio::spawn(keep)
    }

    /// Adds to what is known of a channel how its checkpoints are.
    pub(crate) fn describe(&self, facts: &mut ChannelFacts) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get(&facts.channel) {
            Some(Ok(log)) => {
                let failures = log.failures();
                facts.checkpoint_refused = failures.refused;
                facts.checkpoint_lacks = log.not_cosigning();
                facts.checkpoint_lacks.extend(failures.unstamped.map(|e| format!("token: {e}")));
            }
            Some(Err(reason)) => facts.checkpoint_refused = Some(reason.clone()),
            None => {}
        }
    }

    fn opened(&self, channel: &NodeChannel) -> Opened {
        let id = channel.channel.status().channel_id;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.entry(id.clone()).or_insert_with(|| self.open(&id, channel)).clone()
    }

    fn open(&self, id: &str, channel: &NodeChannel) -> Opened {
        let path = self.directory.channel(id).join("checkpoints.log");
        let opened = || {
            let store = CheckpointStore::open(&path).map_err(|e| e.to_string())?;
            Checkpoints::new(CheckpointParts {
                log: Arc::new(ChannelLog(channel.channel.clone())),
                channel: id.to_owned(),
                genesis: channel.genesis(),
                key: self.parts.key.clone(),
                certificates: self.parts.certificates.clone(),
                store,
                witnesses: self.remotes()?,
                tokens: self.parts.tokens.clone(),
            })
        };
        opened().map(Arc::new).inspect_err(|reason| {
            tracing::error!(channel = id, reason, "node::checkpoints_unusable");
        })
    }

    fn remotes(&self) -> Result<Vec<RemoteWitness>, String> {
        let tls = (!self.parts.tls_roots.is_empty()).then(|| {
            let anchors = TrustAnchors::from_certificates(self.parts.tls_roots.clone());
            let verifier = Arc::new(PathVerifier::of(Validator::admitting_all(anchors)));
            Tls { verifier, time: Arc::new(TlsTime(Arc::clone(&self.parts.clock))) }
        });
        let remote = |peer: &WitnessPeer| {
            let client = LogClient::new(&peer.url, tls.clone(), WITNESS_WAIT_MAX);
            let client = client.map_err(|e| e.to_string())?;
            Ok(RemoteWitness::new(client, peer.key.clone()))
        };
        self.parts.witnesses.iter().map(remote).collect()
    }
}

impl LogDirectory for Transparency {
    fn log(&self, channel: &str) -> Option<Arc<dyn PublishedLog>> {
        let channel = self.channels.get(channel)?;
        self.opened(&channel).ok().map(|log| log as _)
    }
}

impl CheckpointSource for Transparency {
    fn checkpoint(&self, subject: Subject) -> BoxFuture<'_, Result<Option<Vec<u8>>, SourceError>> {
        Box::pin(async move {
            let header = &subject.receipt.header;
            let Some(channel) = self.channels.get(&header.channel_id) else { return Ok(None) };
            match self.opened(&channel) {
                Ok(log) => Ok(Some(log.attachment(header.log_size).await?)),
                Err(reason) => Err(reason.into()),
            }
        })
    }
}

/// Longest exchange with one witness.
const WITNESS_WAIT_MAX: Duration = Duration::from_secs(5);
