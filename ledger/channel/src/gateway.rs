//! Calls on behalf of a client: evaluate them here, or have them endorsed, by this node alone or
//! together with nodes of other organisations.
//!
//! The rule of the house: this node never joins endorsements to a transaction that its own
//! simulation contradicts, even where the policy would do without its signature.

mod collector;
mod driver;

use std::fmt;
use std::sync::Arc;

use changbai_msp::{Identity, Missing};
use changbai_wire::{
    EndorsedResponse, EndorsementError, ProposalResponse, assemble, endorsement_message, seal,
};
use smkit::Sm3Digest;
use smkit::sm2::{Signature, Unverified, verify_many};

use crate::channel::Channel;
use crate::endorse::{self, Endorsed, Invocation, Proposal, SigningIdentity};
use crate::outcome::InvokeError;

pub use driver::{AskError, Endorsers};

impl Channel {
    /// Runs a contract against the committed state and returns its answer; nothing is ordered.
    ///
    /// # Errors
    ///
    /// [`InvokeError`], the contract's refusals among them.
    pub fn evaluate(&self, creator: &[u8], call: &Invocation) -> Result<Vec<u8>, InvokeError> {
        Ok(self.simulate(&self.propose(creator, call)?)?.payload)
    }

    /// The proposal of a call by the member `creator`, a serialized `msp.SerializedIdentity`.
    ///
    /// # Errors
    ///
    /// [`InvokeError::Proposal`] for a call that no proposal can carry.
    pub fn propose(&self, creator: &[u8], call: &Invocation) -> Result<Proposal, InvokeError> {
        Proposal::new(&self.shared.channel_id, creator, call)
    }

    /// Simulates a call, endorses the result with this node's key alone and signs it as `creator`:
    /// the returned envelope is ready for [`broadcast`](Self::broadcast).
    ///
    /// # Errors
    ///
    /// [`InvokeError`], the contract's refusals among them; [`InvokeError::NotEndorsed`] where the
    /// policy wants other organisations as well.
    pub fn endorse(
        &self,
        creator: &SigningIdentity,
        call: &Invocation,
    ) -> Result<Endorsed, InvokeError> {
        let proposal = self.propose(&creator.serialized, call)?;
        let own = self.endorse_own(&proposal)?;
        let epoch = self.shared.epoch();
        let endorsers: Vec<_> = self.own_identity().into_iter().collect();
        let chosen = epoch.endorsement.choose(&endorsers);
        chosen.map_err(|missing| InvokeError::NotEndorsed { missing, faults: Vec::new() })?;
        join(&proposal, std::slice::from_ref(&own), creator)
    }

    /// Joins endorsers' serialized `protos.ProposalResponse`s to a transaction and signs it as
    /// `creator`. All signatures are verified, as one batch; of more than the policy needs, a
    /// smallest set goes into the transaction.
    ///
    /// # Errors
    ///
    /// [`InvokeError::Diverged`] unless all endorsed one result; [`InvokeError::NotEndorsed`] when
    /// what is left of them does not satisfy the channel's policy; each with what was wrong.
    pub fn assemble(
        &self,
        proposal: &Proposal,
        responses: &[Vec<u8>],
        creator: &SigningIdentity,
    ) -> Result<Endorsed, InvokeError> {
        let epoch = self.shared.epoch();
        let at_s = self.shared.clock.now().at.seconds();
        let mut faults = Vec::new();
        let mut endorsed = Vec::new();
        for bytes in responses {
            match opened(bytes) {
                Ok(response) => match epoch.membership.identify(&response.endorser, at_s) {
                    Ok(identity) => endorsed.push((identity, response)),
                    Err(_) => faults.push(EndorserFault::unknown(FaultReason::Identity)),
                },
                Err(reason) => faults.push(EndorserFault::unknown(reason)),
            }
        }
        let holds = verified(endorsed.iter().map(|(who, response)| (who.as_ref(), response)));
        let mut good: Vec<(Arc<Identity>, EndorsedResponse)> = Vec::new();
        for ((identity, response), holds) in endorsed.into_iter().zip(holds) {
            let first = good.first().map(|(_, first)| first.payload.as_slice());
            if !holds {
                faults.push(EndorserFault::of(&identity, FaultReason::Signature));
            } else if first.is_none_or(|first| first == response.payload) {
                good.push((identity, response));
            } else {
                faults.push(EndorserFault::of(&identity, FaultReason::OtherResult));
            }
        }
        if faults.iter().any(|fault| matches!(fault.reason, FaultReason::OtherResult)) {
            return Err(InvokeError::Diverged { faults });
        }
        let identities: Vec<_> = good.iter().map(|(identity, _)| Arc::clone(identity)).collect();
        match epoch.endorsement.choose(&identities) {
            Ok(chosen) => {
                let chosen: Vec<_> = chosen
                    .into_iter()
                    .filter_map(|at| good.get(at))
                    .map(|(_, response)| response.clone())
                    .collect();
                join(proposal, &chosen, creator)
            }
            Err(missing) => Err(InvokeError::NotEndorsed { missing, faults }),
        }
    }

