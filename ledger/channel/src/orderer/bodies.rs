//! Bodies of the height under way: who proposed them, whether they are here, whether they are good.

use std::collections::{BTreeMap, VecDeque};

use changbai_wire::ValidatorAddress;
use smkit::sm3::Sm3Digest;

use super::event::PeerId;
use crate::body::Body;
use crate::limits::{BODIES_MAX, EARLY_BODIES_MAX, PROPOSALS_PER_ROUND_MAX};

/// Everything about blocks that may be decided at the height under way.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    known: BTreeMap<Sm3Digest, Known>,
    raw: BTreeMap<Sm3Digest, Raw>,
    proposed: BTreeMap<Sm3Digest, Proposed>,
    /// What this node built last, and for which round.
    pub(super) own: Option<(u32, Sm3Digest)>,
    early: VecDeque<Early>,
}

/// A body that is here and decoded.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) body: Body,
    pub(super) standing: Standing,
    /// The round it was first seen in.
    pub(super) round: u32,
}

/// What was said of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was not judged yet.
    Open,
    /// It keeps every rule, and lies in the consensus log.
    Good,
    /// Its time was unacceptable when it was last looked at.
    Untimely,
    /// It breaks a rule, for everybody and for good.
    Bad,
}

/// A body that came before its proposal.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) from: PeerId,
    pub(super) round: u32,
    pub(super) block: Vec<u8>,
}

/// A block that a proposer has signed for.
#[derive(Clone, Debug)]
pub(super) struct Proposed {
    pub(super) round: u32,
    pub(super) proposer: ValidatorAddress,
    /// A quorum of an earlier round is claimed to stand behind it.
    pub(super) again: bool,
    /// How often its body was asked for, and when to ask next.
    pub(super) asked: usize,
    pub(super) ask_at_ms: u64,
}

/// A body of a height that has not begun here.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) from: PeerId,
    pub(super) height: u64,
    pub(super) round: u32,
    pub(super) hash: Sm3Digest,
    pub(super) block: Vec<u8>,
}

impl Bodies {
    /// Forgets the height; what came early for the next ones stays.
    pub(super) fn end_height(&mut self, height: u64) {
        let mut early = std::mem::take(&mut self.early);
        early.retain(|body| body.height > height);
        *self = Self { early, ..Self::default() };
    }

    pub(super) fn get(&self, hash: &Sm3Digest) -> Option<&Known> {
        self.known.get(hash)
    }

    pub(super) fn get_mut(&mut self, hash: &Sm3Digest) -> Option<&mut Known> {
        self.known.get_mut(hash)
    }

    pub(super) fn contains(&self, hash: &Sm3Digest) -> bool {
        self.known.contains_key(hash)
    }

    pub(super) fn take(&mut self, hash: &Sm3Digest) -> Option<Known> {
        self.known.remove(hash)
    }

    /// Keeps a decoded body. Of those beyond the bound the oldest goes, but never the one in `keep`,
    /// which a quorum has prevoted.
    pub(super) fn insert(&mut self, known: Known, keep: Option<Sm3Digest>) {
        let hash = known.body.hash;
        self.raw.remove(&hash);
        self.known.insert(hash, known);
        while self.known.len() > BODIES_MAX {
            let oldest = self
                .known
                .iter()
                .filter(|(other, _)| **other != hash && Some(**other) != keep)
                .min_by_key(|(_, known)| known.round)
                .map(|(other, _)| *other);
            let Some(oldest) = oldest else { return };
            self.known.remove(&oldest);
        }
    }

    /// Keeps a body whose proposal is still to come.
    pub(super) fn insert_raw(&mut self, hash: Sm3Digest, raw: Raw) {
        let of_round = self.raw.values().filter(|other| other.round == raw.round).count();
        if of_round < PROPOSALS_PER_ROUND_MAX && self.raw.len() < BODIES_MAX {
            self.raw.insert(hash, raw);
        }
    }

    pub(super) fn take_raw(&mut self, hash: &Sm3Digest) -> Option<Raw> {
        self.raw.remove(hash)
    }

    /// Notes a signed proposal; `None` when its round has proposals enough.
    pub(super) fn propose(&mut self, hash: Sm3Digest, proposed: Proposed) -> Option<&Proposed> {
        let of_round = self.proposed.values().filter(|p| p.round == proposed.round).count();
        if let Some(known) = self.proposed.get_mut(&hash) {
            known.again |= proposed.again;
            if proposed.round > known.round {
                (known.round, known.proposer) = (proposed.round, proposed.proposer);
            }
        } else if of_round < PROPOSALS_PER_ROUND_MAX {
            if self.proposed.len() >= 4 * BODIES_MAX {
                let oldest = self.proposed.iter().min_by_key(|(_, p)| p.round).map(|(h, _)| *h);
                oldest.map(|oldest| self.proposed.remove(&oldest));
            }
            self.proposed.insert(hash, proposed);
        }
        self.proposed.get(&hash)
    }

    pub(super) fn proposed(&self, hash: &Sm3Digest) -> Option<&Proposed> {
        self.proposed.get(hash)
    }

    /// Proposed blocks whose bodies are missing.
    pub(super) fn missing(&mut self) -> impl Iterator<Item = (&Sm3Digest, &mut Proposed)> {
        let (known, raw) = (&self.known, &self.raw);
        self.proposed
            .iter_mut()
            .filter(|(hash, _)| !known.contains_key(*hash) && !raw.contains_key(*hash))
    }

    /// Keeps a body for a height that has not begun.
    pub(super) fn insert_early(&mut self, early: Early) {
        if self.early.iter().any(|known| known.hash == early.hash) {
            return;
        }
        if self.early.len() >= EARLY_BODIES_MAX {
            self.early.pop_front();
        }
        self.early.push_back(early);
    }

    /// Takes what came early for `height`; what is older is forgotten.
    pub(super) fn take_early(&mut self, height: u64) -> Vec<Early> {
        let (now, later): (VecDeque<_>, VecDeque<_>) = self
            .early
            .drain(..)
            .filter(|body| body.height >= height)
            .partition(|body| body.height == height);
        self.early = later;
        now.into()
    }
}
