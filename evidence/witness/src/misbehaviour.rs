//! What proves that a log showed two histories: two notes that it signed, and why both cannot be.

use changbai_core::canonical::{self, CanonicalError};
use changbai_merkle::{
    Checkpoint, ConsistencyProof, Note, PATH_LEN_MAX, Signed, TextError, VerifierKey,
};
use serde::{Deserialize, Serialize};
use smkit::Sm3Digest;
use thiserror::Error;

/// Largest document in bytes.
pub const MISBEHAVIOUR_BYTES_MAX: usize = 262_144;

/// Two signed notes of one log that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misbehaviour {
    /// The one seen first.
    pub first: Note,
    /// The one seen later.
    pub second: Note,
    /// Why both cannot be of one history.
    pub contradiction: Contradiction,
}

/// Why two checkpoints contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// Two roots for one size.
    SameSize,
    /// The larger log has another beginning: its first leaves, as many as the smaller one has, have this root, as the
    /// path (a consistency proof) shows.
    OtherBeginning {
        /// Root of the larger log's beginning.
        root: Sm3Digest,
        /// From there to the larger one's root.
        path: Vec<Sm3Digest>,
    },
    /// One place showed the first note, and later the second, smaller one. An alarm and not a proof: nothing in the
    /// notes says which was shown first.
    Rollback,
    /// Nothing but the log's failure to prove that one extends the other. An alarm and not a proof.
    Unproven,
}

impl Misbehaviour {
    /// Checks the document against keys of the log, and gives the two checkpoints.
    ///
    /// # Errors
    /// [`MisbehaviourError`]: it proves nothing, or not to somebody who holds these keys.
    pub fn verify(
        &self,
        keys: &[VerifierKey],
    ) -> Result<(Checkpoint, Checkpoint), MisbehaviourError> {
        let signed = |note| {
            let log = keys.iter().filter(|key| key.signed() == Signed::Log);
            let state = Checkpoint::of(note)?;
            let own = log.filter(|key| key.name() == state.origin);
            let right = own.map(|key| key.check(note)).any(|answer| matches!(answer, Ok(Some(_))));
            if right { Ok(state) } else { Err(MisbehaviourError::Signature) }
        };
        let (first, second) = (signed(&self.first)?, signed(&self.second)?);
        let (small, large) =
            if first.size <= second.size { (&first, &second) } else { (&second, &first) };
        let contradicts = first.origin == second.origin
            && match &self.contradiction {
                Contradiction::SameSize => small.size == large.size && small.root != large.root,
                Contradiction::OtherBeginning { root, path } => {
                    let (old_size, new_size, path) = (small.size, large.size, path.clone());
                    let proof = ConsistencyProof { old_size, new_size, path };
                    *root != small.root && proof.verify(root, &large.root).is_ok()
                }
                Contradiction::Rollback | Contradiction::Unproven => false,
            };
        if contradicts { Ok((first, second)) } else { Err(MisbehaviourError::NoContradiction) }
    }

    /// The document: canonical JSON.
    ///
    /// # Errors
    /// None in practice: it is made of texts.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MisbehaviourError> {
        let (kind, root, path) = match &self.contradiction {
            Contradiction::SameSize => (SAME_SIZE, None, Vec::new()),
            Contradiction::OtherBeginning { root, path } => {
                (OTHER_BEGINNING, Some(root), hex(path))
            }
            Contradiction::Rollback => (ROLLBACK, None, Vec::new()),
            Contradiction::Unproven => (UNPROVEN, None, Vec::new()),
        };
        Ok(canonical::to_bytes(&Document {
            contradiction: kind.to_owned(),
            first: self.first.to_string(),
            format: FORMAT.to_owned(),
            path,
            root: root.map(ToString::to_string),
            second: self.second.to_string(),
        })?)
    }

    /// Reads [`to_bytes`](Self::to_bytes) back, and nothing else.
    ///
    /// # Errors
    /// [`MisbehaviourError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MisbehaviourError> {
        let document: Document = canonical::from_bytes(bytes, MISBEHAVIOUR_BYTES_MAX)?;
        if document.format != FORMAT || document.path.len() > PATH_LEN_MAX {
            return Err(MisbehaviourError::Form);
        }
        let digest = |text: &String| canonical::digest(text).ok_or(MisbehaviourError::Form);
        let path = document.path.iter().map(digest).collect::<Result<Vec<_>, _>>()?;
        let root = document.root.as_ref().map(digest).transpose()?;
        let contradiction = match (document.contradiction.as_str(), root) {
            (SAME_SIZE, None) if path.is_empty() => Contradiction::SameSize,
            (ROLLBACK, None) if path.is_empty() => Contradiction::Rollback,
            (UNPROVEN, None) if path.is_empty() => Contradiction::Unproven,
            (OTHER_BEGINNING, Some(root)) => Contradiction::OtherBeginning { root, path },
            _ => return Err(MisbehaviourError::Form),
        };
        let first = Note::from_bytes(document.first.as_bytes())?;
        Ok(Self { first, second: Note::from_bytes(document.second.as_bytes())?, contradiction })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    contradiction: String,
    first: String,
    format: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    path: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    second: String,
}

fn hex(path: &[Sm3Digest]) -> Vec<String> {
    path.iter().map(ToString::to_string).collect()
}

/// Why a document proves no misbehaviour.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MisbehaviourError {
    /// Not canonical JSON.
    #[error(transparent)]
    Document(#[from] CanonicalError),
    /// Not a document of this kind.
    #[error("not a document of this kind")]
    Form,
    /// A note in it is none, or no checkpoint.
    #[error("a note in it: {0}")]
    Note(#[from] TextError),
    /// A note was not signed with a key that is known for the log.
    #[error("a note was not signed with a key that is known for the log")]
    Signature,
    /// Both notes may be of one history.
    #[error("the notes do not contradict each other")]
    NoContradiction,
}

const FORMAT: &str = "changbai/misbehaviour/v1";
const SAME_SIZE: &str = "same_size";
const OTHER_BEGINNING: &str = "other_beginning";
const ROLLBACK: &str = "rollback";
const UNPROVEN: &str = "unproven";
