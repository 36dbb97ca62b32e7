//! The checkpoints of one channel: issued, cosigned, stamped, kept, published.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use changbai_api::logs::{CheckpointError, LogDescription, PublishedLog};
use changbai_core::ledger::BoxFuture;
use changbai_core::{TransactionLog, log_origin};
use changbai_merkle::{Checkpoint, LogKey, Note};
use changbai_receipt::CheckpointFile;
use changbai_time::TokenSource;
use changbai_witness::{IssueError, Issuer};
use smkit::{Sm3Digest, sm3};
use smkit_pki::{Certificate, TimeStampToken};
use tokio::time::{Instant, timeout};

use super::remote::RemoteWitness;
use super::store::{CheckpointStore, Issued};

/// Longest wait for all witnesses and the time-stamp authority together.
const OTHERS_WAIT_MAX: Duration = Duration::from_secs(10);

/// Shortest time between two checkpoints.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// One channel's log with its checkpoints.
pub(crate) struct Checkpoints {
    log: Arc<dyn TransactionLog>,
    origin: String,
    certificates: Vec<Certificate>,
    key: String,
    state: Arc<Mutex<State>>,
    /// Held while a checkpoint is issued, so that whoever comes meanwhile waits for it.
    turn: tokio::sync::Mutex<()>,
    witnesses: Vec<RemoteWitness>,
    tokens: Option<Arc<dyn TokenSource>>,
    failures: Mutex<Failures>,
}

struct State {
    issuer: Issuer,
    store: CheckpointStore,
    issued_at: Option<Instant>,
}

/// What an operator has to know.
#[derive(Debug, Default, Clone)]
pub(crate) struct Failures {
    /// Why nothing is issued.
    pub(crate) refused: Option<String>,
    /// Why the newest checkpoint has no time-stamp token.
    pub(crate) unstamped: Option<String>,
}

/// What checkpoints are made with.
pub(crate) struct CheckpointParts {
    pub(crate) log: Arc<dyn TransactionLog>,
    pub(crate) channel: String,
    pub(crate) genesis: Sm3Digest,
    pub(crate) key: smkit::sm2::SigningKey,
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) store: CheckpointStore,
    pub(crate) witnesses: Vec<RemoteWitness>,
    pub(crate) tokens: Option<Arc<dyn TokenSource>>,
}

impl Checkpoints {
    /// Goes on where the store ends.
    pub(crate) fn new(parts: CheckpointParts) -> Result<Self, String> {
        let origin = log_origin(&parts.channel, &parts.genesis);
        let key = LogKey::new(&origin, parts.key).map_err(|e| e.to_string())?;
        let last = parts.store.last().map_err(|e| e.to_string())?;
        let text = key.verifier().to_string();
        let issuer = Issuer::new(key, last.as_ref().map(|issued| &issued.note));
        let issuer = issuer.map_err(|e| e.to_string())?;
        Ok(Self {
            log: parts.log,
            origin,
            certificates: parts.certificates,
            key: text,
            state: Arc::new(Mutex::new(State { issuer, store: parts.store, issued_at: None })),
            turn: tokio::sync::Mutex::new(()),
            witnesses: parts.witnesses,
            tokens: parts.tokens,
            failures: Mutex::default(),
        })
    }

    /// What does not work.
    pub(crate) fn failures(&self) -> Failures {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Witnesses that did not cosign the newest checkpoint, and why.
    pub(crate) fn not_cosigning(&self) -> Vec<String> {
        let described = self.witnesses.iter().map(RemoteWitness::description);
        described.filter_map(|w| Some(format!("{}: {}", w.name, w.failure?))).collect()
    }

    /// A checkpoint over at least `size` leaves, issued now if there is none.
    async fn over(&self, size: u64) -> Result<Issued, CheckpointError> {
        let kept = self.kept(size).await?;
        if let Some(issued) = kept.filter(|issued| issued.worth() >= self.wanted()) {
            return Ok(issued);
        }
        // What lacks something may be getting it this very moment; others had one issued meanwhile.
        let _turn = self.turn.lock().await;
        if let Some(issued) = self.kept(size).await? {
            return Ok(issued);
        }
        // One checkpoint for all who come within a short while.
        let pause = self.locked().issued_at.and_then(|at| PAUSE_MIN.checked_sub(at.elapsed()));
        tokio::time::sleep(pause.unwrap_or_default()).await;
        let head = self.log.head();
        if head.size < size {
            return Err(CheckpointError::Beyond { size: head.size });
        }
        self.issue().await
    }

    /// Issues a checkpoint if the log has grown since the last one, and asks again for what that one lacks.
    pub(crate) async fn refresh(&self) -> Result<(), CheckpointError> {
        let _turn = self.turn.lock().await;
        let size = self.log.head().size;
        let last = self.kept(size).await?;
        if size == 0 || last.is_some_and(|last| last.worth() >= self.wanted()) {
            return Ok(());
        }
        self.issue().await.map(drop)
    }

    /// The newest checkpoint. Whoever asks again and again does not have one issued each time.
    async fn newest(&self) -> Result<Issued, CheckpointError> {
        let last = {
            let state = self.locked();
            let recent = state.issued_at.is_some_and(|at| at.elapsed() < PAUSE_MIN);
            recent.then(|| state.store.last()).transpose()
        };
        match last.map_err(|e| CheckpointError::Failed(e.to_string()))?.flatten() {
            Some(issued) => Ok(issued),
            None => self.over(self.log.head().size).await,
        }
    }

    /// What a complete checkpoint is worth: the log's signature, each witness's, a token.
    fn wanted(&self) -> usize {
        1 + self.witnesses.len() + usize::from(self.tokens.is_some())
    }

    async fn kept(&self, size: u64) -> Result<Option<Issued>, CheckpointError> {
        let state = Arc::clone(&self.state);
        blocking(move || {
            let state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.store.covering(size)
        })
        .await?
        .map_err(|e| CheckpointError::Failed(e.to_string()))
    }

    /// Signs, keeps, and only then shows the checkpoint to others; keeps what they add.
    async fn issue(&self) -> Result<Issued, CheckpointError> {
        let signed = self.sign().await;
        let refused = signed.as_ref().err().map(ToString::to_string);
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).refused = refused;
        let (signed, head) = signed?;
        let (note, token) = tokio::join!(self.cosigned(&signed.note, &head), self.stamped(&signed));
        let issued = Issued { note, token };
        if issued == signed {
            return Ok(issued);
        }
        let (state, kept) = (Arc::clone(&self.state), issued.clone());
        let appended = blocking(move || {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.store.append(&kept)
        });
        appended.await?.map_err(|e| CheckpointError::Failed(e.to_string()))?;
        tracing::info!(
            origin = self.origin,
            size = head.size,
            cosignatures = issued.note.signatures().len().saturating_sub(1),
            stamped = issued.token.is_some(),
            "node::checkpoint_issued"
        );
        Ok(issued)
    }

