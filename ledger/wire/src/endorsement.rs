//! What travels between a client's gateway and an endorser: a signed proposal there, an endorsement
//! or a refusal back.

use std::fmt;

use prost::Message;
use thiserror::Error;

use crate::{
    DecodedProposal, TxReadWriteSet, ValidationCode, decode_proposal,
    limits::{
        ENVELOPE_BYTES_MAX, IDENTITY_BYTES_MAX, REFUSAL_MESSAGE_BYTES_MAX,
        REFUSAL_PAYLOAD_BYTES_MAX, SIGNATURE_BYTES_MAX, SIGNED_PROPOSAL_BYTES_MAX,
    },
    proto::protos,
};

/// A proposal with its creator's signature (`protos.SignedProposal`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedProposal {
    /// The serialized `protos.Proposal` exactly as it was signed.
    pub proposal: Vec<u8>,
    /// The same, opened.
    pub decoded: DecodedProposal,
    /// The creator's DER signature over `proposal`, not verified.
    pub signature: Vec<u8>,
}

impl SignedProposal {
    /// The serialized message around a proposal and its DER signature.
    #[must_use]
    pub fn encode(proposal: Vec<u8>, signature: Vec<u8>) -> Vec<u8> {
        protos::SignedProposal { proposal_bytes: proposal, signature }.encode_to_vec()
    }

    /// Opens a serialized `protos.SignedProposal` in its canonical encoding; the caller then checks
    /// the signature.
    ///
    /// # Errors
    /// [`EndorsementError`]: what [`decode_proposal`] refuses, or another form or size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EndorsementError> {
        if bytes.len() > SIGNED_PROPOSAL_BYTES_MAX {
            return Err(EndorsementError::Form("signed proposal is too large"));
        }
        let message = protos::SignedProposal::decode(bytes)
            .map_err(|_| EndorsementError::Form("signed proposal does not parse"))?;
        if message.encode_to_vec() != bytes {
            return Err(EndorsementError::Form("signed proposal is not canonically encoded"));
        }
        let protos::SignedProposal { proposal_bytes: proposal, signature } = message;
        check_signature(&signature)?;
        let decoded = decode_proposal(&proposal)
            .map_err(|(code, reason)| EndorsementError::Proposal { code, reason })?;
        Ok(Self { proposal, decoded, signature })
    }
}

/// What an endorser says to a proposal (`protos.ProposalResponse`).
#[derive(Clone, PartialEq)]
pub enum ProposalResponse {
    /// It simulated the call and signed the result.
    Endorsed(EndorsedResponse),
    /// It did not.
    Refused(Refused),
}

/// An endorser's signature (背书) under the result of its simulation.
#[derive(Clone, PartialEq)]
pub struct EndorsedResponse {
    /// The `ProposalResponsePayload` bytes that it signed.
    pub payload: Vec<u8>,
    /// Its serialized identity.
    pub endorser: Vec<u8>,
    /// Its DER signature over [`endorsement_message`](crate::endorsement_message), not verified.
    pub signature: Vec<u8>,
    /// The contract's answer; the same stands in `payload`.
    pub response: protos::Response,
}

/// Why an endorser did not sign.
#[derive(Clone, PartialEq, Eq)]
pub struct Refused {
    /// As in HTTP, 400 and above; 500 is the contract's own refusal.
    pub status: i32,
    /// English text for logs; of a contract's refusal `<code>: <message>`.
    pub message: String,
    /// What the contract's refusal carries.
    pub payload: Vec<u8>,
}

