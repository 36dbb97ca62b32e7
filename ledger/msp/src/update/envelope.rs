//! The two envelopes: of an update, and of the configuration that it makes.

use changbai_wire::{
    TxId,
    limits::{ENVELOPE_BYTES_MAX, NONCE_BYTES_MAX},
    proto::common,
    seal,
};
use prost::Message;

use super::ConfigUpdateError;
use crate::{ChannelConfig, ConfigError};

/// An envelope of type `CONFIG_UPDATE`, taken apart.
pub(super) struct Opened {
    pub(super) envelope: common::Envelope,
    pub(super) header: common::Header,
    pub(super) channel: common::ChannelHeader,
    pub(super) sender: Vec<u8>,
    pub(super) tx_id: TxId,
    /// The serialized `common.ConfigUpdate`, as signed.
    pub(super) update: Vec<u8>,
    pub(super) signatures: Vec<common::ConfigSignature>,
}

impl Opened {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ConfigUpdateError> {
        if bytes.len() > ENVELOPE_BYTES_MAX {
            return Err(ConfigUpdateError::Malformed("too large"));
        }
        let envelope: common::Envelope = decode(bytes, "envelope")?;
        // The payload is signed as it stands; nothing may hide beside it.
        if envelope.encode_to_vec() != bytes {
            return Err(ConfigUpdateError::Malformed("envelope is not canonically encoded"));
        }
        let payload: common::Payload = decode(&envelope.payload, "payload")?;
        let header = payload.header.ok_or(ConfigUpdateError::Malformed("no header"))?;
        let channel: common::ChannelHeader = decode(&header.channel_header, "channel header")?;
        if channel.r#type != i32::from(common::HeaderType::ConfigUpdate) {
            return Err(ConfigUpdateError::Malformed("another type of transaction"));
        }
        let signed: common::SignatureHeader = decode(&header.signature_header, "sender")?;
        if signed.nonce.is_empty() || signed.nonce.len() > NONCE_BYTES_MAX {
            return Err(ConfigUpdateError::Malformed("nonce is empty or too long"));
        }
        let tx_id = TxId::derive(&signed.nonce, &signed.creator);
        // Fabric's tools leave the id of an update empty.
        if !channel.tx_id.is_empty() && channel.tx_id.parse() != Ok(tx_id) {
            return Err(ConfigUpdateError::Malformed("transaction id is incorrectly computed"));
        }
        let data: common::ConfigUpdateEnvelope = decode(&payload.data, "update envelope")?;
        Ok(Self {
            header,
            channel,
            sender: signed.creator,
            tx_id,
            update: data.config_update,
            signatures: data.signatures,
            envelope,
        })
    }
}

/// The id of the transaction that an update becomes; `update` is a serialized `common.Envelope` of type
/// `CONFIG_UPDATE`.
///
/// # Errors
/// [`ConfigUpdateError::Malformed`].
pub fn update_id(update: &[u8]) -> Result<TxId, ConfigUpdateError> {
    Opened::read(update).map(|opened| opened.tx_id)
}

impl ChannelConfig {
    /// The serialized `common.Envelope` of type CONFIG that carries this configuration and the update
    /// that made it: what is ordered, alone in its block. Header, sender and transaction id are the
    /// update's; it bears no signature of its own, since everybody can make it from the update.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`] if `update` is none, or the whole would be too large.
    pub fn to_config_envelope(&self, update: &[u8]) -> Result<Vec<u8>, ConfigError> {
        let opened = Opened::read(update).map_err(|_| ConfigError::Malformed("update"))?;
        let channel_header = common::ChannelHeader {
            r#type: common::HeaderType::Config.into(),
            timestamp: opened.channel.timestamp,
            channel_id: self.channel_id.clone(),
            tx_id: opened.tx_id.to_string(),
            ..common::ChannelHeader::default()
        };
        let header = common::Header {
            channel_header: channel_header.encode_to_vec(),
            signature_header: opened.header.signature_header,
        };
        let envelope = self.envelope(header, Some(opened.envelope));
        if envelope.len() > ENVELOPE_BYTES_MAX {
            return Err(ConfigError::Malformed("too large"));
        }
        Ok(envelope)
    }
}

/// The configuration and the update in an envelope of type CONFIG.
pub(super) fn open_config(envelope: &[u8]) -> Result<(ChannelConfig, Vec<u8>), ConfigUpdateError> {
    let (config, update) = ChannelConfig::open(envelope)?;
    let update = update.ok_or(ConfigUpdateError::Malformed("no update"))?;
    Ok((config, seal(update.payload, update.signature)))
}

fn decode<M: Message + Default>(bytes: &[u8], what: &'static str) -> Result<M, ConfigUpdateError> {
    M::decode(bytes).map_err(|_| ConfigUpdateError::Malformed(what))
}
