//! What arrived for the ordering thread: peers that came and went, and their messages.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use changbai_channel::{PeerId, Waker};
use changbai_wire::PeerClass;
use tokio::sync::OwnedSemaphorePermit;

/// A peer came or went since the ordering thread last looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Connected,
    Disconnected,
    /// It went and came back.
    Reconnected,
}

/// A message, and the room it takes in its link's share of memory.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) from: PeerId,
    pub(crate) bytes: Bytes,
    /// Given back when the orderer has it.
    pub(crate) room: OwnedSemaphorePermit,
}

#[derive(Debug)]
pub(crate) struct Inbound {
    state: Mutex<State>,
    waker: Waker,
}

#[derive(Debug, Default)]
struct State {
    changes: BTreeMap<PeerId, Change>,
    queues: [VecDeque<Arrived>; PeerClass::ALL.len()],
}

impl Inbound {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { state: Mutex::default(), waker }
    }

    pub(crate) fn connected(&self, peer: PeerId) {
        let mut state = self.lock();
        let change = match state.changes.get(&peer) {
            None => Change::Connected,
            Some(_) => Change::Reconnected,
        };
        state.changes.insert(peer, change);
        drop(state);
        self.waker.wake();
    }

    pub(crate) fn disconnected(&self, peer: PeerId) {
        self.lock().changes.insert(peer, Change::Disconnected);
        self.waker.wake();
    }

    pub(crate) fn push(&self, class: PeerClass, arrived: Arrived) {
        let mut state = self.lock();
        let idle = state.queues.iter().all(VecDeque::is_empty);
        if let Some(queue) = state.queues.get_mut(class as usize) {
            queue.push_back(arrived);
        }
        drop(state);
        // With something there already, the thread has been woken and has yet to look.
        if idle {
            self.waker.wake();
        }
    }

    pub(crate) fn take_changes(&self) -> BTreeMap<PeerId, Change> {
        std::mem::take(&mut self.lock().changes)
    }

    /// Takes everything that waits, by class in the order of [`PeerClass::ALL`]: all at once, so that
    /// the next message finds nothing there, and wakes.
    pub(crate) fn take(&self) -> [VecDeque<Arrived>; PeerClass::ALL.len()] {
        std::mem::take(&mut self.lock().queues)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
