//! Transactions: joining endorsements into an envelope, and taking an envelope apart.

mod config;
mod decode;

use std::fmt;

use prost::Message;
use thiserror::Error;

pub use self::{
    config::{Content, DecodedConfig},
    decode::{decode_envelope, decode_transaction},
};

use crate::{
    TxId, TxReadWriteSet, ValidationCode, decode_proposal,
    proto::{common, protos},
};

/// An endorser transaction (交易) whose structure has been checked; nothing else has.
///
/// Still to be judged: the creator's signature over `signed_payload`, the endorsers' signatures over
/// [`endorsement_message`](crate::endorsement_message), the policy, duplicates and conflicts.
#[derive(Clone, PartialEq)]
pub struct DecodedTransaction {
    /// The channel it is for.
    pub channel_id: String,
    /// The transaction id, recomputed from nonce and creator.
    pub tx_id: TxId,
    /// The serialized identity of who signed the envelope.
    pub creator: Vec<u8>,
    /// The nonce that makes the id unique.
    pub nonce: Vec<u8>,
    /// The client's clock, Unix time in milliseconds.
    pub time_ms: u64,
    /// The chaincode invoked.
    pub chaincode_name: String,
    /// The version of it that the endorsers ran.
    pub chaincode_version: String,
    /// The arguments, function name first.
    pub args: Vec<Vec<u8>>,
    /// What was read and is to be written.
    pub rwset: TxReadWriteSet,
    /// The contract's answer.
    pub response: protos::Response,
    /// The event the contract emitted, if any.
    pub events: Option<protos::ChaincodeEvent>,
    /// The `ProposalResponsePayload` bytes that the endorsers signed.
    pub endorsed_payload: Vec<u8>,
    /// Each endorser's serialized identity and DER signature, in envelope order.
    pub endorsements: Vec<(Vec<u8>, Vec<u8>)>,
    /// `Envelope.payload`, the bytes that the creator signed.
    pub signed_payload: Vec<u8>,
    /// The creator's DER signature.
    pub signature: Vec<u8>,
}

impl fmt::Debug for DecodedTransaction {
    /// Leaves out arguments, writes and answers: they may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodedTransaction")
            .field("channel_id", &self.channel_id)
            .field("tx_id", &self.tx_id)
            .field("time_ms", &self.time_ms)
            .field("chaincode_name", &self.chaincode_name)
            .field("chaincode_version", &self.chaincode_version)
            .field("endorsements", &self.endorsements.len())
            .finish_non_exhaustive()
    }
}

/// Joins a proposal, the endorsers' common answer and their endorsements (serialized identity, DER
/// signature) into the serialized `common.Payload`; its creator signs it and calls [`seal`].
///
/// # Errors
/// [`AssembleError`] when `proposal` is not one, answers another proposal, or nobody endorsed it.
pub fn assemble(
    proposal: &[u8],
    response_payload: &[u8],
    endorsements: &[(Vec<u8>, Vec<u8>)],
) -> Result<Vec<u8>, AssembleError> {
    let proposal = decode_proposal(proposal)
        .map_err(|(code, reason)| AssembleError::Proposal { code, reason })?;
    let answered = protos::ProposalResponsePayload::decode(response_payload)
        .map_err(|_| AssembleError::ResponsePayload)?;
    if answered.proposal_hash != proposal.hash.as_bytes() {
        return Err(AssembleError::OtherProposal);
    }
    if endorsements.is_empty() {
        return Err(AssembleError::NoEndorsements);
    }
    let endorsements = endorsements
        .iter()
        .map(|(endorser, signature)| protos::Endorsement {
            endorser: endorser.clone(),
            signature: signature.clone(),
        })
        .collect();
    let action = protos::ChaincodeActionPayload {
        chaincode_proposal_payload: proposal.payload,
        action: Some(protos::ChaincodeEndorsedAction {
            proposal_response_payload: response_payload.to_vec(),
            endorsements,
        }),
    };
    let transaction = protos::Transaction {
        actions: vec![protos::TransactionAction {
            header: proposal.signature_header.clone(),
            payload: action.encode_to_vec(),
        }],
    };
    let header = common::Header {
        channel_header: proposal.channel_header,
        signature_header: proposal.signature_header,
    };
    Ok(common::Payload { header: Some(header), data: transaction.encode_to_vec() }.encode_to_vec())
}

/// The serialized `common.Envelope` around a signed payload; `signature` is DER.
#[must_use]
pub fn seal(payload: Vec<u8>, signature: Vec<u8>) -> Vec<u8> {
    common::Envelope { payload, signature }.encode_to_vec()
}

/// Why parts do not make a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AssembleError {
    /// The proposal is malformed.
    #[error("proposal refused ({code}): {reason}")]
    Proposal {
        /// The code its transaction would get.
        code: ValidationCode,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The endorsers' answer does not parse.
    #[error("response payload does not parse")]
    ResponsePayload,
    /// The endorsers answered another proposal.
    #[error("response payload answers another proposal")]
    OtherProposal,
    /// A transaction needs at least one endorsement.
    #[error("no endorsements")]
    NoEndorsements,
}
