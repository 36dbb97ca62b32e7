//! From envelope bytes to a [`DecodedTransaction`]: the structural half of validation.

use prost::Message;

use super::{Content, DecodedTransaction};
use crate::{
    TxReadWriteSet, ValidationCode,
    headers::{self, Refusal},
    limits::{ENDORSEMENTS_MAX, ENVELOPE_BYTES_MAX, IDENTITY_BYTES_MAX, SIGNATURE_BYTES_MAX},
    proposal::{SplitPayload, open_args, proposal_hash, without_transient},
    proto::{common, protos},
};

/// Takes a serialized `common.Envelope` of an endorser transaction apart and checks its structure, in
/// Fabric's order: headers, transaction id, the one action, proposal hash, chaincode, response,
/// event, read-write set.
///
/// The envelope's outer layer must be in its one canonical encoding, because nothing signs it: a
/// changed byte is then a changed payload, a changed signature, or a refusal.
///
/// # Errors
/// The validation code that the transaction gets, and an English reason for logs.
pub fn decode_transaction(
    envelope: &[u8],
) -> Result<DecodedTransaction, (ValidationCode, &'static str)> {
    Opened::read(envelope)?.transaction()
}

/// Takes the serialized `common.Envelope` of anything that is ordered apart: as
/// [`decode_transaction`], or a configuration in the same one encoding.
///
/// # Errors
/// As [`decode_transaction`]. [`ValidationCode::UnsupportedTxPayload`] stands for an update of the
/// configuration and for nothing else: it is not ordered as it stands, but in the configuration that
/// it makes.
pub fn decode_envelope(envelope: &[u8]) -> Result<Content, (ValidationCode, &'static str)> {
    let opened = Opened::read(envelope)?;
    if opened.channel.r#type == i32::from(common::HeaderType::Config) {
        return opened.config().map(Content::Config);
    }
    opened.transaction().map(Content::Transaction)
}

/// An envelope whose payload and headers parse.
pub(super) struct Opened {
    pub(super) envelope: common::Envelope,
    pub(super) header: common::Header,
    pub(super) channel: common::ChannelHeader,
    pub(super) signature: common::SignatureHeader,
    pub(super) data: Vec<u8>,
}

impl Opened {
    fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        const NIL: ValidationCode = ValidationCode::NilEnvelope;
        if bytes.is_empty() || bytes.len() > ENVELOPE_BYTES_MAX {
            return Err((NIL, "envelope is empty or too large"));
        }
        let envelope =
            common::Envelope::decode(bytes).map_err(|_| (NIL, "envelope does not parse"))?;
        if !is_canonical(&envelope, bytes) {
            return Err((NIL, "envelope is not canonically encoded"));
        }
        Self::open(envelope)
    }

    /// Takes the layers below an envelope apart.
    pub(super) fn open(envelope: common::Envelope) -> Result<Self, Refusal> {
        let payload = common::Payload::decode(envelope.payload.as_slice())
            .map_err(|_| (ValidationCode::BadPayload, "payload does not parse"))?;
        let header =
            payload.header.ok_or((ValidationCode::BadCommonHeader, "payload has no header"))?;
        let (channel, signature) =
            headers::decode(&header.channel_header, &header.signature_header)?;
        Ok(Self { envelope, header, channel, signature, data: payload.data })
    }

    fn transaction(self) -> Result<DecodedTransaction, Refusal> {
        let Self { envelope, header, channel, signature, data } = self;
        if envelope.signature.is_empty() || envelope.signature.len() > SIGNATURE_BYTES_MAX {
            return Err((
                ValidationCode::BadCreatorSignature,
                "creator's signature is missing or too long",
            ));
        }
        let headers = headers::open(channel, signature)?;
        let action = open_action(&data, &header)?;
        let args = open_args(&action.proposal_payload, &headers.chaincode_name)?;
        let answer = open_answer(&action.endorsed_payload, &action.proposal_hash_expected)?;
        let chaincode_version = check_chaincode(answer.chaincode_id, &headers.chaincode_name)?;
        let response = check_response(answer.response)?;
        let events = open_event(&answer.events, &headers)?;
        let rwset = TxReadWriteSet::from_bytes(&answer.results)
            .map_err(|error| (error.code(), error.reason()))?;
        Ok(DecodedTransaction {
            channel_id: headers.channel_id,
            tx_id: headers.tx_id,
            creator: headers.creator,
            nonce: headers.nonce,
            time_ms: headers.time_ms,
            chaincode_name: headers.chaincode_name,
            chaincode_version,
            args,
            rwset,
            response,
            events,
            endorsed_payload: action.endorsed_payload,
            endorsements: action.endorsements,
            signed_payload: envelope.payload,
            signature: envelope.signature,
        })
    }
}

