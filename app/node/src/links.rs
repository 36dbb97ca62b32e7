//! This node among the others: its hub of links, what it answers them, and whom it asks to endorse.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use changbai_channel::{AskError, Channel, Endorsers, PeerId, SigningIdentity};
use changbai_msp::Identity;
use changbai_network::{
    Answering, Call, CallError, CallHandler, CallRefusal, Caller, Hub, HubParts, Limits, Observer,
    Reason,
};
use changbai_wire::time::Clock;
use smkit::OsRandom;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::StartError;
use crate::time_rule::TimeRule;
use crate::tls_files::TlsIdentity;

/// Please endorse: a serialized `protos.SignedProposal`, answered by a `protos.ProposalResponse`.
const ENDORSE: u8 = 1;
/// How long an endorser may take.
const ENDORSE_WAIT_MAX: Duration = Duration::from_secs(3);
/// A node that is a block behind has caught up by then.
const CATCH_UP: Duration = Duration::from_millis(30);

/// The hub, with the port on which it takes links in.
pub(crate) struct Links {
    pub(crate) hub: Hub,
    pub(crate) address: SocketAddr,
    listener: TcpListener,
}

impl Links {
    /// Opens the port. Nothing is taken in before [`serve`](Self::serve).
    pub(crate) async fn bind(
        address: SocketAddr,
        identity: SigningIdentity,
        tls: &TlsIdentity,
        clock: &Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, StartError> {
        let refuse = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        let parts = HubParts {
            identity,
            tls: tls.signing.clone(),
            clock: Arc::clone(clock),
            random: Box::new(OsRandom),
            limits: Limits::default(),
            observer,
        };
        let hub = Hub::new(parts).map_err(|e| StartError::Wiring(e.to_string()))?;
        Ok(Self { hub, address, listener })
    }

    /// Takes links in until the node stops.
    pub(crate) fn serve(self, mut stopped: watch::Receiver<bool>) -> JoinHandle<()> {
        let Self { hub, listener, .. } = self;
        let serve = async move {
            let stop = async {
                // An error means the sender is gone, which is a stop as well.
                drop(stopped.wait_for(|stop| *stop).await);
            };
            hub.serve(listener, stop).await;
        };
        #[expect(clippy::disallowed_methods, reason = "the node's task; shutdown joins it")]
        tokio::spawn(serve)
    }
}

/// Answers the channel's other nodes.
pub(crate) struct Answers {
    pub(crate) channel: Channel,
    /// What this node demands of the time in records that it endorses; none for nothing.
    pub(crate) time_rule: Option<Arc<TimeRule>>,
}

impl CallHandler for Answers {
    fn call(&self, _: Arc<Identity>, call: Call) -> Answering {
        if call.method != ENDORSE {
            return Box::pin(async { Err(CallRefusal::from(Reason::Unserved)) });
        }
        let (channel, rule) = (self.channel.clone(), self.time_rule.clone());
        // A verification, a simulation and a signature: less than a thread's change would cost.
        Box::pin(async move {
            let refused = rule.and_then(|rule| rule.refusal(&call.request));
            let answer = refused.unwrap_or_else(|| channel.process_proposal(&call.request));
            Ok(Bytes::from(answer))
        })
    }
}

/// The channel's nodes of other organisations, over the links.
pub(crate) struct PeerEndorsers {
    caller: Caller,
    turn: AtomicUsize,
}

impl PeerEndorsers {
    pub(crate) const fn new(caller: Caller) -> Self {
        Self { caller, turn: AtomicUsize::new(0) }
    }
}

impl Endorsers for PeerEndorsers {
    /// In turn, so that the work is spread.
    fn available(&self) -> Vec<(PeerId, Arc<Identity>)> {
        let mut peers = self.caller.callable();
        if !peers.is_empty() {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % peers.len();
            peers.rotate_left(turn);
        }
        peers
    }

    fn ask(
        &self,
        peer: PeerId,
        signed_proposal: Bytes,
    ) -> Pin<Box<dyn Future<Output = Result<Bytes, AskError>> + Send + '_>> {
        Box::pin(async move {
            let asked = self.caller.call(peer, ENDORSE, signed_proposal, ENDORSE_WAIT_MAX).await;
            asked.map_err(|error| match error {
                CallError::Timeout => AskError::TimedOut,
                other => AskError::Unreachable(other.to_string()),
            })
        })
    }

    fn pause(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(CATCH_UP))
    }
}
