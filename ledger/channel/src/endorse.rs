//! From a call to an endorsement: propose, simulate, sign the result.

use changbai_contract::{Caller, Registry};
use changbai_msp::Identity;
use changbai_wire::proto::protos;
use changbai_wire::time::UnixMillis;
use changbai_wire::{
    DecodedProposal, EndorsedResponse, SignedProposal, SimulationResult, TxId, build_proposal,
    decode_proposal, endorsement_message, response_payload,
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

/// A call as its creator proposes it (提案), with the transaction's id.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The serialized `protos.Proposal`.
    pub(crate) bytes: Vec<u8>,
    pub(crate) decoded: DecodedProposal,
}

impl Proposal {
    /// The proposal of a call by the member `creator`, a serialized `msp.SerializedIdentity`.
    pub(crate) fn new(
        channel_id: &str,
        creator: &[u8],
        call: &Invocation,
    ) -> Result<Self, InvokeError> {
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
        Ok(Self { bytes, decoded })
    }

    /// The id of the transaction that comes of it.
    #[must_use]
    pub const fn tx_id(&self) -> TxId {
        self.decoded.tx_id
    }

    /// The serialized `protos.SignedProposal` for other nodes'
    /// [`process_proposal`](crate::Channel::process_proposal).
    #[must_use]
    pub fn sign(&self, creator: &SigningIdentity) -> Vec<u8> {
        let signature = creator.key.sign(&self.bytes).to_der();
        SignedProposal::encode(self.bytes.clone(), signature)
    }
}

/// What a simulation gave: the contract's answer and the record of its reads and writes.
pub(crate) struct Answer {
    pub(crate) payload: Vec<u8>,
    simulated: Simulated,
    version: &'static str,
}

/// Runs the call against a state. What comes out follows from proposal, state and contract alone,
/// never from this node: other endorsers must come to the same bytes.
pub(crate) fn simulate(
    contracts: &Registry,
    view: &dyn StateView,
    caller: &Identity,
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

/// Signs the simulated result as endorser.
pub(crate) fn endorse(
    proposal: &DecodedProposal,
    answer: Answer,
    endorser: &SigningIdentity,
) -> EndorsedResponse {
    let event = answer.simulated.event.map(|(event_name, payload)| protos::ChaincodeEvent {
        chaincode_id: proposal.chaincode_name.clone(),
        tx_id: proposal.tx_id.to_string(),
        event_name,
        payload,
    });
    let response =
        protos::Response { status: STATUS_OK, message: String::new(), payload: answer.payload };
    let result = SimulationResult {
        results: &answer.simulated.results,
        event: event.as_ref(),
        response: &response,
        chaincode_name: &proposal.chaincode_name,
        chaincode_version: answer.version,
    };
    let payload = response_payload(&proposal.hash, &result);
    let signature = endorser.key.sign(&endorsement_message(&payload, &endorser.serialized));
    EndorsedResponse {
        payload,
        endorser: endorser.serialized.clone(),
        signature: signature.to_der(),
        response,
    }
}
