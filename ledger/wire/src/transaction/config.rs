//! What is ordered: transactions, and configurations of the channel.

use prost::Message;

use super::{DecodedTransaction, decode::Opened};
use crate::{
    TxId, ValidationCode, envelope_digest,
    headers::{self, Origin, Refusal},
    limits::SIGNATURE_BYTES_MAX,
    proto::common,
    seal,
};
use smkit::Sm3Digest;

/// What an envelope that is ordered holds.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are transactions: a box would cost every one of them, and save nothing"
)]
pub enum Content {
    /// An endorser transaction.
    Transaction(DecodedTransaction),
    /// A configuration, with the update that made it.
    Config(DecodedConfig),
}

/// A configuration transaction (配置交易) whose structure has been checked; nothing else has.
///
/// The envelope around it bears no signature, since everybody can make it from the update and the
/// configuration before: header, creator and id are the update's. Still to be judged: the
/// creator's signature over `signed_payload`, and that the configuration is the one that follows,
/// which `changbai_msp::validate_config` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodedConfig {
    /// The channel it is for.
    pub channel_id: String,
    /// The transaction id, recomputed from nonce and creator.
    pub tx_id: TxId,
    /// The serialized identity of who handed the update in.
    pub creator: Vec<u8>,
    /// The nonce that makes the id unique.
    pub nonce: Vec<u8>,
    /// How many configurations came before it, by its own account.
    pub sequence: u64,
    /// `Envelope.payload` of the update, the bytes that the creator signed.
    pub signed_payload: Vec<u8>,
    /// The creator's DER signature.
    pub signature: Vec<u8>,
}

impl Content {
    /// The channel it is for.
    #[must_use]
    pub fn channel_id(&self) -> &str {
        match self {
            Self::Transaction(transaction) => &transaction.channel_id,
            Self::Config(config) => &config.channel_id,
        }
    }

    /// The transaction id.
    #[must_use]
    pub const fn tx_id(&self) -> TxId {
        match self {
            Self::Transaction(transaction) => transaction.tx_id,
            Self::Config(config) => config.tx_id,
        }
    }

    /// The serialized identity of whom it comes from.
    #[must_use]
    pub fn creator(&self) -> &[u8] {
        match self {
            Self::Transaction(transaction) => &transaction.creator,
            Self::Config(config) => &config.creator,
        }
    }

    /// The bytes that its creator signed.
    #[must_use]
    pub fn signed_payload(&self) -> &[u8] {
        match self {
            Self::Transaction(transaction) => &transaction.signed_payload,
            Self::Config(config) => &config.signed_payload,
        }
    }

    /// The creator's DER signature over them.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        match self {
            Self::Transaction(transaction) => &transaction.signature,
            Self::Config(config) => &config.signature,
        }
    }

    /// The endorser transaction, if it is one.
    #[must_use]
    pub const fn transaction(&self) -> Option<&DecodedTransaction> {
        match self {
            Self::Transaction(transaction) => Some(transaction),
            Self::Config(_) => None,
        }
    }

    /// Whether it is a configuration.
    #[must_use]
    pub const fn is_config(&self) -> bool {
        matches!(self, Self::Config(_))
    }
}

impl DecodedConfig {
    /// Digest of the update as it was handed in.
    #[must_use]
    pub fn update_digest(&self) -> Sm3Digest {
        envelope_digest(&seal(self.signed_payload.clone(), self.signature.clone()))
    }
}

impl Opened {
    /// A configuration: outside unsigned, and around an update whose header it has.
    pub(super) fn config(self) -> Result<DecodedConfig, Refusal> {
        const BAD: ValidationCode = ValidationCode::InvalidConfigTransaction;
        let Self { envelope, header, channel, signature, data } = self;
        if !envelope.signature.is_empty() {
            return Err((BAD, "a configuration bears no signature of its own"));
        }
        let Origin { channel_id, tx_id, creator, nonce } =
            headers::origin(channel.channel_id, &channel.tx_id, channel.epoch, signature)?;
        let content = common::ConfigEnvelope::decode(data.as_slice())
            .map_err(|_| (BAD, "configuration does not parse"))?;
        let sequence = content.config.ok_or((BAD, "empty configuration"))?.sequence;
        let update = content.last_update.ok_or((BAD, "no update made the configuration"))?;
        if update.signature.is_empty() || update.signature.len() > SIGNATURE_BYTES_MAX {
            return Err((BAD, "signature of the update is missing or too long"));
        }
        let update = Self::open(update).map_err(|(_, reason)| (BAD, reason))?;
        // Else somebody's signature under something else would stand for this.
        let same = update.channel.r#type == i32::from(common::HeaderType::ConfigUpdate)
            && update.header.signature_header == header.signature_header
            && update.channel.channel_id == channel_id;
        if !same {
            return Err((BAD, "the update in it has another header"));
        }
        let common::Envelope { payload: signed_payload, signature } = update.envelope;
        Ok(DecodedConfig { channel_id, tx_id, creator, nonce, sequence, signed_payload, signature })
    }
}