    /// This node's own endorsement, which nobody needs to verify.
    fn endorse_own(&self, proposal: &Proposal) -> Result<EndorsedResponse, InvokeError> {
        let answer = self.simulate(proposal)?;
        Ok(endorse::endorse(&proposal.decoded, answer, &self.shared.endorser))
    }

    fn simulate(&self, proposal: &Proposal) -> Result<endorse::Answer, InvokeError> {
        let proposal = &proposal.decoded;
        let at_s = i64::try_from(proposal.time_ms / 1_000).unwrap_or(i64::MAX);
        let caller = self.shared.epoch().membership.identify(&proposal.creator, at_s)?;
        let view = self.shared.ledger.index().snapshot();
        endorse::simulate(&self.shared.contracts, &view, &caller, proposal)
    }

    /// This node as an endorser; `None` while its certificate does not count.
    fn own_identity(&self) -> Option<Arc<Identity>> {
        let at_s = self.shared.clock.now().at.seconds();
        self.shared.epoch().membership.identify(&self.shared.endorser.serialized, at_s).ok()
    }
}

/// What is wrong with an endorser of a call (背书节点).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndorserFault {
    /// Its organisation; empty for a response that cannot be attributed.
    pub msp_id: String,
    /// SM3 of its certificate.
    pub certificate: Option<Sm3Digest>,
    /// What is wrong.
    pub reason: FaultReason,
}

/// Why an endorser's answer is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultReason {
    /// There was none.
    #[error("{0}")]
    Unanswered(#[from] AskError),
    /// It is no response.
    #[error("{0}")]
    Malformed(#[from] EndorsementError),
    /// It is in somebody else's name than the one asked, or in a stranger's.
    #[error("endorsed as somebody else")]
    Identity,
    /// Its signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// It refused.
    #[error("refused ({status}): {message}")]
    Refused {
        /// As in HTTP; 500 is the contract's refusal.
        status: i32,
        /// Its text.
        message: String,
    },
    /// It endorsed another result.
    #[error("another result")]
    OtherResult,
}

impl EndorserFault {
    fn of(identity: &Identity, reason: FaultReason) -> Self {
        let certificate = Some(identity.certificate.sm3());
        Self { msp_id: identity.msp_id.clone(), certificate, reason }
    }

    const fn unknown(reason: FaultReason) -> Self {
        Self { msp_id: String::new(), certificate: None, reason }
    }
}

impl fmt::Display for EndorserFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = if self.msp_id.is_empty() { "somebody" } else { &self.msp_id };
        write!(f, "{who}: {}", self.reason)
    }
}

/// The endorsement in a response.
fn opened(bytes: &[u8]) -> Result<EndorsedResponse, FaultReason> {
    match ProposalResponse::from_bytes(bytes)? {
        ProposalResponse::Endorsed(endorsed) => Ok(endorsed),
        ProposalResponse::Refused(refused) => {
            Err(FaultReason::Refused { status: refused.status, message: refused.message })
        }
    }
}

/// Whether each endorser signed its response, verified as one batch.
fn verified<'a>(
    responses: impl Iterator<Item = (&'a Identity, &'a EndorsedResponse)>,
) -> Vec<bool> {
    let parsed: Vec<_> = responses
        .map(|(identity, response)| {
            let signature = Signature::from_der(&response.signature).ok();
            (identity, endorsement_message(&response.payload, &response.endorser), signature)
        })
        .collect();
    let batch: Vec<_> = parsed
        .iter()
        .filter_map(|(identity, message, signature)| {
            let key = identity.verifying_key();
            signature.as_ref().map(|signature| Unverified { key, message, signature })
        })
        .collect();
    let mut verdicts = verify_many(&batch).into_iter();
    parsed
        .iter()
        .map(|(_, _, signature)| {
            signature.is_some() && verdicts.next().is_some_and(|verdict| verdict.is_ok())
        })
        .collect()
}

/// The transaction of endorsements that were judged, in the order in which the policy takes them.
fn join(
    proposal: &Proposal,
    endorsed: &[EndorsedResponse],
    creator: &SigningIdentity,
) -> Result<Endorsed, InvokeError> {
    let Some(first) = endorsed.first() else {
        let missing = Missing { organisations: Vec::new() };
        return Err(InvokeError::NotEndorsed { missing, faults: Vec::new() });
    };
    let endorsements: Vec<_> =
        endorsed.iter().map(|e| (e.endorser.clone(), e.signature.clone())).collect();
    let payload = assemble(&proposal.bytes, &first.payload, &endorsements)
        .map_err(|e| InvokeError::Proposal(e.to_string()))?;
    let signature = creator.key.sign(&payload).to_der();
    let answer = first.response.payload.clone();
    Ok(Endorsed { tx_id: proposal.tx_id(), envelope: seal(payload, signature), answer })
}
