//! From a call to a signed transaction: propose, simulate, endorse, assemble.

use std::sync::Arc;

use changbai_contract::{Caller, Registry};
use changbai_msp::Identity;
use changbai_wire::proto::protos;
use changbai_wire::time::UnixMillis;
use changbai_wire::{
    DecodedProposal, SimulationResult, TxId, assemble, build_proposal, decode_proposal,
    endorsement_message, response_payload, seal,
};
use smkit::sm2::SigningKey;

use crate::outcome::InvokeError;
use crate::simulate::{Invoked, Simulated, Simulation};
use crate::state::StateView;

/// Status of a successful contract answer, as Fabric's shim has it.
const STATUS_OK: i32 = 200;

/// An identity with its key: it signs as a member of the channel.
#[derive(Clone)]
pub struct SigningIdentity {
    /// `msp.SerializedIdentity` with the certificate's PEM.
    pub serialized: Vec<u8>,
    /// The key of that certificate.
    pub key: SigningKey,
}

impl std::fmt::Debug for SigningIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningIdentity").finish_non_exhaustive()
    }
}

/// A call of a contract function.
#[derive(Clone)]
pub struct Invocation {
    /// The contract's name.
    pub contract: String,
    /// Function name first, then its arguments.
    pub args: Vec<Vec<u8>>,
    /// 24 fresh random bytes; they make the transaction id unique.
    pub nonce: [u8; 24],
    /// The caller's clock, Unix milliseconds.
    pub time_ms: u64,
}

impl std::fmt::Debug for Invocation {
    /// Leaves the arguments out: they may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invocation").field("contract", &self.contract).finish_non_exhaustive()
    }
}

/// An endorsed, signed transaction, ready for ordering.
#[derive(Debug, Clone)]
pub struct Endorsed {
    /// The transaction's id.
    pub tx_id: TxId,
    /// Serialized `common.Envelope`.
    pub envelope: Vec<u8>,
    /// What the contract answered during simulation.
    pub answer: Vec<u8>,
}

/// A proposal with the bytes it was read from.
pub(crate) struct Proposal {
    pub(crate) bytes: Vec<u8>,
    pub(crate) decoded: DecodedProposal,
}

/// What a simulation gave: the contract's answer and the record of its reads and writes.
pub(crate) struct Answer {
    pub(crate) payload: Vec<u8>,
    simulated: Simulated,
    version: &'static str,
}

pub(crate) fn propose(
    channel_id: &str,
    creator: &[u8],
    call: &Invocation,
) -> Result<Proposal, InvokeError> {
    let (_, bytes) = build_proposal(
        channel_id,
        &call.contract,
        &call.args,
        creator,
        &call.nonce,
        UnixMillis(call.time_ms),
    );
    let decoded = decode_proposal(&bytes)
        .map_err(|(code, reason)| InvokeError::Proposal(format!("{code}: {reason}")))?;
    Ok(Proposal { bytes, decoded })
}

pub(crate) fn simulate(
    contracts: &Registry,
    view: &dyn StateView,
    caller: &Arc<Identity>,
    proposal: &DecodedProposal,
) -> Result<Answer, InvokeError> {
    let name = &proposal.chaincode_name;
    let contract =
        contracts.contract(name).ok_or_else(|| InvokeError::UnknownContract(name.clone()))?;
    let version = contract.version();
    let (function, args) = proposal
        .args
        .split_first()
        .ok_or_else(|| InvokeError::Proposal("no function is named".to_owned()))?;
    let function = std::str::from_utf8(function)
        .map_err(|_| InvokeError::Proposal("the function's name is not UTF-8".to_owned()))?;
    let tx_id = proposal.tx_id.to_string();
    let subject = caller.certificate.subject();
    let invoked = Invoked {
        channel: &proposal.channel_id,
        tx_id: &tx_id,
        time_ms: proposal.time_ms,
        namespace: name,
        function,
        args,
        caller: Caller {
            msp_id: &caller.msp_id,
            certificate_sm3: caller.certificate.sm3(),
            subject: &subject,
            identity: &proposal.creator,
        },
    };
    let mut simulation = Simulation::new(invoked, view);
    let payload = contracts.invoke(name, &mut simulation)?;
    Ok(Answer { payload, simulated: simulation.finish(), version })
}

/// Signs the simulated result as endorser, joins everything and signs it as creator.
pub(crate) fn endorse(
    proposal: &Proposal,
    answer: Answer,
    creator: &SigningIdentity,
    endorser: &SigningIdentity,
) -> Result<Endorsed, InvokeError> {
    let decoded = &proposal.decoded;
    let event = answer.simulated.event.map(|(event_name, payload)| protos::ChaincodeEvent {
        chaincode_id: decoded.chaincode_name.clone(),
        tx_id: decoded.tx_id.to_string(),
        event_name,
        payload,
    });
    let response = protos::Response {
        status: STATUS_OK,
        message: String::new(),
        payload: answer.payload.clone(),
    };
    let result = SimulationResult {
        results: &answer.simulated.results,
        event: event.as_ref(),
        response: &response,
        chaincode_name: &decoded.chaincode_name,
        chaincode_version: answer.version,
    };
    let endorsed = response_payload(&decoded.hash, &result);
    let signature = endorser.key.sign(&endorsement_message(&endorsed, &endorser.serialized));
    let endorsements = [(endorser.serialized.clone(), signature.to_der())];
    let payload = assemble(&proposal.bytes, &endorsed, &endorsements)
        .map_err(|e| InvokeError::Proposal(e.to_string()))?;
    let signature = creator.key.sign(&payload).to_der();
    let envelope = seal(payload, signature);
    Ok(Endorsed { tx_id: decoded.tx_id, envelope, answer: answer.payload })
}
