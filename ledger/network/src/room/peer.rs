//! A node of the channel that is linked to this one, and its links.

use std::sync::Arc;
use std::time::Duration;

use changbai_channel::PeerId;
use changbai_msp::Identity;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Room;
use crate::codes::{Reason, Refusal};
use crate::kind::StreamKind;
use crate::stream::{Remote, Stream};

/// Streams that the orderer needs of a peer.
pub(super) const NEEDED: [StreamKind; 3] =
    [StreamKind::Consensus, StreamKind::Bodies, StreamKind::Sync];

pub(super) struct Peer {
    pub(super) identity: Arc<Identity>,
    pub(super) incarnation: u64,
    pub(super) streams: [Option<Arc<Stream>>; StreamKind::ALL.len()],
    /// All streams that the orderer needs are up.
    pub(super) connected: watch::Sender<bool>,
    pub(super) since: Option<Instant>,
    pub(super) validator: bool,
}

/// A node that is linked to this one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PeerInfo {
    /// Its id.
    pub peer: PeerId,
    /// Its organisation.
    pub msp_id: String,
    /// Subject of its identity's certificate.
    pub subject: String,
    /// Where the first of its links leads.
    pub address: Option<std::net::SocketAddr>,
    /// Streams that are up.
    pub streams: Vec<StreamKind>,
    /// Whether the orderer counts it as connected.
    pub connected: bool,
    /// For how long.
    pub since: Option<Duration>,
    /// The last round trip measured.
    pub rtt: Option<Duration>,
    /// Whether it is a validator of the next height.
    pub validator: bool,
}

impl Peer {
    pub(super) fn new(remote: &Remote, validator: bool) -> Self {
        Self {
            identity: Arc::clone(&remote.identity),
            incarnation: remote.incarnation,
            streams: Default::default(),
            connected: watch::Sender::new(false),
            since: None,
            validator,
        }
    }

    pub(super) fn stream(&self, kind: StreamKind) -> Option<&Arc<Stream>> {
        self.streams.get(kind.index())?.as_ref()
    }

    pub(super) fn is_complete(&self) -> bool {
        NEEDED.iter().all(|kind| self.stream(*kind).is_some())
    }

    /// Whether a new link may take the place of the one there is.
    ///
    /// Whoever dials has no link that it knows of. So the old one is dead, or both have dialled at
    /// the same time: then both sides keep what the node with the smaller id dialled.
    pub(super) fn check(
        &self,
        room: &Room,
        kind: StreamKind,
        remote: &Remote,
    ) -> Result<(), Refusal> {
        let Some(old) = self.stream(kind) else { return Ok(()) };
        let is_dead =
            old.remote.incarnation != remote.incarnation || old.silence() >= room.limits.stale;
        let yields =
            if remote.dialled { false } else { !old.remote.dialled || remote.peer < room.own };
        if is_dead || yields { Ok(()) } else { Err(Reason::Duplicate.into()) }
    }

    /// Takes out what a new link replaces: its like, and all links of an earlier process.
    pub(super) fn take_dead(&mut self, kind: StreamKind, incarnation: u64) -> Vec<Arc<Stream>> {
        let dead =
            |stream: &Arc<Stream>| stream.kind == kind || stream.remote.incarnation != incarnation;
        self.streams.iter_mut().filter_map(|place| place.take_if(|at| dead(at))).collect()
    }

    pub(super) fn info(&self, peer: PeerId) -> PeerInfo {
        let up = || self.streams.iter().flatten();
        PeerInfo {
            peer,
            msp_id: self.identity.msp_id.clone(),
            subject: self.identity.certificate.subject(),
            address: up().next().map(|stream| stream.remote.address),
            streams: up().map(|stream| stream.kind).collect(),
            connected: *self.connected.borrow(),
            since: self.since.map(|since| since.elapsed()),
            rtt: up().find_map(|stream| stream.rtt()),
            validator: self.validator,
        }
    }
}
