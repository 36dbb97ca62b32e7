//! Counters of a channel's links.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::kind::StreamKind;

/// What went over the links of one stream since the channel was joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamTraffic {
    /// Messages received.
    pub messages_in: u64,
    /// Their bytes, without frames.
    pub bytes_in: u64,
    /// Messages handed to TLS.
    pub messages_out: u64,
    /// Their bytes, without frames.
    pub bytes_out: u64,
    /// Messages dropped because a peer takes them too slowly.
    pub dropped_out: u64,
    /// Messages dropped because the orderer takes them too slowly.
    pub dropped_in: u64,
    /// Links that came up.
    pub links: u64,
}

/// Counters of one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// By stream, in the order of [`StreamKind::ALL`].
    pub streams: [StreamTraffic; StreamKind::ALL.len()],
    /// How often a peer was fully connected.
    pub connects: u64,
    /// Dials refused, by either side; what [`Hub::refused`](crate::Hub::refused) counts knows no channel.
    pub refused: u64,
}

impl Traffic {
    /// The counters of a stream.
    #[must_use]
    pub fn stream(&self, kind: StreamKind) -> StreamTraffic {
        self.streams.get(kind.index()).copied().unwrap_or_default()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    streams: [StreamCounters; StreamKind::ALL.len()],
    pub(crate) connects: Counter,
    pub(crate) refused: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct StreamCounters {
    pub(crate) messages_in: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) messages_out: Counter,
    pub(crate) bytes_out: Counter,
    pub(crate) dropped_out: Counter,
    pub(crate) dropped_in: Counter,
    pub(crate) links: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    pub(crate) fn of(&self, kind: StreamKind) -> &StreamCounters {
        let [consensus, bodies, sync, calls] = &self.streams;
        match kind {
            StreamKind::Consensus => consensus,
            StreamKind::Bodies => bodies,
            StreamKind::Sync => sync,
            StreamKind::Calls => calls,
        }
    }

    pub(crate) fn snapshot(&self) -> Traffic {
        let streams = StreamKind::ALL.map(|kind| {
            let of = self.of(kind);
            StreamTraffic {
                messages_in: of.messages_in.value(),
                bytes_in: of.bytes_in.value(),
                messages_out: of.messages_out.value(),
                bytes_out: of.bytes_out.value(),
                dropped_out: of.dropped_out.value(),
                dropped_in: of.dropped_in.value(),
                links: of.links.value(),
            }
        });
        Traffic { streams, connects: self.connects.value(), refused: self.refused.value() }
    }
}
