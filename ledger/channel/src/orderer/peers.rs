//! Who is connected, where they stand, and how long ago they were heard.

use std::collections::BTreeMap;

use changbai_wire::PeerStatus;

use super::event::PeerId;
use crate::limits::{LATER_MESSAGES_MAX, PEERS_MAX};

/// Connected peers, in a fixed order.
#[derive(Debug, Default)]
pub(super) struct Peers(BTreeMap<PeerId, Peer>);

/// One of them.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// What it last said about itself.
    pub(super) status: Option<PeerStatus>,
    /// Last block it seems to have, by its status or by what it votes on; nothing of it is proven.
    pub(super) height: u64,
    /// When it was last heard, if ever.
    pub(super) heard_ms: Option<u64>,
    /// When it was last told where this node stands.
    pub(super) told_ms: Option<u64>,
    /// When it was last asked for blocks.
    pub(super) asked_ms: u64,
    /// It is not asked for blocks before this.
    pub(super) rested_ms: u64,
    /// Answers it got in this turn.
    pub(super) answers: u32,
    /// Messages of later heights that the core keeps for it, by height.
    later: BTreeMap<u64, usize>,
}

impl Peer {
    /// Counts a message of a later height; false when there are enough of them.
    pub(super) fn keep_for_later(&mut self, height: u64) -> bool {
        while self.later.len() > 4 {
            self.later.pop_first();
        }
        let count = self.later.entry(height).or_default();
        *count = count.saturating_add(1);
        *count <= LATER_MESSAGES_MAX
    }
}

impl Peers {
    /// Adds a peer, anew if it was there; false when there are too many.
    pub(super) fn connect(&mut self, id: PeerId) -> bool {
        if self.0.len() >= PEERS_MAX && !self.0.contains_key(&id) {
            return false;
        }
        self.0.insert(id, Peer::default());
        true
    }

    pub(super) fn disconnect(&mut self, id: &PeerId) {
        self.0.remove(id);
    }

    pub(super) fn get_mut(&mut self, id: &PeerId) -> Option<&mut Peer> {
        self.0.get_mut(id)
    }

    pub(super) fn contains(&self, id: &PeerId) -> bool {
        self.0.contains_key(id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The highest block that any peer seems to have.
    pub(super) fn height(&self) -> u64 {
        self.0.values().map(|peer| peer.height).max().unwrap_or(0)
    }

    /// Whom to ask for the block after `tip`: of those that seem to have it, the one asked longest
    /// ago.
    pub(super) fn ahead_of(&mut self, tip: u64, now_ms: u64) -> Option<(PeerId, &mut Peer)> {
        self.0
            .iter_mut()
            .filter(|(_, peer)| peer.height > tip && peer.rested_ms <= now_ms)
            .min_by_key(|(_, peer)| peer.asked_ms)
            .map(|(id, peer)| (*id, peer))
    }

    /// When the first peer ahead of `tip` may be asked again.
    pub(super) fn rested_at(&self, tip: u64) -> Option<u64> {
        self.0.values().filter(|peer| peer.height > tip).map(|peer| peer.rested_ms).min()
    }

    /// Whether a peer was heard within the last `within_ms`.
    pub(super) fn is_present(&self, id: &PeerId, now_ms: u64, within_ms: u64) -> bool {
        let heard = self.0.get(id).and_then(|peer| peer.heard_ms);
        heard.is_some_and(|at| now_ms.saturating_sub(at) <= within_ms)
    }

    /// Begins a turn: everybody may be answered again.
    pub(super) fn begin_turn(&mut self) {
        self.0.values_mut().for_each(|peer| peer.answers = 0);
    }
}
