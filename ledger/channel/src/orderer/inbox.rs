//! Messages that wait for the next turn, bounded by class and by peer.

use std::collections::{BTreeMap, VecDeque};

use changbai_wire::{PeerClass, PeerMessage};

use super::event::PeerId;
use crate::limits::{INBOX_BYTES_MAX, INBOX_MESSAGES_MAX, INBOX_PEER_MESSAGES_MAX};

/// One queue a class.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    queues: [Queue; PeerClass::ALL.len()],
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<(PeerId, PeerMessage, usize)>,
    bytes: usize,
    by_peer: BTreeMap<PeerId, usize>,
}

impl Inbox {
    /// Takes a message of `bytes` bytes in; false when there is no room for it.
    pub(super) fn push(&mut self, from: PeerId, message: PeerMessage, bytes: usize) -> bool {
        let Some(queue) = self.queue(message.class()) else { return false };
        let crowded = queue.messages.len() >= INBOX_MESSAGES_MAX
            || queue.bytes.saturating_add(bytes) > INBOX_BYTES_MAX;
        let of_peer = queue.by_peer.entry(from).or_default();
        if (crowded && !queue.messages.is_empty()) || *of_peer >= INBOX_PEER_MESSAGES_MAX {
            return false;
        }
        *of_peer += 1;
        queue.bytes = queue.bytes.saturating_add(bytes);
        queue.messages.push_back((from, message, bytes));
        true
    }

    /// The oldest message of the class.
    pub(super) fn pop(&mut self, class: PeerClass) -> Option<(PeerId, PeerMessage)> {
        let queue = self.queue(class)?;
        let (from, message, bytes) = queue.messages.pop_front()?;
        queue.bytes = queue.bytes.saturating_sub(bytes);
        if let Some(count) = queue.by_peer.get_mut(&from) {
            *count -= 1;
        }
        if queue.messages.is_empty() {
            queue.by_peer.clear();
        }
        Some((from, message))
    }

    fn queue(&mut self, class: PeerClass) -> Option<&mut Queue> {
        let place = PeerClass::ALL.iter().position(|known| *known == class)?;
        self.queues.get_mut(place)
    }
}
