//! Collecting endorsements over links that somebody else keeps.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use changbai_msp::Identity;
use futures::stream::{FuturesUnordered, StreamExt as _};

use super::collector::{Collector, Next};
use super::join;
use crate::channel::Channel;
use crate::endorse::{Endorsed, Invocation, SigningIdentity};
use crate::orderer::PeerId;
use crate::outcome::InvokeError;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Nodes of the channel that may be asked to endorse, and the way to them.
pub trait Endorsers: Send + Sync {
    /// Who can be asked now, this node not included, in order of preference: near and healthy ones
    /// first, and not always the same.
    fn available(&self) -> Vec<(PeerId, Arc<Identity>)>;

    /// Hands a serialized `protos.SignedProposal` to a node for
    /// [`Channel::process_proposal`]; yields the `protos.ProposalResponse`. Ends in bounded time.
    fn ask(&self, peer: PeerId, signed_proposal: Bytes) -> BoxFuture<'_, Result<Bytes, AskError>>;

    /// Lets enough time pass for a node that is a block behind to catch up, before the call is
    /// simulated once more; at most [`ENDORSEMENT_RETRIES`](crate::limits::ENDORSEMENT_RETRIES)
    /// times a call.
    fn pause(&self) -> BoxFuture<'_, ()>;
}

/// Why a node did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// Not in time.
    #[error("no answer in time")]
    TimedOut,
    /// It cannot be reached, or went away.
    #[error("not reachable: {0}")]
    Unreachable(String),
}

impl Channel {
    /// Has a call endorsed by this node and by as many others as the channel's policy wants, and
    /// signs it as `creator`: the returned envelope is ready for [`broadcast`](Self::broadcast).
    /// Asks nobody where this node's endorsement is enough.
    ///
    /// Whoever fails is replaced by another. Where results differ because nodes are at different
    /// heights, this node simulates again and those that differ are asked again, at most
    /// [`ENDORSEMENT_RETRIES`](crate::limits::ENDORSEMENT_RETRIES) times.
    ///
    /// Simulates, signs and verifies within `poll`: for a thread that may be busy for a
    /// millisecond. Dropping the future ends all asking; nothing was changed anywhere.
    ///
    /// # Errors
    ///
    /// [`InvokeError`], the contract's refusals among them: this node's simulation comes first and
    /// decides. [`InvokeError::NotEndorsed`] and [`InvokeError::Diverged`] name each endorser's fault.
    pub async fn collect(
        &self,
        creator: &SigningIdentity,
        call: &Invocation,
        endorsers: &dyn Endorsers,
    ) -> Result<Endorsed, InvokeError> {
        let proposal = self.propose(&creator.serialized, call)?;
        let own = self.endorse_own(&proposal)?;
        let own_identity = self.own_identity();
        let epoch = self.shared.epoch();
        let alone: Vec<_> = own_identity.iter().cloned().collect();
        if epoch.endorsement.choose(&alone).is_ok() {
            return join(&proposal, std::slice::from_ref(&own), creator);
        }
        let (peers, others): (Vec<_>, Vec<_>) =
            self.known(endorsers.available()).into_iter().unzip();
        let before = alone.len();
        let mut collector = Collector::new(epoch, own_identity, own, others);
        let mut signed: Option<Bytes> = None;
        let mut asked = FuturesUnordered::new();
        loop {
            match collector.next() {
                Next::Ask(places) => {
                    let signed = signed.get_or_insert_with(|| proposal.sign(creator).into());
                    for at in places {
                        let Some(peer) = at.checked_sub(before).and_then(|at| peers.get(at)) else {
                            continue;
                        };
                        let answer = endorsers.ask(*peer, signed.clone());
                        asked.push(async move { (at, answer.await) });
                    }
                }
                Next::Wait => match asked.next().await {
                    Some((at, answer)) => {
                        let answer = answer.as_ref().map(Bytes::as_ref).map_err(Clone::clone);
                        collector.answer(at, answer);
                    }
                    None => return Err(collector.abandoned()),
                },
                Next::Retry => {
                    endorsers.pause().await;
                    collector.retry(self.endorse_own(&proposal)?);
                }
                Next::Enough(endorsed) => return join(&proposal, &endorsed, creator),
                Next::Impossible(error) => return Err(error),
            }
        }
    }

    /// Those that the channel knows as members now: a link may be older than a revocation.
    fn known(&self, available: Vec<(PeerId, Arc<Identity>)>) -> Vec<(PeerId, Arc<Identity>)> {
        let (epoch, at_s) = (self.shared.epoch(), self.shared.clock.now().at.seconds());
        let own = &self.shared.endorser.serialized;
        available
            .into_iter()
            .filter(|(_, identity)| identity.as_bytes() != own)
            .filter_map(|(peer, identity)| {
                Some((peer, epoch.membership.identify(identity.as_bytes(), at_s).ok()?))
            })
            .collect()
    }
}
