//! Records of the write-ahead log: the five inputs whose effect must survive a crash.

use core_consensus::{Input, ProposedValue};
use core_types::{Timeout, TimeoutKind, Validity, ValueOrigin};

use super::{
    CodecError, Reader, Writer,
    message::{Message, POLKA, PROPOSAL, VOTE},
};
use crate::{
    WalRecord,
    context::{Ctx, Height},
};

const TIMEOUT: u8 = 4;
const VALUE: u8 = 5;

/// The record of `input` at `height`.
///
/// # Errors
/// An input that the core never logs, or one with a nil round.
pub(crate) fn encode_record(height: Height, input: Input<Ctx>) -> Result<WalRecord, CodecError> {
    let (kind, bytes) = match input {
        Input::Vote(vote) => (VOTE, Message::Vote(vote).encode()?),
        Input::Proposal(proposal) => (PROPOSAL, Message::Proposal(proposal).encode()?),
        Input::PolkaCertificate(certificate) => (POLKA, Message::Polka(certificate).encode()?),
        Input::TimeoutElapsed(timeout) => (TIMEOUT, encode_timeout(timeout)?),
        Input::ProposedValue(value, origin) => (VALUE, encode_value(&value, origin)?),
        Input::StartHeight(..)
        | Input::RoundCertificate(_)
        | Input::Propose(_)
        | Input::SyncValueResponse(_) => {
            return Err(CodecError::Value { field: "record kind", found: 0 });
        }
    };
    Ok(WalRecord { height: height.0, kind, bytes })
}

/// The input a record was made of.
pub(crate) fn decode_record(record: &WalRecord) -> Result<Input<Ctx>, CodecError> {
    match record.kind {
        VOTE | PROPOSAL | POLKA => decode_message(record),
        TIMEOUT => decode_timeout(&record.bytes).map(Input::TimeoutElapsed),
        VALUE => decode_value(record),
        found => Err(CodecError::Value { field: "record kind", found: found.into() }),
    }
}

fn decode_message(record: &WalRecord) -> Result<Input<Ctx>, CodecError> {
    let message = Message::decode(&record.bytes)?;
    let kind = match &message {
        Message::Vote(_) => VOTE,
        Message::Proposal(_) => PROPOSAL,
        Message::Polka(_) => POLKA,
        Message::Round(_) => 0,
    };
    if kind != record.kind {
        return Err(CodecError::Value { field: "record kind", found: record.kind.into() });
    }
    if message.height().0 != record.height {
        return Err(CodecError::Value { field: "record height", found: record.height });
    }
    Ok(message.into_input())
}

fn encode_timeout(timeout: Timeout) -> Result<Vec<u8>, CodecError> {
    let mut writer = Writer::new(TIMEOUT);
    writer.u8(match timeout.kind {
        TimeoutKind::Propose => 1,
        TimeoutKind::Prevote => 2,
        TimeoutKind::Precommit => 3,
        TimeoutKind::Rebroadcast | TimeoutKind::FinalizeHeight(_) => {
            return Err(CodecError::Value { field: "timeout kind", found: 0 });
        }
    });
    writer.round(timeout.round)?;
    Ok(writer.finish())
}

fn decode_timeout(bytes: &[u8]) -> Result<Timeout, CodecError> {
    let mut reader = open(bytes, TIMEOUT)?;
    let kind = match reader.u8()? {
        1 => TimeoutKind::Propose,
        2 => TimeoutKind::Prevote,
        3 => TimeoutKind::Precommit,
        found => return Err(CodecError::Value { field: "timeout kind", found: found.into() }),
    };
    let timeout = Timeout::new(reader.round()?, kind);
    reader.finish()?;
    Ok(timeout)
}

fn encode_value(value: &ProposedValue<Ctx>, origin: ValueOrigin) -> Result<Vec<u8>, CodecError> {
    let mut writer = Writer::new(VALUE);
    writer.round(value.round)?;
    writer.optional_round(value.valid_round);
    writer.address(&value.proposer);
    writer.block(&value.value);
    writer.u8(u8::from(value.validity.is_valid()));
    writer.u8(u8::from(origin.is_sync()));
    Ok(writer.finish())
}

fn decode_value(record: &WalRecord) -> Result<Input<Ctx>, CodecError> {
    let mut reader = open(&record.bytes, VALUE)?;
    let value = ProposedValue {
        height: Height(record.height),
        round: reader.round()?,
        valid_round: reader.optional_round()?,
        proposer: reader.address()?,
        value: reader.block()?,
        validity: Validity::from_bool(reader.flag("validity")?),
    };
    let origin = if reader.flag("origin")? { ValueOrigin::Sync } else { ValueOrigin::Consensus };
    reader.finish()?;
    Ok(Input::ProposedValue(value, origin))
}

fn open(bytes: &[u8], tag: u8) -> Result<Reader<'_>, CodecError> {
    match Reader::open(bytes)? {
        (found, reader) if found == tag => Ok(reader),
        (found, _) => Err(CodecError::Value { field: "tag", found: found.into() }),
    }
}
