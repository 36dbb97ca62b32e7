//! Updates on their way from one administrator to the next.

use changbai_wire::proto::common;
use prost::Message;

use super::{ConfigSignature, ConfigUpdate, ConfigUpdateError, delta, tree};
use crate::{
    ChannelConfig,
    limits::{SIGNED_UPDATE_BYTES_MAX, UPDATE_SIGNATURES_MAX},
};

impl ConfigUpdate {
    /// The configuration that the update makes of `current`, whoever agrees.
    ///
    /// # Errors
    /// [`ConfigUpdateError`], as [`apply`](crate::apply) but for signatures and policies.
    pub fn preview(&self, current: &ChannelConfig) -> Result<ChannelConfig, ConfigUpdateError> {
        if self.channel_id != current.channel_id {
            return Err(ConfigUpdateError::Channel { found: self.channel_id.clone() });
        }
        let root = current.to_group();
        let in_force = tree::items(&root);
        let update = tree::decode_update(&self.bytes)?;
        let (read, write) = tree::sets(&update)?;
        delta::check_read(&read, &in_force)?;
        let changes = delta::delta(&read, &write);
        delta::check_versions(&changes, &in_force)?;
        let tree = delta::result(&changes, &write, &in_force)?;
        let sequence = current.sequence.saturating_add(1);
        let next = ChannelConfig::from_group(current.channel_id.clone(), sequence, tree)?;
        current.check_validator_change(&next)?;
        Ok(next)
    }

    /// The update with signatures, as a file that administrators hand on: a serialized
    /// `common.ConfigUpdateEnvelope`.
    #[must_use]
    pub fn with_signatures(&self, signatures: &[ConfigSignature]) -> Vec<u8> {
        let signatures = signatures.iter().map(|signature| common::ConfigSignature {
            signature_header: signature.signature_header.clone(),
            signature: signature.signature.clone(),
        });
        let (config_update, signatures) = (self.bytes.clone(), signatures.collect());
        common::ConfigUpdateEnvelope { config_update, signatures }.encode_to_vec()
    }

    /// Reads what [`ConfigUpdate::with_signatures`] writes; the signatures are not verified yet.
    ///
    /// # Errors
    /// [`ConfigUpdateError::Malformed`], [`ConfigUpdateError::TooManySignatures`].
    pub fn read_signed(bytes: &[u8]) -> Result<(Self, Vec<ConfigSignature>), ConfigUpdateError> {
        if bytes.len() > SIGNED_UPDATE_BYTES_MAX {
            return Err(ConfigUpdateError::Malformed("too large"));
        }
        let file = common::ConfigUpdateEnvelope::decode(bytes)
            .map_err(|_| ConfigUpdateError::Malformed("update envelope does not parse"))?;
        // One form: a changed byte that a lenient reader would skip is a change.
        if file.encode_to_vec() != bytes {
            return Err(ConfigUpdateError::Malformed("update envelope is not canonically encoded"));
        }
        let found = file.signatures.len();
        if found > UPDATE_SIGNATURES_MAX {
            return Err(ConfigUpdateError::TooManySignatures { found });
        }
        let signatures = file.signatures.into_iter().map(|signature| ConfigSignature {
            signature_header: signature.signature_header,
            signature: signature.signature,
        });
        Ok((Self::from_bytes(&file.config_update)?, signatures.collect()))
    }
}

impl ConfigSignature {
    /// Who says to have signed: a serialized `msp.SerializedIdentity`; `None` where nobody does.
    #[must_use]
    pub fn creator(&self) -> Option<Vec<u8>> {
        let header = common::SignatureHeader::decode(self.signature_header.as_slice()).ok()?;
        Some(header.creator)
    }
}