    async fn sign(&self) -> Result<(Issued, Checkpoint), CheckpointError> {
        let (state, log, origin) =
            (Arc::clone(&self.state), Arc::clone(&self.log), self.origin.clone());
        blocking(move || {
            let failed = |e: &dyn std::fmt::Display| CheckpointError::Failed(e.to_string());
            let head = log.head();
            let head = Checkpoint { origin, size: head.size, root: head.root };
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let State { issuer, store, issued_at } = &mut *state;
            let old = issuer.last().map_or(0, |last| last.size);
            let path = if (1..head.size).contains(&old) {
                log.consistency(old, head.size).map_err(|e| failed(&e))?.path
            } else {
                Vec::new()
            };
            match issuer.issue(&head, &path, store) {
                Ok(note) => {
                    *issued_at = Some(Instant::now());
                    Ok((Issued { note, token: None }, head))
                }
                // What the last one lacks is asked for again.
                Err(IssueError::Unchanged) => match store.last().map_err(|e| failed(&e))? {
                    Some(issued) => Ok((issued, head)),
                    None => Err(failed(&IssueError::Unchanged)),
                },
                Err(error) => {
                    tracing::error!(%error, origin = head.origin, "node::checkpoint_refused");
                    Err(failed(&error))
                }
            }
        })
        .await?
    }

    /// The note with the cosignatures of the witnesses that answered in time.
    async fn cosigned(&self, note: &Note, head: &Checkpoint) -> Note {
        let missing = self.witnesses.iter().filter(|witness| !witness.signed(note));
        let asked = missing.map(|witness| async {
            let asked = witness.cosign(note, head, self.log.as_ref());
            timeout(OTHERS_WAIT_MAX, asked).await.ok().flatten()
        });
        let mut cosigned = note.clone();
        for signature in futures::future::join_all(asked).await.into_iter().flatten() {
            if let Err(error) = cosigned.add(signature) {
                tracing::warn!(%error, "node::cosignature_not_added");
            }
        }
        cosigned
    }

    /// DER of a time-stamp token over the note's text.
    async fn stamped(&self, signed: &Issued) -> Option<Vec<u8>> {
        if signed.token.is_some() {
            return signed.token.clone();
        }
        let tokens = Arc::clone(self.tokens.as_ref()?);
        let imprint = sm3(signed.note.text().as_bytes());
        let asked = timeout(OTHERS_WAIT_MAX, blocking(move || tokens.token(&imprint))).await;
        let token = match asked {
            Ok(Ok(Ok(token))) => Ok(token.der().to_vec()),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer in time".to_owned()),
        };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.unstamped = token.as_ref().err().cloned();
        token.ok()
    }

    /// `checkpoint.json` of a bundle whose receipt's header has a log of `size` leaves.
    pub(crate) async fn attachment(&self, size: u64) -> Result<Vec<u8>, CheckpointError> {
        let issued = self.over(size).await?;
        self.file(&issued, size).map_err(CheckpointError::Failed)
    }

    fn file(&self, issued: &Issued, size: u64) -> Result<Vec<u8>, String> {
        let checkpoint = Checkpoint::of(&issued.note).map_err(|e| e.to_string())?;
        let proof = self.log.consistency(size, checkpoint.size).map_err(|e| e.to_string())?;
        let token = issued.token.as_deref().map(TimeStampToken::from_der).transpose();
        let file = CheckpointFile {
            certificates: self.certificates.clone(),
            consistency: proof.path,
            note: issued.note.clone(),
            token: token.map_err(|e| e.to_string())?,
        };
        file.to_bytes().map_err(|e| e.to_string())
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PublishedLog for Checkpoints {
    fn log(&self) -> &dyn TransactionLog {
        self.log.as_ref()
    }

    fn description(&self) -> LogDescription {
        LogDescription {
            origin: self.origin.clone(),
            key: self.key.clone(),
            certificate: self.certificates.first().map(Certificate::to_pem),
            size: self.log.head().size,
            witnesses: self.witnesses.iter().map(RemoteWitness::description).collect(),
        }
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<String, CheckpointError>> {
        Box::pin(async move { Ok(self.newest().await?.note.to_string()) })
    }

    fn covering(&self, size: u64) -> BoxFuture<'_, Result<String, CheckpointError>> {
        Box::pin(async move { Ok(self.over(size).await?.note.to_string()) })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CheckpointError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| CheckpointError::Failed(error.to_string()))
}
