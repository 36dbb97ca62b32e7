//! The node's process log (全程留痕): opened at the start, anchored on the ledger now and then.

use std::sync::Arc;
use std::time::Duration;

use changbai_api::Anchoring;
use changbai_audit::{DueAnchor, ProcessLog, Signer};
use changbai_core::contract::{self, AnchoredProcess};
use changbai_core::ledger::BoxFuture;
use changbai_core::process::JournalError;
use changbai_core::{LedgerClient, LedgerError, canonical};
use changbai_msp::Identity;
use smkit::sm3::Sm3Digest;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::channels::NodeChannel;
use crate::directory::Directory;
use crate::error::StartError;

/// The log with what anchors it.
pub(crate) struct ProcessLogs {
    pub(crate) log: Arc<ProcessLog>,
    /// SM3 of the node's certificate: names its log on the ledger.
    pub(crate) certificate_sm3: Sm3Digest,
    ledger: Arc<dyn LedgerClient>,
    /// One anchor at a time.
    turn: tokio::sync::Mutex<()>,
}

/// Opens the log of the evidence channel.
pub(crate) fn open(
    directory: &Directory,
    channel: &NodeChannel,
    ledger: &Arc<dyn LedgerClient>,
) -> Result<Arc<ProcessLogs>, StartError> {
    let identity = &channel.identity;
    let certificate = Identity::parse(&identity.serialized)
        .map_err(|error| StartError::Wiring(error.to_string()))?
        .certificate;
    let signer = Signer { key: identity.key.clone(), certificate: certificate.der().to_vec() };
    let id = ledger.status().channel;
    let log = ProcessLog::open(&directory.process_log(&id), &id, signer)
        .map_err(|error| StartError::Wiring(error.to_string()))?;
    let recovery = log.recovery();
    if recovery.cut_bytes > 0 {
        tracing::warn!(cut_bytes = recovery.cut_bytes, "node::process_log_torn_write_cut");
    }
    let (log, ledger) = (Arc::new(log), Arc::clone(ledger));
    let certificate_sm3 = certificate.sm3();
    Ok(Arc::new(ProcessLogs { log, certificate_sm3, ledger, turn: tokio::sync::Mutex::default() }))
}

impl ProcessLogs {
    /// Anchors what was logged, until the node stops.
    pub(crate) fn keep_anchored(
        self: Arc<Self>,
        mut stopped: watch::Receiver<bool>,
    ) -> JoinHandle<()> {
        let keep = async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => {}
                    _ = stopped.wait_for(|stop| *stop) => return,
                }
                if let Err(error) = self.anchor_all().await {
                    tracing::error!(error, "node::process_log_not_anchored");
                }
            }
        };
        #[expect(clippy::disallowed_methods, reason = "the node's task; shutdown joins it")]
        tokio::spawn(keep)
    }

    async fn anchor_all(&self) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        for _ in 0..ANCHORS_AT_ONCE_MAX {
            if !self.anchor().await? {
                break;
            }
        }
        Ok(())
    }

    /// Puts one anchor on the ledger; whether there may be more to anchor. An anchor that reached the ledger without
    /// this node hearing of it is taken over, if the log is still what it was then.
    async fn anchor(&self) -> Result<bool, String> {
        let on_ledger = self.last_on_ledger().await?;
        let known = self.log.last_anchor();
        if let Some(anchor) = on_ledger
            && anchor.batch > known
        {
            let due = self.due(Some(anchor.page)).await?;
            let due = due.filter(|due| due.root == anchor.root && due.batch == anchor.batch);
            let due = due.ok_or_else(|| REWRITTEN.to_owned())?;
            self.log.anchored(due, anchor.tx_id).await.map_err(text)?;
            return Ok(true);
        }
        if let Some(anchor) = on_ledger {
            let hash = self.blocking(move |log| log.page_hash(anchor.page)).await?;
            if hash != Some(anchor.page_hash) {
                return Err(REWRITTEN.to_owned());
            }
        }
        let Some(due) = self.due(None).await? else { return Ok(false) };
        let args = [
            due.batch.to_string(),
            due.last_page.to_string(),
            due.page_hash.to_string(),
            due.root.to_string(),
            due.heads.len().to_string(),
        ];
        let args = args.into_iter().map(String::into_bytes).collect();
        let committed = self.ledger.submit(contract::NAME, contract::ANCHOR_PROCESS, args).await;
        let committed = committed.map_err(|error: LedgerError| error.to_string())?;
        let tx_id = canonical::digest(&committed.tx_id).ok_or("the transaction has no id")?;
        self.log.anchored(due, tx_id).await.map_err(text)?;
        Ok(true)
    }

    async fn last_on_ledger(&self) -> Result<Option<AnchoredProcess>, String> {
        let args = vec![self.certificate_sm3.to_string().into_bytes()];
        let answer =
            self.ledger.evaluate(contract::NAME, contract::LAST_PROCESS_ANCHOR, args).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.is_empty() {
            return Ok(None);
        }
        AnchoredProcess::from_bytes(&answer).map(Some).map_err(|error| error.to_string())
    }

    async fn due(&self, last_page: Option<u64>) -> Result<Option<DueAnchor>, String> {
        self.blocking(move |log| log.due_anchor(last_page)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ProcessLog) -> Result<T, JournalError> + Send + 'static,
    ) -> Result<T, String> {
        let log = Arc::clone(&self.log);
        let done = spawn_blocking(move || work(&log)).await;
        done.map_err(|error| error.to_string())?.map_err(text)
    }
}

impl Anchoring for ProcessLogs {
    fn anchor_now(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(self.anchor_all())
    }
}

fn text(error: JournalError) -> String {
    error.to_string()
}

const EVERY: Duration = Duration::from_secs(60);
const ANCHORS_AT_ONCE_MAX: usize = 64;
const REWRITTEN: &str = "the process log is not what its last anchor on the ledger says: entries were taken out or \
                         made anew";
