//! The two headers that every proposal and transaction starts with.

use prost::Message;

use crate::{
    TxId, ValidationCode, is_channel_id,
    limits::{CHAINCODE_NAME_BYTES_MAX, IDENTITY_BYTES_MAX, NONCE_BYTES_MAX},
    proto::{common, google::protobuf::Timestamp, protos},
    time::UnixMillis,
};

/// A validation code and an English reason for logs.
pub(crate) type Refusal = (ValidationCode, &'static str);

/// What channel header and signature header say, checked.
pub(crate) struct Headers {
    pub(crate) channel_id: String,
    pub(crate) tx_id: TxId,
    pub(crate) creator: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
    pub(crate) time_ms: u64,
    pub(crate) chaincode_name: String,
}

/// What every kind of transaction has in its headers, checked.
pub(crate) struct Origin {
    pub(crate) channel_id: String,
    pub(crate) tx_id: TxId,
    pub(crate) creator: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
}

/// Takes both headers apart, from the bytes that were signed.
pub(crate) fn decode(
    channel_header: &[u8],
    signature_header: &[u8],
) -> Result<(common::ChannelHeader, common::SignatureHeader), Refusal> {
    const COMMON: ValidationCode = ValidationCode::BadCommonHeader;
    let channel = common::ChannelHeader::decode(channel_header)
        .map_err(|_| (COMMON, "channel header does not parse"))?;
    let signature = common::SignatureHeader::decode(signature_header)
        .map_err(|_| (COMMON, "signature header does not parse"))?;
    Ok((channel, signature))
}

/// Checks the headers of an endorser transaction.
pub(crate) fn open(
    channel: common::ChannelHeader,
    signature: common::SignatureHeader,
) -> Result<Headers, Refusal> {
    check_type(channel.r#type)?;
    let Origin { channel_id, tx_id, creator, nonce } =
        origin(channel.channel_id, &channel.tx_id, channel.epoch, signature)?;
    let time_ms = channel
        .timestamp
        .and_then(|timestamp| millis(&timestamp))
        .ok_or((ValidationCode::BadChannelHeader, "timestamp is missing or out of range"))?;
    let chaincode_name = protos::ChaincodeHeaderExtension::decode(channel.extension.as_slice())
        .map_err(|_| (ValidationCode::BadHeaderExtension, "header extension does not parse"))?
        .chaincode_id
        .ok_or((ValidationCode::BadHeaderExtension, "header extension has no chaincode id"))?
        .name;
    if !is_chaincode_name(&chaincode_name) {
        return Err((ValidationCode::InvalidChaincode, "chaincode name is empty or invalid"));
    }
    Ok(Headers { channel_id, tx_id, creator, nonce, time_ms, chaincode_name })
}

/// Checks what does not depend on the type of the transaction.
pub(crate) fn origin(
    channel_id: String,
    tx_id: &str,
    epoch: u64,
    signature: common::SignatureHeader,
) -> Result<Origin, Refusal> {
    const COMMON: ValidationCode = ValidationCode::BadCommonHeader;
    if epoch != 0 {
        return Err((COMMON, "epoch is non-zero"));
    }
    let common::SignatureHeader { creator, nonce } = signature;
    if nonce.is_empty() || nonce.len() > NONCE_BYTES_MAX {
        return Err((COMMON, "nonce is empty or too long"));
    }
    if creator.is_empty() || creator.len() > IDENTITY_BYTES_MAX {
        return Err((COMMON, "creator is empty or too long"));
    }
    let expected = TxId::derive(&nonce, &creator);
    if tx_id.parse() != Ok(expected) {
        return Err((ValidationCode::BadProposalTxid, "transaction id is incorrectly computed"));
    }
    if !is_channel_id(&channel_id) {
        return Err((ValidationCode::BadChannelHeader, "channel id is invalid"));
    }
    Ok(Origin { channel_id, tx_id: expected, creator, nonce })
}

/// Builds both headers; the counterpart of [`open`].
pub(crate) fn build(
    channel_id: &str,
    chaincode: &str,
    creator: &[u8],
    nonce: &[u8],
    time: UnixMillis,
) -> (TxId, common::Header) {
    let tx_id = TxId::derive(nonce, creator);
    let extension = protos::ChaincodeHeaderExtension {
        chaincode_id: Some(protos::ChaincodeId {
            name: chaincode.to_owned(),
            ..protos::ChaincodeId::default()
        }),
    };
    let channel_header = common::ChannelHeader {
        r#type: common::HeaderType::EndorserTransaction.into(),
        timestamp: Some(timestamp(time)),
        channel_id: channel_id.to_owned(),
        tx_id: tx_id.to_string(),
        extension: extension.encode_to_vec(),
        ..common::ChannelHeader::default()
    };
    let signature_header =
        common::SignatureHeader { creator: creator.to_vec(), nonce: nonce.to_vec() };
    let header = common::Header {
        channel_header: channel_header.encode_to_vec(),
        signature_header: signature_header.encode_to_vec(),
    };
    (tx_id, header)
}

/// Fabric's rule: alphanumeric words joined by single `-` or `_`.
pub(crate) fn is_chaincode_name(name: &str) -> bool {
    name.len() <= CHAINCODE_NAME_BYTES_MAX
        && name
            .split(['-', '_'])
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Fabric's rule: `[A-Za-z0-9_.+-]+`.
pub(crate) fn is_chaincode_version(version: &str) -> bool {
    !version.is_empty()
        && version.len() <= CHAINCODE_NAME_BYTES_MAX
        && version
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-'))
}

fn check_type(header_type: i32) -> Result<(), Refusal> {
    match common::HeaderType::try_from(header_type) {
        Ok(common::HeaderType::EndorserTransaction) => Ok(()),
        Ok(common::HeaderType::Config | common::HeaderType::ConfigUpdate) => {
            Err((ValidationCode::UnsupportedTxPayload, "a configuration, not a transaction"))
        }
        _ => Err((ValidationCode::UnknownTxType, "type of the transaction is unknown")),
    }
}

#[expect(clippy::arithmetic_side_effects, reason = "divides and takes remainders by constants")]
fn timestamp(time: UnixMillis) -> Timestamp {
    let nanos = i32::try_from(time.0 % 1_000).unwrap_or(0) * 1_000_000;
    Timestamp { seconds: time.seconds(), nanos }
}

/// `None` before 1970, past the range of `u64` milliseconds, or with nanoseconds out of range.
fn millis(timestamp: &Timestamp) -> Option<u64> {
    let nanos = u64::try_from(timestamp.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let seconds = u64::try_from(timestamp.seconds).ok()?;
    seconds.checked_mul(1_000)?.checked_add(nanos.checked_div(1_000_000)?)
}
