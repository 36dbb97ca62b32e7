//! Endorsing for others: a proposal that another node hands in is judged, simulated and signed.

use changbai_contract::ContractError;
use changbai_msp::IdentityError;
use changbai_storage::StorageError;
use changbai_wire::{
    EndorsedResponse, EndorsementError, ProposalResponse, Refused, SignedProposal, TxId,
};
use smkit::sm2::Signature;

use crate::channel::Channel;
use crate::endorse;
use crate::limits::ENVELOPE_BYTES_MAX;
use crate::outcome::InvokeError;

impl Channel {
    /// Endorses a serialized `protos.SignedProposal` of any member that may write to the channel;
    /// the answer is a serialized `protos.ProposalResponse`, a refusal included. Nothing is kept.
    ///
    /// One call costs a signature verification, a simulation and a signature; how many run at a
    /// time is the caller's to bound.
    #[must_use]
    pub fn process_proposal(&self, signed_proposal: &[u8]) -> Vec<u8> {
        let answer = match self.endorse_for(signed_proposal) {
            Ok(endorsed) => ProposalResponse::Endorsed(endorsed),
            Err(error) => ProposalResponse::Refused(error.into_refusal()),
        };
        answer.to_bytes()
    }

    /// As [`process_proposal`](Self::process_proposal), for whoever wants to know why not.
    ///
    /// The creator is judged by this node's clock, not by the time that the proposal claims:
    /// otherwise whoever keeps an expired certificate could date a proposal back.
    ///
    /// # Errors
    ///
    /// [`ProposalError`]; nothing was signed.
    pub fn endorse_for(&self, signed_proposal: &[u8]) -> Result<EndorsedResponse, ProposalError> {
        if let Some(reason) = self.shared.halted() {
            return Err(ProposalError::Halted { reason });
        }
        if signed_proposal.len() > ENVELOPE_BYTES_MAX {
            return Err(ProposalError::TooLarge { bytes: signed_proposal.len() });
        }
        let SignedProposal { proposal, decoded, signature } =
            SignedProposal::from_bytes(signed_proposal)?;
        if decoded.channel_id != self.shared.channel_id {
            return Err(ProposalError::WrongChannel(decoded.channel_id));
        }
        let epoch = self.shared.epoch();
        let at_s = self.shared.clock.now().at.seconds();
        let creator = epoch.membership.identify(&decoded.creator, at_s)?;
        if !epoch.writers.evaluate(&[&creator]) {
            return Err(ProposalError::Forbidden);
        }
        let signed = Signature::from_der(&signature)
            .is_ok_and(|signature| creator.verifying_key().verify(&proposal, &signature).is_ok());
        if !signed {
            return Err(ProposalError::Signature);
        }
        if self.shared.ledger.location(&decoded.tx_id)?.is_some() {
            return Err(ProposalError::Duplicate { tx_id: decoded.tx_id });
        }
        let view = self.shared.ledger.index().snapshot();
        let answer = endorse::simulate(&self.shared.contracts, &view, &creator, &decoded)?;
        Ok(endorse::endorse(&decoded, answer, &self.shared.endorser))
    }
}

/// Why a proposal of another node was not endorsed. Nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// This node's channel halted after a failure that makes signing unsafe.
    #[error("the channel has halted: {reason}")]
    Halted {
        /// What failed.
        reason: String,
    },
    /// The proposal is larger than [`ENVELOPE_BYTES_MAX`]: no transaction could hold it.
    #[error("the proposal has {bytes} bytes, more than allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The bytes do not form a signed proposal, or its id is not the right one.
    #[error(transparent)]
    Malformed(#[from] EndorsementError),
    /// The proposal names another channel.
    #[error("the proposal is for channel {0}")]
    WrongChannel(String),
    /// The creator is not a member of the channel.
    #[error("the creator's identity is not accepted: {0}")]
    Identity(#[from] IdentityError),
    /// The creator may not write to this channel.
    #[error("the creator may not write to this channel")]
    Forbidden,
    /// The creator did not sign these bytes.
    #[error("the creator's signature is wrong")]
    Signature,
    /// The transaction is in the ledger already.
    #[error("transaction {tx_id} is known already")]
    Duplicate {
        /// Its id.
        tx_id: TxId,
    },
    /// The simulation failed; a contract's refusal among the reasons.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    /// The ledger could not be read.
    #[error("the ledger cannot be read")]
    Storage(#[from] StorageError),
}

impl ProposalError {
    /// The status that the refusal carries, as in HTTP; 500 is the contract's own refusal.
    #[must_use]
    pub const fn status(&self) -> i32 {
        match self {
            Self::Identity(_)
            | Self::Forbidden
            | Self::Signature
            | Self::Invoke(InvokeError::Identity(_)) => 403,
            Self::WrongChannel(_) | Self::Invoke(InvokeError::UnknownContract(_)) => 404,
            Self::Duplicate { .. } => 409,
            Self::TooLarge { .. } => 413,
            Self::Halted { .. }
            | Self::Storage(_)
            | Self::Invoke(
                InvokeError::Storage(_) | InvokeError::Contract(ContractError::State(_)),
            ) => 503,
            Self::Invoke(InvokeError::Contract(_)) => STATUS_CONTRACT_REFUSED,
            Self::Malformed(_) | Self::Invoke(_) => 400,
        }
    }

    fn into_refusal(self) -> Refused {
        let (status, message) = (self.status(), self.to_string());
        let payload = match self {
            Self::Invoke(InvokeError::Contract(ContractError::Refused { payload, .. })) => payload,
            _ => Vec::new(),
        };
        Refused { status, message, payload }
    }
}

/// Status of a contract's refusal, as Fabric's shim has it.
pub(crate) const STATUS_CONTRACT_REFUSED: i32 = 500;
