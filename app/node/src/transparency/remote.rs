//! A configured witness, asked for cosignatures.

use std::sync::{Mutex, PoisonError};

use changbai_api::log_client::LogClient;
use changbai_api::logs::WitnessDescription;
use changbai_api::witness::ADD_CHECKPOINT_PATH;
use changbai_core::TransactionLog;
use changbai_merkle::{AddCheckpoint, Checkpoint, Note, NoteSignature, VerifierKey};

/// One witness.
#[derive(Debug)]
pub(crate) struct RemoteWitness {
    client: LogClient,
    key: VerifierKey,
    standing: Mutex<Standing>,
}

/// How it stands with a witness.
#[derive(Debug, Default)]
struct Standing {
    /// What it cosigned last.
    size: u64,
    failure: Option<String>,
}

impl RemoteWitness {
    pub(crate) fn new(client: LogClient, key: VerifierKey) -> Self {
        Self { client, key, standing: Mutex::default() }
    }

    /// Its cosignature on `note`, checked; none where it gives none.
    pub(crate) async fn cosign(
        &self,
        note: &Note,
        head: &Checkpoint,
        log: &dyn TransactionLog,
    ) -> Option<NoteSignature> {
        let known = self.standing.lock().unwrap_or_else(PoisonError::into_inner).size;
        let outcome = self.ask(note, head, known, log).await;
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(signature) => {
                *standing = Standing { size: head.size, failure: None };
                Some(signature)
            }
            Err((size, reason)) => {
                let (witness, url) = (self.key.name(), self.client.url());
                tracing::warn!(witness, url, reason, "node::not_cosigned");
                *standing = Standing { size, failure: Some(reason) };
                None
            }
        }
    }

    /// Whether the note has its cosignature.
    pub(crate) fn signed(&self, note: &Note) -> bool {
        matches!(self.key.check(note), Ok(Some(_)))
    }

    /// What it answers, or what it cosigned last and why it does not.
    async fn ask(
        &self,
        note: &Note,
        head: &Checkpoint,
        mut old_size: u64,
        log: &dyn TransactionLog,
    ) -> Result<NoteSignature, (u64, String)> {
        // Once as far as we know, and once more as it says.
        for _ in 0..2 {
            let failed = |reason: String| (old_size, reason);
            if old_size > head.size {
                return Err(failed(format!("it cosigned {old_size} leaves already")));
            }
            let path = match old_size {
                0 => Vec::new(),
                old => log.consistency(old, head.size).map_err(|e| failed(e.to_string()))?.path,
            };
            let body = AddCheckpoint { old_size, path, note: note.clone() }.to_string();
            let answer = self.client.post(ADD_CHECKPOINT_PATH, body.into_bytes(), ANSWER_BYTES_MAX);
            let answer = answer.await.map_err(|e| failed(e.to_string()))?;
            let text = String::from_utf8_lossy(&answer.body);
            match answer.status {
                200 => {
                    return self
                        .checked(note, &text)
                        .ok_or_else(|| failed("its cosignature is not its own".to_owned()));
                }
                409 => match text.trim_end().parse() {
                    Ok(size) if size != old_size => old_size = size,
                    _ => return Err(failed("it saw another log of this size".to_owned())),
                },
                status => return Err(failed(format!("it answered {status}"))),
            }
        }
        Err((old_size, "it changes what it cosigned last".to_owned()))
    }

    /// Of the lines of the answer the one by the key that is configured.
    fn checked(&self, note: &Note, text: &str) -> Option<NoteSignature> {
        let lines = text.lines().take(LINES_MAX).filter_map(NoteSignature::from_line);
        let own = |s: &NoteSignature| s.name == self.key.name() && s.key_id == self.key.key_id();
        let signature = lines.into_iter().find(own)?;
        let mut cosigned = Note::unsigned(note.text()).ok()?;
        cosigned.add(signature.clone()).ok()?;
        self.key.check(&cosigned).ok()?.map(|_| signature)
    }

    pub(crate) fn description(&self) -> WitnessDescription {
        let standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        WitnessDescription {
            name: self.key.name().to_owned(),
            key: self.key.to_string(),
            size: standing.size,
            failure: standing.failure.clone(),
        }
    }
}

const ANSWER_BYTES_MAX: usize = 16_384;
const LINES_MAX: usize = 16;
