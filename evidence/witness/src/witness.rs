//! A witness: cosigns what provably extends what it cosigned before (C2SP tlog-witness).

use std::collections::BTreeMap;
use std::io;

use changbai_merkle::{
    AddCheckpoint, Checkpoint, CosignerKey, Note, NoteSignature, Signed, TextError, VerifierKey,
};
use thiserror::Error;

use crate::misbehaviour::{Contradiction, Misbehaviour};
use crate::store::NoteStore;

/// One witness and the logs that it knows.
#[derive(Debug)]
pub struct Witness {
    key: CosignerKey,
    logs: BTreeMap<String, WitnessedLog>,
    broken: bool,
}

/// A log that a witness knows.
#[derive(Debug)]
pub struct WitnessedLog {
    origin: String,
    keys: Vec<VerifierKey>,
    last: Option<(Checkpoint, Note)>,
}

impl WitnessedLog {
    /// The log `origin`, whose checkpoints one of `keys` signs, after `last`, the newest note that was kept.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn new(
        origin: &str,
        keys: Vec<VerifierKey>,
        last: Option<Note>,
    ) -> Result<Self, WitnessError> {
        if keys.is_empty()
            || keys.iter().any(|key| key.name() != origin || key.signed() != Signed::Log)
        {
            return Err(WitnessError::Keys { origin: origin.to_owned() });
        }
        let last = last.map(|note| Checkpoint::of(&note).map(|state| (state, note))).transpose();
        let last = last.ok().filter(|last| last.as_ref().is_none_or(|(c, _)| c.origin == origin));
        let last = last.ok_or_else(|| WitnessError::State { origin: origin.to_owned() })?;
        Ok(Self { origin: origin.to_owned(), keys, last })
    }

    /// The last checkpoint cosigned.
    #[must_use]
    pub fn last(&self) -> Option<&Note> {
        self.last.as_ref().map(|(_, note)| note)
    }

    /// Keys that sign this log's checkpoints.
    #[must_use]
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    fn size(&self) -> u64 {
        self.last.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size)
    }
}

impl Witness {
    /// A witness that signs with `key`.
    ///
    /// # Errors
    /// [`WitnessError::Twice`].
    pub fn new(key: CosignerKey, logs: Vec<WitnessedLog>) -> Result<Self, WitnessError> {
        let mut known = BTreeMap::new();
        for log in logs {
            let origin = log.origin.clone();
            if known.insert(origin.clone(), log).is_some() {
                return Err(WitnessError::Twice { origin });
            }
        }
        Ok(Self { key, logs: known, broken: false })
    }

    /// Judges a request at `now_s` (POSIX seconds) and cosigns. Check and record are one step: whoever shares a witness
    /// between threads holds a lock around this call.
    ///
    /// # Errors
    /// [`AddError`]; nothing is cosigned then.
    pub fn add_checkpoint(
        &mut self,
        asked: &AddCheckpoint,
        now_s: u64,
        store: &mut dyn NoteStore,
    ) -> Result<NoteSignature, AddError> {
        if self.broken {
            return Err(AddError::Broken);
        }
        let checkpoint = Checkpoint::of(&asked.note)?;
        let log = self.logs.get_mut(&checkpoint.origin).ok_or(AddError::UnknownLog)?;
        // Signatures of unknown keys are ignored; one of a known key that is wrong is not.
        let signed = log.keys.iter().map(|key| key.check(&asked.note));
        let signed = signed.collect::<Result<Vec<_>, _>>().map_err(|_| AddError::Signature)?;
        if signed.iter().all(Option::is_none) {
            return Err(AddError::Signature);
        }
        let size = log.size();
        if asked.old_size > checkpoint.size {
            return Err(AddError::Older);
        }
        // Whatever the client believes: two signed roots for one size prove what the log did.
        if let Some((last, note)) = &log.last
            && last.size == checkpoint.size
            && last.root != checkpoint.root
        {
            let (first, second) = (note.clone(), asked.note.clone());
            let proof = Misbehaviour { first, second, contradiction: Contradiction::SameSize };
            return Err(AddError::Split { size, proof: Box::new(proof) });
        }
        if asked.old_size != size {
            return Err(AddError::Stale { size });
        }
        match &log.last {
            Some((last, _)) => {
                last.extended_by(&checkpoint, &asked.path).map_err(|_| AddError::Proof)?;
            }
            None if !asked.path.is_empty() => return Err(AddError::Proof),
            None => {}
        }
        store.keep(&asked.note).map_err(|error| {
            self.broken = true;
            AddError::Store(error)
        })?;
        log.last = Some((checkpoint, asked.note.clone()));
        Ok(self.key.cosign(asked.note.text(), now_s))
    }

    /// What checks this witness's cosignatures.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// The logs, by their origins.
    #[must_use]
    pub const fn logs(&self) -> &BTreeMap<String, WitnessedLog> {
        &self.logs
    }
}

/// Why a witness does not cosign.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddError {
    /// The note is no checkpoint.
    #[error("not a checkpoint: {0}")]
    Text(#[from] TextError),
    /// A log that this witness does not know.
    #[error("this witness does not know the log")]
    UnknownLog,
    /// No key of the log has signed it, or one has wrongly.
    #[error("no key that is known for this log signed the checkpoint")]
    Signature,
    /// The old size is larger than the checkpoint's.
    #[error("the old size is larger than the checkpoint's")]
    Older,
    /// The old size is not the one cosigned last.
    #[error("the last checkpoint that was cosigned has {size} leaves")]
    Stale {
        /// The size cosigned last.
        size: u64,
    },
    /// The log signed two roots for one size.
    #[error("the log signed another root for {size} leaves")]
    Split {
        /// The size cosigned last.
        size: u64,
        /// What proves it.
        proof: Box<Misbehaviour>,
    },
    /// The checkpoint does not provably extend the last one.
    #[error("the consistency proof does not hold")]
    Proof,
    /// The new state could not be made durable.
    #[error("the state cannot be kept: {0}")]
    Store(io::Error),
    /// The store failed before; a restart reads what it holds.
    #[error("the store of this witness failed earlier")]
    Broken,
}

/// Why a witness cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// A log without keys, or with keys of another name or office.
    #[error("the keys of the log {origin} are missing, or not its own")]
    Keys {
        /// Which.
        origin: String,
    },
    /// What was kept is no checkpoint of that log.
    #[error("what was kept of the log {origin} is not a checkpoint of it")]
    State {
        /// Which.
        origin: String,
    },
    /// A log is there twice.
    #[error("the log {origin} is there twice")]
    Twice {
        /// Which.
        origin: String,
    },
}
