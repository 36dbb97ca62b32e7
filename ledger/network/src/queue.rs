//! What waits to be sent on one link: bounded, never blocking who fills it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::frame::Control;
use crate::kind::StreamKind;
use crate::limits::queue_bounds;

/// What a full queue drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drops {
    /// What has waited longest: it is the least likely to matter still.
    Oldest,
    /// What comes last: its sender is told, or asks again.
    Newest,
}

#[derive(Debug)]
pub(crate) struct SendQueue {
    state: Mutex<State>,
    filled: Notify,
    messages_max: usize,
    bytes_max: usize,
    drops: Drops,
}

#[derive(Debug, Default)]
struct State {
    messages: VecDeque<Bytes>,
    bytes: usize,
    /// At most one of each kind: the latest.
    ping: Option<u64>,
    pong: Option<u64>,
    bye: Option<u16>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pushed {
    /// It waits to be sent.
    pub(crate) taken: bool,
    /// Messages that were dropped, this one included if it was.
    pub(crate) dropped: u64,
}

/// What to write next.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) controls: Vec<Control>,
    pub(crate) messages: Vec<Bytes>,
    /// After this the link ends.
    pub(crate) last: bool,
}

impl SendQueue {
    pub(crate) fn new(kind: StreamKind) -> Self {
        let (messages_max, bytes_max) = queue_bounds(kind);
        let drops = match kind {
            StreamKind::Consensus | StreamKind::Bodies => Drops::Oldest,
            StreamKind::Sync | StreamKind::Calls => Drops::Newest,
        };
        Self { state: Mutex::default(), filled: Notify::new(), messages_max, bytes_max, drops }
    }

    /// Takes a message in; never waits.
    pub(crate) fn push(&self, message: Bytes) -> Pushed {
        let mut state = self.lock();
        let mut dropped = 0;
        while !state.messages.is_empty() && !self.has_room(&state, message.len()) {
            if self.drops == Drops::Newest {
                return Pushed { taken: false, dropped: 1 };
            }
            if let Some(oldest) = state.messages.pop_front() {
                state.bytes = state.bytes.saturating_sub(oldest.len());
                dropped += 1;
            }
        }
        state.bytes = state.bytes.saturating_add(message.len());
        state.messages.push_back(message);
        drop(state);
        self.filled.notify_one();
        Pushed { taken: true, dropped }
    }

    pub(crate) fn control(&self, control: Control) {
        let mut state = self.lock();
        match control {
            Control::Ping(number) => state.ping = Some(number),
            Control::Pong(number) => state.pong = Some(number),
            Control::Bye(reason) => state.bye = Some(reason),
        }
        drop(state);
        self.filled.notify_one();
    }

    /// Waits until there is something, and takes up to about `bytes_max` bytes of it. Cancellation
    /// safe.
    pub(crate) async fn take(&self, bytes_max: usize) -> Batch {
        loop {
            if let Some(batch) = self.try_take(bytes_max) {
                return batch;
            }
            self.filled.notified().await;
        }
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    fn try_take(&self, bytes_max: usize) -> Option<Batch> {
        let mut state = self.lock();
        let mut batch = Batch::default();
        batch.controls.extend(state.ping.take().map(Control::Ping));
        batch.controls.extend(state.pong.take().map(Control::Pong));
        if let Some(reason) = state.bye {
            // Whatever waits still would come too late.
            batch.controls.push(Control::Bye(reason));
            batch.last = true;
            return Some(batch);
        }
        let mut bytes = 0;
        while bytes < bytes_max {
            let Some(message) = state.messages.pop_front() else { break };
            bytes += message.len().max(1);
            state.bytes = state.bytes.saturating_sub(message.len());
            batch.messages.push(message);
        }
        (!batch.controls.is_empty() || !batch.messages.is_empty()).then_some(batch)
    }

    fn has_room(&self, state: &State, bytes: usize) -> bool {
        state.messages.len() < self.messages_max
            && state.bytes.saturating_add(bytes) <= self.bytes_max
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(byte: u8, bytes: usize) -> Bytes {
        Bytes::from(vec![byte; bytes])
    }

    #[test]
    fn what_waits_longest_goes_first_and_is_dropped_first() {
        let (most, _) = queue_bounds(StreamKind::Consensus);
        let queue = SendQueue::new(StreamKind::Consensus);
        let pushed = |n: usize| queue.push(message(u8::try_from(n % 251).unwrap(), 1)).dropped;
        assert_eq!((0..most).map(pushed).sum::<u64>(), 0);
        assert_eq!((most..most + 3).map(pushed).sum::<u64>(), 3);
        let batch = queue.try_take(2).unwrap();
        assert_eq!(batch.messages, [message(3, 1), message(4, 1)]);
        assert_eq!(queue.bytes(), most - 2);
    }

    #[test]
    fn bytes_are_bounded_but_one_message_always_fits() {
        for (kind, taken) in [(StreamKind::Bodies, true), (StreamKind::Sync, false)] {
            let (_, most) = queue_bounds(kind);
            let queue = SendQueue::new(kind);
            assert_eq!(queue.push(message(1, most + 1)), Pushed { taken: true, dropped: 0 });
            assert_eq!(queue.push(message(2, 1)), Pushed { taken, dropped: 1 });
            assert_eq!(queue.try_take(usize::MAX).unwrap().messages.len(), 1);
            assert!(queue.try_take(usize::MAX).is_none());
            assert_eq!(queue.bytes(), 0);
        }
    }

    #[test]
    fn after_a_goodbye_nothing_is_written() {
        let queue = SendQueue::new(StreamKind::Sync);
        assert!(queue.push(message(1, 10)).taken);
        queue.control(Control::Ping(1));
        queue.control(Control::Ping(2));
        queue.control(Control::Bye(1403));
        let batch = queue.try_take(usize::MAX).unwrap();
        assert_eq!(batch.controls, [Control::Ping(2), Control::Bye(1403)]);
        assert!(batch.last && batch.messages.is_empty());
    }
}