/// Whether `bytes` are what `envelope` encodes to. The two fields were found in `bytes`, so equal
/// length leaves room for nothing but their order and the form of two tags and two lengths; the
/// encoding is compared all the same, without a copy of the payload.
fn is_canonical(envelope: &common::Envelope, bytes: &[u8]) -> bool {
    if envelope.encoded_len() != bytes.len() {
        return false;
    }
    let mut rest = bytes;
    for (tag, field) in [(0x0a, &envelope.payload), (0x12, &envelope.signature)] {
        if field.is_empty() {
            continue;
        }
        let mut prefix = vec![tag];
        prost::encode_length_delimiter(field.len(), &mut prefix).unwrap_or_default();
        let Some(after) = rest.strip_prefix(prefix.as_slice()) else { return false };
        let Some(after) = after.strip_prefix(field.as_slice()) else { return false };
        rest = after;
    }
    rest.is_empty()
}

/// The one action of a transaction.
struct Action {
    proposal_payload: Vec<u8>,
    proposal_hash_expected: [u8; 32],
    endorsed_payload: Vec<u8>,
    endorsements: Vec<(Vec<u8>, Vec<u8>)>,
}

fn open_action(data: &[u8], header: &common::Header) -> Result<Action, Refusal> {
    const BAD: ValidationCode = ValidationCode::InvalidEndorserTransaction;
    let transaction = protos::Transaction::decode(data)
        .map_err(|_| (ValidationCode::BadPayload, "transaction does not parse"))?;
    let [action] = <[_; 1]>::try_from(transaction.actions)
        .map_err(|_| (BAD, "transaction has not exactly one action"))?;
    if action.header != header.signature_header {
        return Err((BAD, "action header differs from signature header"));
    }
    let payload = protos::ChaincodeActionPayload::decode(action.payload.as_slice())
        .map_err(|_| (BAD, "action payload does not parse"))?;
    let endorsed = payload.action.ok_or((BAD, "action is not endorsed"))?;
    if endorsed.endorsements.len() > ENDORSEMENTS_MAX {
        return Err((BAD, "too many endorsements"));
    }
    let oversized = |e: &protos::Endorsement| {
        e.endorser.len() > IDENTITY_BYTES_MAX || e.signature.len() > SIGNATURE_BYTES_MAX
    };
    if endorsed.endorsements.iter().any(oversized) {
        return Err((BAD, "endorser or its signature is too long"));
    }
    let SplitPayload { payload: proposal_payload, transient } =
        without_transient(payload.chaincode_proposal_payload)
            .map_err(|(_, reason)| (BAD, reason))?;
    if !transient.is_empty() {
        return Err((BAD, "transient data in a transaction"));
    }
    let hash = proposal_hash(&header.channel_header, &action.header, &proposal_payload);
    Ok(Action {
        proposal_payload,
        proposal_hash_expected: *hash.as_bytes(),
        endorsed_payload: endorsed.proposal_response_payload,
        endorsements: endorsed
            .endorsements
            .into_iter()
            .map(|endorsement| (endorsement.endorser, endorsement.signature))
            .collect(),
    })
}

/// The answer that the endorsers signed, if it belongs to this proposal.
fn open_answer(
    endorsed_payload: &[u8],
    proposal_hash: &[u8; 32],
) -> Result<protos::ChaincodeAction, Refusal> {
    let answer = protos::ProposalResponsePayload::decode(endorsed_payload).map_err(|_| {
        (ValidationCode::InvalidEndorserTransaction, "response payload does not parse")
    })?;
    if answer.proposal_hash != proposal_hash {
        return Err((
            ValidationCode::InvalidEndorserTransaction,
            "endorsed answer belongs to another proposal",
        ));
    }
    protos::ChaincodeAction::decode(answer.extension.as_slice())
        .map_err(|_| (ValidationCode::BadResponsePayload, "chaincode action does not parse"))
}

fn check_chaincode(id: Option<protos::ChaincodeId>, expected: &str) -> Result<String, Refusal> {
    const BAD: ValidationCode = ValidationCode::InvalidChaincode;
    let id = id.ok_or((BAD, "answer has no chaincode id"))?;
    if id.name != expected {
        return Err((BAD, "header and answer name different chaincodes"));
    }
    if !headers::is_chaincode_version(&id.version) {
        return Err((BAD, "chaincode version is empty or invalid"));
    }
    Ok(id.version)
}

fn check_response(response: Option<protos::Response>) -> Result<protos::Response, Refusal> {
    const BAD: ValidationCode = ValidationCode::BadResponsePayload;
    let response = response.ok_or((BAD, "answer has no response"))?;
    // Fabric endorses 200 to 399; anything else was a refusal that nobody should have signed.
    if !(200..400).contains(&response.status) {
        return Err((BAD, "endorsed response is not a success"));
    }
    Ok(response)
}

fn open_event(
    bytes: &[u8],
    headers: &headers::Headers,
) -> Result<Option<protos::ChaincodeEvent>, Refusal> {
    const BAD: ValidationCode = ValidationCode::InvalidOtherReason;
    if bytes.is_empty() {
        return Ok(None);
    }
    let event = protos::ChaincodeEvent::decode(bytes)
        .map_err(|_| (BAD, "chaincode event does not parse"))?;
    if event.chaincode_id != headers.chaincode_name {
        return Err((BAD, "chaincode event names another chaincode"));
    }
    if event.tx_id.parse() != Ok(headers.tx_id) {
        return Err((BAD, "chaincode event names another transaction"));
    }
    Ok(Some(event))
}
