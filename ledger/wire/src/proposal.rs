//! Proposals and the answers of endorsers.

use std::{collections::BTreeMap, fmt};

use prost::Message;
use smkit::{Sm3Digest, sm3_parts};

use crate::{
    TxId, TxReadWriteSet, ValidationCode, headers,
    headers::Refusal,
    limits::{ARGS_MAX, PROPOSAL_BYTES_MAX},
    proto::{common, protos},
    time::UnixMillis,
};

/// Builds a proposal (提案): the serialized `protos.Proposal`, ready to be signed, and its id.
///
/// `args` starts with the function's name; `creator` is the serialized `msp.SerializedIdentity` of
/// the client; `nonce` must be fresh random bytes, since it makes the transaction id unique.
#[must_use]
pub fn build_proposal(
    channel_id: &str,
    chaincode: &str,
    args: &[Vec<u8>],
    creator: &[u8],
    nonce: &[u8; 24],
    time: UnixMillis,
) -> (TxId, Vec<u8>) {
    let (tx_id, header) = headers::build(channel_id, chaincode, creator, nonce, time);
    let invocation = protos::ChaincodeInvocationSpec {
        chaincode_spec: Some(protos::ChaincodeSpec {
            chaincode_id: Some(protos::ChaincodeId {
                name: chaincode.to_owned(),
                ..protos::ChaincodeId::default()
            }),
            input: Some(protos::ChaincodeInput {
                args: args.to_vec(),
                ..protos::ChaincodeInput::default()
            }),
            ..protos::ChaincodeSpec::default()
        }),
    };
    let payload = protos::ChaincodeProposalPayload {
        input: invocation.encode_to_vec(),
        ..protos::ChaincodeProposalPayload::default()
    };
    let proposal = protos::Proposal {
        header: header.encode_to_vec(),
        payload: payload.encode_to_vec(),
        extension: Vec::new(),
    };
    (tx_id, proposal.encode_to_vec())
}

/// A proposal as an endorser sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodedProposal {
    /// The channel to invoke on.
    pub channel_id: String,
    /// The transaction id, recomputed.
    pub tx_id: TxId,
    /// The serialized identity of who proposes; their signature covers the proposal's bytes.
    pub creator: Vec<u8>,
    /// The nonce that makes the id unique.
    pub nonce: Vec<u8>,
    /// The client's clock, Unix time in milliseconds.
    pub time_ms: u64,
    /// The chaincode to invoke.
    pub chaincode_name: String,
    /// The arguments, function name first.
    pub args: Vec<Vec<u8>>,
    /// Data for the contract that is never hashed or stored; may be personal.
    pub transient: BTreeMap<String, Vec<u8>>,
    /// Bytes of the channel header as received.
    pub channel_header: Vec<u8>,
    /// Bytes of the signature header as received.
    pub signature_header: Vec<u8>,
    /// The `ChaincodeProposalPayload` without its transient map.
    pub payload: Vec<u8>,
    /// [`proposal_hash`] of the three: what an endorsement refers to.
    pub hash: Sm3Digest,
}

impl fmt::Debug for DecodedProposal {
    /// Leaves out arguments and transient data: both may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodedProposal")
            .field("channel_id", &self.channel_id)
            .field("tx_id", &self.tx_id)
            .field("time_ms", &self.time_ms)
            .field("chaincode_name", &self.chaincode_name)
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

/// Opens a serialized `protos.Proposal`; the caller then checks the creator's signature over
/// `proposal`.
///
/// # Errors
/// The validation code that a transaction with such a proposal would get, and a reason for logs.
pub fn decode_proposal(proposal: &[u8]) -> Result<DecodedProposal, (ValidationCode, &'static str)> {
    if proposal.is_empty() || proposal.len() > PROPOSAL_BYTES_MAX {
        return Err((ValidationCode::BadPayload, "proposal is empty or too large"));
    }
    let opened = protos::Proposal::decode(proposal)
        .map_err(|_| (ValidationCode::BadPayload, "proposal does not parse"))?;
    let header = common::Header::decode(opened.header.as_slice())
        .map_err(|_| (ValidationCode::BadCommonHeader, "header does not parse"))?;
    let (channel, signature) = headers::decode(&header.channel_header, &header.signature_header)?;
    let headers = headers::open(channel, signature)?;
    let SplitPayload { payload, transient } = without_transient(opened.payload)?;
    let args = open_args(&payload, &headers.chaincode_name)?;
    let hash = proposal_hash(&header.channel_header, &header.signature_header, &payload);
    Ok(DecodedProposal {
        channel_id: headers.channel_id,
        tx_id: headers.tx_id,
        creator: headers.creator,
        nonce: headers.nonce,
        time_ms: headers.time_ms,
        chaincode_name: headers.chaincode_name,
        args,
        transient,
        channel_header: header.channel_header,
        signature_header: header.signature_header,
        payload,
        hash,
    })
}

/// SM3 over channel header, signature header and `ChaincodeProposalPayload` without transient map,
/// joined as Fabric joins them (there with SHA-256).
#[must_use]
pub fn proposal_hash(channel_header: &[u8], signature_header: &[u8], payload: &[u8]) -> Sm3Digest {
    sm3_parts(&[channel_header, signature_header, payload])
}

/// What an endorser's simulation produced.
#[derive(Clone, Copy, Debug)]
pub struct SimulationResult<'a> {
    /// What was read and would be written.
    pub results: &'a TxReadWriteSet,
    /// The event the contract emitted, if any.
    pub event: Option<&'a protos::ChaincodeEvent>,
    /// The contract's answer; status 200 to 399.
    pub response: &'a protos::Response,
    /// The chaincode that ran.
    pub chaincode_name: &'a str,
    /// The version of it that ran.
    pub chaincode_version: &'a str,
}

