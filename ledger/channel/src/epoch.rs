//! The configuration in force at a height, and what follows from it.

use std::sync::Arc;

use changbai_consensus::{Member, ValidatorSet};
use changbai_msp::{ChannelConfig, EffectivePolicy, Membership};
use changbai_wire::{DecodedTransaction, ValidationCode, ValidatorAddress};
use smkit::sm3::Sm3Digest;

/// Judges configuration transactions. The answer follows from its arguments alone, since every
/// node must come to the same one.
pub trait ConfigRule: Send + Sync {
    /// What a transaction, whose signatures and reads hold already, makes of the configuration
    /// `current`. `None`: it is none of the channel's configuration. The new one is in force from
    /// the block after the transaction's on.
    fn next(
        &self,
        current: &ChannelConfig,
        transaction: &DecodedTransaction,
    ) -> Option<Result<ChannelConfig, ValidationCode>>;
}

/// The configuration never changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct FixedConfig;

impl ConfigRule for FixedConfig {
    fn next(
        &self,
        _: &ChannelConfig,
        _: &DecodedTransaction,
    ) -> Option<Result<ChannelConfig, ValidationCode>> {
        None
    }
}

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

/// The configuration after `current`, if the rule's answer can be one: the next sequence, of the
/// same channel, consistent in itself.
pub(crate) fn checked(
    current: &ChannelConfig,
    next: Result<ChannelConfig, ValidationCode>,
) -> Result<ChannelConfig, ValidationCode> {
    let next = next?;
    let follows = next.channel_id == current.channel_id
        && current.sequence.checked_add(1) == Some(next.sequence)
        && next.check().is_ok();
    if follows { Ok(next) } else { Err(ValidationCode::InvalidConfigTransaction) }
}
