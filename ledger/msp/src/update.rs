//! Updates of a channel's configuration: what changes, who agreed to it, and what comes of it.

mod apply;
mod delta;
mod diff;
mod envelope;
mod error;
mod missing;
mod portable;
mod tree;

use changbai_wire::{
    TxId,
    proto::{common, google::protobuf::Timestamp},
    seal,
    time::UnixMillis,
};
use prost::Message;
use smkit::sm2::SigningKey;

pub use self::{
    apply::{apply, validate_config},
    envelope::update_id,
    error::{ComputeError, ConfigUpdateError},
    missing::MissingConsent,
};
use crate::{ChannelConfig, ItemPath};

/// A change of a channel's configuration (通道配置更新), as Fabric's `ConfigUpdate`: the versions it was
/// computed against (read set), and what changes with the versions it shall have (write set).
///
/// Administrators sign it one by one; [`ConfigUpdate::to_envelope`] joins the signatures to the
/// transaction that is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigUpdate {
    channel_id: String,
    bytes: Vec<u8>,
}

/// One administrator's consent to a [`ConfigUpdate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSignature {
    /// A serialized `common.SignatureHeader`: who signs, and a nonce.
    pub signature_header: Vec<u8>,
    /// SM2 over `signature_header ‖ config_update`, in DER.
    pub signature: Vec<u8>,
}

/// Who sends something, and with which key.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// A serialized `msp.SerializedIdentity`.
    pub identity: &'a [u8],
    /// Its private key.
    pub key: &'a SigningKey,
}

impl ConfigUpdate {
    /// What turns `old` into `new`; `new` need not know the versions of `old`.
    ///
    /// # Errors
    /// [`ComputeError`], also when `new` could not follow `old` however many signed.
    pub fn compute(old: &ChannelConfig, new: &ChannelConfig) -> Result<Self, ComputeError> {
        if old.channel_id != new.channel_id {
            return Err(ComputeError::Channel);
        }
        new.check()?;
        old.check_validator_change(new)?;
        let (read, write) =
            diff::diff(&old.to_group(), &new.to_group()).ok_or(ComputeError::NoChange)?;
        let update = common::ConfigUpdate {
            channel_id: old.channel_id.clone(),
            read_set: Some(read),
            write_set: Some(write),
            ..common::ConfigUpdate::default()
        };
        Ok(Self { channel_id: old.channel_id.clone(), bytes: update.encode_to_vec() })
    }

    /// Reads a serialized `common.ConfigUpdate`, as administrators pass it on to be signed.
    ///
    /// # Errors
    /// [`ConfigUpdateError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ConfigUpdateError> {
        let update = tree::decode_update(bytes)?;
        Ok(Self { channel_id: update.channel_id, bytes: bytes.to_vec() })
    }

    /// The serialized `common.ConfigUpdate`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The channel it is for.
    #[must_use]
    pub fn channel_id(&self) -> &str {
        &self.channel_id
    }

    /// The elements that it sets, so that whoever signs can see what for.
    ///
    /// # Errors
    /// [`ConfigUpdateError::Malformed`].
    pub fn changes(&self) -> Result<Vec<ItemPath>, ConfigUpdateError> {
        let update = tree::decode_update(&self.bytes)?;
        let (read, write) = tree::sets(&update)?;
        Ok(delta::delta(&read, &write).into_keys().cloned().collect())
    }

    /// The message that an administrator signs under a serialized `common.SignatureHeader`.
    #[must_use]
    pub fn sign_message(&self, signature_header: &[u8]) -> Vec<u8> {
        [signature_header, &self.bytes].concat()
    }

    /// An administrator's signature.
    #[must_use]
    pub fn sign(&self, signer: Sender<'_>, nonce: &[u8]) -> ConfigSignature {
        let signature_header = signature_header(signer.identity, nonce);
        let signature = signer.key.sign(&self.sign_message(&signature_header)).to_der();
        ConfigSignature { signature_header, signature }
    }

    /// The transaction to be ordered: a serialized `common.Envelope` of type `CONFIG_UPDATE`, signed by
    /// whoever sends it, a member that may write.
    #[must_use]
    pub fn to_envelope(
        &self,
        signatures: &[ConfigSignature],
        sender: Sender<'_>,
        nonce: &[u8],
        time: UnixMillis,
    ) -> Vec<u8> {
        let channel_header = common::ChannelHeader {
            r#type: common::HeaderType::ConfigUpdate.into(),
            timestamp: Some(timestamp(time)),
            channel_id: self.channel_id.clone(),
            tx_id: TxId::derive(nonce, sender.identity).to_string(),
            ..common::ChannelHeader::default()
        };
        let header = common::Header {
            channel_header: channel_header.encode_to_vec(),
            signature_header: signature_header(sender.identity, nonce),
        };
        let signatures = signatures.iter().map(|signature| common::ConfigSignature {
            signature_header: signature.signature_header.clone(),
            signature: signature.signature.clone(),
        });
        let data = common::ConfigUpdateEnvelope {
            config_update: self.bytes.clone(),
            signatures: signatures.collect(),
        };
        let payload = common::Payload { header: Some(header), data: data.encode_to_vec() };
        let payload = payload.encode_to_vec();
        let signature = sender.key.sign(&payload).to_der();
        seal(payload, signature)
    }
}

fn signature_header(identity: &[u8], nonce: &[u8]) -> Vec<u8> {
    common::SignatureHeader { creator: identity.to_vec(), nonce: nonce.to_vec() }.encode_to_vec()
}

fn timestamp(time: UnixMillis) -> Timestamp {
    // The remainder is below 1,000, and its nanoseconds below 10⁹.
    let nanos = i32::try_from(time.0 % 1_000).unwrap_or_default().saturating_mul(1_000_000);
    Timestamp { seconds: time.seconds(), nanos }
}
