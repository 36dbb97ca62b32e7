//! A monitor: compares what several places show of one log, now and before.

use changbai_merkle::{Checkpoint, ConsistencyProof, Note, VerifierKey};
use smkit::Sm3Digest;

use crate::misbehaviour::{Contradiction, Misbehaviour};

/// The newest state of a log that was seen and is consistent with everything before.
#[derive(Debug, Clone)]
pub struct Monitor {
    keys: Vec<VerifierKey>,
    last: Option<(Checkpoint, Note)>,
}

/// What became of a look at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// It shows what was known.
    Same,
    /// It is behind what was known by this many leaves, on the same history.
    Behind {
        /// How many leaves.
        leaves: u64,
    },
    /// The log has grown by this many leaves, on the same history.
    Grown {
        /// How many leaves.
        leaves: u64,
    },
    /// The note is not signed with a key of the log, or is of another log.
    Foreign,
    /// It contradicts what was known.
    Misbehaved(Box<Misbehaviour>),
}

impl Monitor {
    /// Goes on after `last`, the newest note that was kept; `keys` are the log's. `None` if that note is not signed
    /// with one of them.
    #[must_use]
    pub fn new(keys: Vec<VerifierKey>, last: Option<Note>) -> Option<Self> {
        let mut monitor = Self { keys, last: None };
        if let Some(note) = last {
            let state = monitor.signed(&note)?;
            monitor.last = Some((state, note));
        }
        Some(monitor)
    }

    /// Accepts notes that this key of the log signed, too.
    pub fn accept(&mut self, key: VerifierKey) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }

    /// The keys whose notes are accepted.
    #[must_use]
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// What is known.
    #[must_use]
    pub fn last(&self) -> Option<(&Checkpoint, &Note)> {
        self.last.as_ref().map(|(state, note)| (state, note))
    }

    /// The two sizes between which a place has to prove consistency before [`observe`](Self::observe) can judge its
    /// note; `None` if no proof is needed.
    #[must_use]
    pub fn proof_needed(&self, note: &Note) -> Option<(u64, u64)> {
        let (seen, (last, _)) = (Checkpoint::of(note).ok()?, self.last.as_ref()?);
        let (old, new) = (seen.size.min(last.size), seen.size.max(last.size));
        (old != new && old > 0).then_some((old, new))
    }

    /// Judges what a place shows. `proof` is its consistency proof between the sizes of
    /// [`proof_needed`](Self::proof_needed), with the root that it names for the smaller size: a place that shows another
    /// history convicts itself with it. Without one that holds, the misbehaviour is [`Contradiction::Unproven`].
    pub fn observe(
        &mut self,
        note: &Note,
        proof: Option<(Sm3Digest, &[Sm3Digest])>,
    ) -> Observation {
        let Some(seen) = self.signed(note) else { return Observation::Foreign };
        let Some((last, known)) = &self.last else {
            let leaves = seen.size;
            self.last = Some((seen, note.clone()));
            return Observation::Grown { leaves };
        };
        let misbehaved = |contradiction| {
            let (first, second) = (known.clone(), note.clone());
            Observation::Misbehaved(Box::new(Misbehaviour { first, second, contradiction }))
        };
        if seen.size == last.size {
            if seen.root == last.root {
                return Observation::Same;
            }
            return misbehaved(Contradiction::SameSize);
        }
        let (small, large) = if seen.size < last.size { (&seen, last) } else { (last, &seen) };
        let (root, path) = proof.unwrap_or((small.root, &[]));
        if small.extended_by(large, path).is_err() {
            let beginning = ConsistencyProof {
                old_size: small.size,
                new_size: large.size,
                path: path.to_vec(),
            };
            let convicted = root != small.root && beginning.verify(&root, &large.root).is_ok();
            return misbehaved(if convicted {
                Contradiction::OtherBeginning { root, path: path.to_vec() }
            } else {
                Contradiction::Unproven
            });
        }
        if seen.size < last.size {
            return Observation::Behind { leaves: last.size.saturating_sub(seen.size) };
        }
        let leaves = seen.size.saturating_sub(last.size);
        self.last = Some((seen, note.clone()));
        Observation::Grown { leaves }
    }

    /// The checkpoint, if a key of the log signed it.
    fn signed(&self, note: &Note) -> Option<Checkpoint> {
        let seen = Checkpoint::of(note).ok()?;
        let own = self.keys.iter().filter(|key| key.name() == seen.origin);
        let right = own.map(|key| key.check(note)).any(|answer| matches!(answer, Ok(Some(_))));
        let same_log = self.last.as_ref().is_none_or(|(last, _)| last.origin == seen.origin);
        (right && same_log).then_some(seen)
    }
}
