//! What the owner of a hub is told.

use std::net::SocketAddr;
use std::time::Duration;

use changbai_channel::{Halted, OrderEvent, PeerId};

use crate::codes::Refusal;
use crate::kind::StreamKind;

/// Hears what happens on links and channels, for logs, alarms and metrics. Called from the ordering
/// thread and from tasks of the runtime: it must not block.
pub trait Observer: Send + Sync {
    /// The orderer of a channel reports.
    fn order(&self, channel: &str, event: &OrderEvent) {
        let _ = (channel, event);
    }

    /// Ordering has halted for good: the channel's links end. **Alarm.**
    fn halted(&self, channel: &str, halted: &Halted) {
        let _ = (channel, halted);
    }

    /// The thread of a channel's orderer worked so long before it looked up again.
    fn turned(&self, channel: &str, elapsed: Duration) {
        let _ = (channel, elapsed);
    }

    /// A link came up, ended or was refused.
    fn link(&self, event: &LinkEvent) {
        let _ = event;
    }
}

/// Hears nothing.
impl Observer for () {}

/// Something about links.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LinkEvent {
    /// A link is up.
    Up {
        /// The channel.
        channel: String,
        /// The other node.
        peer: PeerId,
        /// The stream.
        kind: StreamKind,
        /// Its address.
        address: SocketAddr,
        /// Whether this node dialled.
        dialled: bool,
    },
    /// A link ended.
    Down {
        /// The channel.
        channel: String,
        /// The other node.
        peer: PeerId,
        /// The stream.
        kind: StreamKind,
        /// Why.
        refusal: Refusal,
    },
    /// A link did not come up.
    Refused {
        /// The channel, if it got so far.
        channel: Option<String>,
        /// Who is on the other end, if that is known: an endpoint or a socket address.
        address: String,
        /// Whether this node dialled.
        dialled: bool,
        /// Why.
        refusal: Refusal,
    },
    /// All streams of the orderer to a node are up.
    Connected {
        /// The channel.
        channel: String,
        /// The node.
        peer: PeerId,
    },
    /// They are no longer.
    Disconnected {
        /// The channel.
        channel: String,
        /// The node.
        peer: PeerId,
    },
}

/// The one place where links are logged.
pub(crate) fn log(event: &LinkEvent) {
    match event {
        LinkEvent::Up { channel, peer, kind, address, dialled } => {
            tracing::debug!(channel, %peer, stream = kind.name(), %address, dialled, "network::link_up");
        }
        LinkEvent::Down { channel, peer, kind, refusal } => {
            let (code, by_peer) = (refusal.reason.code(), refusal.by_peer);
            let stream = kind.name();
            if refusal.reason.is_ordinary() {
                tracing::debug!(channel, %peer, stream, code, reason = %refusal, by_peer, "network::link_down");
            } else {
                tracing::warn!(channel, %peer, stream, code, reason = %refusal, by_peer, "network::link_down");
            }
        }
        LinkEvent::Refused { channel, address, dialled, refusal } => {
            let code = refusal.reason.code();
            let channel = channel.as_deref().unwrap_or("");
            tracing::warn!(channel, address, dialled, code, reason = %refusal, by_peer = refusal.by_peer, "network::link_refused");
        }
        LinkEvent::Connected { channel, peer } => {
            tracing::info!(channel, %peer, "network::peer_connected");
        }
        LinkEvent::Disconnected { channel, peer } => {
            tracing::info!(channel, %peer, "network::peer_disconnected");
        }
    }
}
