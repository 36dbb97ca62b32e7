//! The configuration in force at a height, and what follows from it.

use std::sync::Arc;

use changbai_consensus::{Member, ValidatorSet};
use changbai_msp::{
    ChannelConfig, ConfigUpdateError, EffectivePolicy, Membership, validate_config,
};
use changbai_wire::ValidatorAddress;
use smkit::sm3::Sm3Digest;

/// A configuration with what is derived from it, for the heights in which it is in force.
#[derive(Debug)]
pub(crate) struct Epoch {
    pub(crate) config: Arc<ChannelConfig>,
    pub(crate) membership: Arc<Membership>,
    pub(crate) endorsement: EffectivePolicy,
    pub(crate) writers: EffectivePolicy,
    pub(crate) validators: ValidatorSet,
    pub(crate) validators_hash: Sm3Digest,
}

impl Epoch {
    /// The configuration that a transaction of type CONFIG in a block of that time puts in force after
    /// this one.
    pub(crate) fn next(
        &self,
        envelope: &[u8],
        time_ms: u64,
    ) -> Result<ChannelConfig, ConfigUpdateError> {
        validate_config(&self.config, envelope, seconds(time_ms))
    }

    /// # Errors
    ///
    /// A text, for a configuration whose validators do not make a set.
    pub(crate) fn new(config: ChannelConfig) -> Result<Self, String> {
        let members = config.validators.iter().map(|validator| Member {
            address: ValidatorAddress::for_key(validator.certificate.public_key()),
            key: validator.certificate.verifying_key().clone(),
        });
        let validators = ValidatorSet::new(members.collect()).map_err(|e| e.to_string())?;
        Ok(Self {
            membership: Arc::new(config.membership()),
            endorsement: config.endorsement(),
            writers: config.writers(),
            validators_hash: config.validators_hash(),
            validators,
            config: Arc::new(config),
        })
    }
}

/// Unix seconds of a block's time: what certificates and signers of configurations are judged by.
pub(crate) fn seconds(time_ms: u64) -> i64 {
    i64::try_from(time_ms / 1_000).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