/// The serialized `protos.ProposalResponsePayload`: equal bytes from every honest endorser.
#[must_use]
pub fn response_payload(proposal_hash: &Sm3Digest, simulation: &SimulationResult<'_>) -> Vec<u8> {
    let action = protos::ChaincodeAction {
        results: simulation.results.to_bytes(),
        events: simulation.event.map(Message::encode_to_vec).unwrap_or_default(),
        response: Some(simulation.response.clone()),
        chaincode_id: Some(protos::ChaincodeId {
            name: simulation.chaincode_name.to_owned(),
            version: simulation.chaincode_version.to_owned(),
            path: String::new(),
        }),
    };
    protos::ProposalResponsePayload {
        proposal_hash: proposal_hash.as_bytes().to_vec(),
        extension: action.encode_to_vec(),
    }
    .encode_to_vec()
}

/// The message an endorser signs: the `ProposalResponsePayload` bytes, then its serialized identity.
#[must_use]
pub fn endorsement_message(response_payload: &[u8], endorser: &[u8]) -> Vec<u8> {
    [response_payload, endorser].concat()
}

/// A proposal's payload and the transient map that came with it.
pub(crate) struct SplitPayload {
    pub(crate) payload: Vec<u8>,
    pub(crate) transient: BTreeMap<String, Vec<u8>>,
}

/// Splits the transient map off. The bytes stay as received unless there is one to remove.
pub(crate) fn without_transient(payload: Vec<u8>) -> Result<SplitPayload, Refusal> {
    let mut opened = protos::ChaincodeProposalPayload::decode(payload.as_slice())
        .map_err(|_| (ValidationCode::BadPayload, "proposal payload does not parse"))?;
    if opened.transient_map.is_empty() {
        return Ok(SplitPayload { payload, transient: BTreeMap::new() });
    }
    let transient = std::mem::take(&mut opened.transient_map);
    Ok(SplitPayload { payload: opened.encode_to_vec(), transient })
}

/// The arguments of an invocation, whose chaincode must be the one that the header names.
pub(crate) fn open_args(payload: &[u8], chaincode: &str) -> Result<Vec<Vec<u8>>, Refusal> {
    const BAD: ValidationCode = ValidationCode::InvalidEndorserTransaction;
    let payload = protos::ChaincodeProposalPayload::decode(payload)
        .map_err(|_| (BAD, "proposal payload does not parse"))?;
    let spec = protos::ChaincodeInvocationSpec::decode(payload.input.as_slice())
        .map_err(|_| (BAD, "invocation does not parse"))?
        .chaincode_spec
        .ok_or((BAD, "invocation has no chaincode spec"))?;
    if spec.chaincode_id.is_none_or(|id| id.name != chaincode) {
        return Err((
            ValidationCode::InvalidChaincode,
            "header and invocation name different chaincodes",
        ));
    }
    let args = spec.input.ok_or((BAD, "invocation has no input"))?.args;
    if args.is_empty() || args.len() > ARGS_MAX {
        return Err((BAD, "invocation has no or too many arguments"));
    }
    Ok(args)
}