impl ProposalResponse {
    /// The serialized message. Overlong texts of a refusal are cut, overlong data is left out.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let (response, payload, endorsement) = match self {
            Self::Endorsed(endorsed) => {
                let endorsement = protos::Endorsement {
                    endorser: endorsed.endorser.clone(),
                    signature: endorsed.signature.clone(),
                };
                (endorsed.response.clone(), endorsed.payload.clone(), Some(endorsement))
            }
            Self::Refused(refused) => (refused.bounded(), Vec::new(), None),
        };
        protos::ProposalResponse {
            version: VERSION,
            response: Some(response),
            payload,
            endorsement,
            ..protos::ProposalResponse::default()
        }
        .encode_to_vec()
    }

    /// Reads [`ProposalResponse::to_bytes`]; nothing is verified but the form.
    ///
    /// # Errors
    /// [`EndorsementError::Form`] for anything else, also when answer and signed result differ.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EndorsementError> {
        const FORM: EndorsementError = EndorsementError::Form("response is neither of two forms");
        if bytes.len() > ENVELOPE_BYTES_MAX {
            return Err(EndorsementError::Form("response is too large"));
        }
        let message = protos::ProposalResponse::decode(bytes)
            .map_err(|_| EndorsementError::Form("response does not parse"))?;
        if message.encode_to_vec() != bytes {
            return Err(EndorsementError::Form("response is not canonically encoded"));
        }
        let protos::ProposalResponse {
            version,
            timestamp,
            response,
            payload,
            endorsement,
            interest,
        } = message;
        if version != VERSION || timestamp.is_some() || interest.is_some() {
            return Err(FORM);
        }
        let response = response.ok_or(FORM)?;
        match (response.status, endorsement) {
            (200..400, Some(endorsement)) => {
                open_endorsed(response, payload, endorsement).map(Self::Endorsed)
            }
            (400.., None) if payload.is_empty() => open_refused(response).map(Self::Refused),
            _ => Err(FORM),
        }
    }
}

impl EndorsedResponse {
    /// What the simulation read and would write.
    ///
    /// # Errors
    /// [`EndorsementError::Form`] when the signed result holds no read-write set.
    pub fn read_write_set(&self) -> Result<TxReadWriteSet, EndorsementError> {
        TxReadWriteSet::from_bytes(&open_action(&self.payload)?.results)
            .map_err(|error| EndorsementError::Form(error.reason()))
    }
}

impl Refused {
    fn bounded(&self) -> protos::Response {
        let mut end = self.message.len().min(REFUSAL_MESSAGE_BYTES_MAX);
        while !self.message.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let fits = self.payload.len() <= REFUSAL_PAYLOAD_BYTES_MAX;
        protos::Response {
            status: self.status.max(400),
            message: self.message.get(..end).unwrap_or_default().to_owned(),
            payload: if fits { self.payload.clone() } else { Vec::new() },
        }
    }
}

impl fmt::Debug for ProposalResponse {
    /// Leaves out results and answers: they may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endorsed(endorsed) => endorsed.fmt(f),
            Self::Refused(refused) => refused.fmt(f),
        }
    }
}

impl fmt::Debug for EndorsedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndorsedResponse")
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("status", &self.status)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

fn open_endorsed(
    response: protos::Response,
    payload: Vec<u8>,
    endorsement: protos::Endorsement,
) -> Result<EndorsedResponse, EndorsementError> {
    let protos::Endorsement { endorser, signature } = endorsement;
    check_signature(&signature)?;
    if endorser.is_empty() || endorser.len() > IDENTITY_BYTES_MAX {
        return Err(EndorsementError::Form("endorser is empty or too long"));
    }
    if open_action(&payload)?.response.as_ref() != Some(&response) {
        return Err(EndorsementError::Form("answer and signed result differ"));
    }
    Ok(EndorsedResponse { payload, endorser, signature, response })
}

fn open_refused(response: protos::Response) -> Result<Refused, EndorsementError> {
    let protos::Response { status, message, payload } = response;
    if message.len() > REFUSAL_MESSAGE_BYTES_MAX || payload.len() > REFUSAL_PAYLOAD_BYTES_MAX {
        return Err(EndorsementError::Form("refusal is too long"));
    }
    Ok(Refused { status, message, payload })
}

fn open_action(payload: &[u8]) -> Result<protos::ChaincodeAction, EndorsementError> {
    let opened = protos::ProposalResponsePayload::decode(payload)
        .map_err(|_| EndorsementError::Form("response payload does not parse"))?;
    protos::ChaincodeAction::decode(opened.extension.as_slice())
        .map_err(|_| EndorsementError::Form("chaincode action does not parse"))
}

fn check_signature(signature: &[u8]) -> Result<(), EndorsementError> {
    if signature.is_empty() || signature.len() > SIGNATURE_BYTES_MAX {
        return Err(EndorsementError::Form("signature is missing or too long"));
    }
    Ok(())
}

/// The version that Fabric's peers write.
const VERSION: i32 = 1;

/// Why bytes are no signed proposal, or no answer to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndorsementError {
    /// The message around it has another form, or is too large.
    #[error("{0}")]
    Form(&'static str),
    /// The proposal in it is malformed.
    #[error("proposal refused ({code}): {reason}")]
    Proposal {
        /// The code its transaction would get.
        code: ValidationCode,
        /// What is wrong with it.
        reason: &'static str,
    },
}
