//! What happens on channels and links, for the log; what asks for an operator is an error there.

use std::sync::Arc;
use std::time::Duration;

use changbai_channel::OrderEvent;
use changbai_network::Observer;
use tokio::sync::watch;

use crate::metrics::NodeMetrics;

/// Hears of the channels of this node.
pub(crate) struct NodeObserver {
    /// Counts changes of configurations.
    pub(crate) configured: watch::Sender<u64>,
    /// Counts everything.
    pub(crate) metrics: Arc<NodeMetrics>,
}

impl Observer for NodeObserver {
    fn turned(&self, channel: &str, elapsed: Duration) {
        self.metrics.channel(channel).turned(elapsed);
    }

    fn order(&self, channel: &str, event: &OrderEvent) {
        self.metrics.channel(channel).observe(event);
        match event {
            OrderEvent::Committed { number, transactions, valid, round, synced, .. } => {
                tracing::debug!(
                    channel,
                    number,
                    transactions,
                    valid,
                    round,
                    synced,
                    "node::committed"
                );
            }
            OrderEvent::Round { height, round, proposer } => {
                tracing::debug!(channel, height, round, %proposer, "node::round");
            }
            OrderEvent::Refused { peer, fault } => {
                // How many there are is up to a faulty peer: all are counted, and shown to whoever asks for them.
                tracing::debug!(channel, %peer, %fault, "node::peer_refused");
            }
            OrderEvent::Misbehaviour(case) => {
                let (validator, height, round) = (&case.validator, case.height, case.round);
                tracing::error!(channel, %validator, height, round, "node::misbehaviour");
            }
            OrderEvent::ForeignGenesis { peer } => {
                tracing::error!(channel, %peer, "node::foreign_genesis");
            }
            OrderEvent::Configured { sequence, height, validators } => {
                tracing::info!(channel, sequence, height, validators, "node::configured");
                self.configured.send_modify(|count| *count = count.wrapping_add(1));
            }
            OrderEvent::Suspended { reason } => {
                tracing::error!(channel, reason, "node::suspended");
            }
            OrderEvent::Resumed => tracing::info!(channel, "node::resumed"),
            OrderEvent::QuorumLost { present, needed } => {
                tracing::error!(channel, present, needed, "node::quorum_lost");
            }
            OrderEvent::QuorumBack => tracing::info!(channel, "node::quorum_back"),
            _ => {}
        }
    }
}
