//! Channel configuration: what a channel's members agreed on.

mod decode;
mod encode;

use std::collections::BTreeSet;

use changbai_wire::{ValidatorAddress, is_channel_id, validators_hash};
use smkit::Sm3Digest;
use smkit_pki::{Certificate, CertificateError, PathError};
use thiserror::Error;

use crate::{
    Membership, Organisation, Policy, PolicyError, Role, Roles,
    limits::{AUTHORITIES_MAX, NAME_BYTES_MAX, ORGANISATIONS_MAX, VALIDATORS_MAX},
    organisation::is_msp_id,
};

/// The configuration of a channel (通道配置).
#[derive(Clone, Debug)]
pub struct ChannelConfig {
    /// The channel's id.
    pub channel_id: String,
    /// Counts the changes; 0 in the genesis block.
    pub sequence: u64,
    /// The organisations; their order does not matter, they are written in order of their names.
    pub orgs: Vec<Organisation>,
    /// The validators in consenter order, which is the order [`validators_hash`] hashes.
    pub validators: Vec<ValidatorConfig>,
    /// Who must endorse a transaction.
    pub endorsement: Policy,
    /// Who may propose and submit.
    pub writers: Policy,
    /// Who may read blocks and events.
    pub readers: Policy,
    /// How transactions are cut into blocks.
    pub batch: BatchConfig,
}

/// One validator of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorConfig {
    /// Its organisation.
    pub msp_id: String,
    /// Its certificate, of role [`Role::Orderer`].
    pub certificate: Certificate,
    /// Its position among the validators, from 0.
    pub index: u32,
}

/// How transactions are cut into blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchConfig {
    /// Most transactions in a block.
    pub max_message_count: u32,
    /// Most bytes of transactions in a block.
    pub absolute_max_bytes: u32,
    /// Bytes at which a block is cut although more is waiting.
    pub preferred_max_bytes: u32,
    /// Longest wait for more transactions, in milliseconds.
    pub timeout_ms: u32,
}

impl Default for BatchConfig {
    /// Fabric's sample values, but a wait of 10 ms.
    fn default() -> Self {
        Self {
            max_message_count: 500,
            absolute_max_bytes: 10 << 20,
            preferred_max_bytes: 2 << 20,
            timeout_ms: 10,
        }
    }
}

impl ChannelConfig {
    /// A new channel's configuration with default policies: endorsed by a peer of most
    /// organisations, written and read by members of any.
    ///
    /// # Errors
    /// As [`ChannelConfig::check`].
    pub fn new(
        channel_id: &str,
        orgs: Vec<Organisation>,
        validators: Vec<ValidatorConfig>,
    ) -> Result<Self, ConfigError> {
        let mut msp_ids: Vec<&str> = orgs.iter().map(|org| org.msp_id.as_str()).collect();
        msp_ids.sort_unstable();
        let endorsement = Policy::majority(&msp_ids, Role::Peer)?;
        let members = Policy::any(&msp_ids, Role::Member)?;
        let config = Self {
            channel_id: channel_id.to_owned(),
            sequence: 0,
            endorsement,
            writers: members.clone(),
            readers: members,
            orgs,
            validators,
            batch: BatchConfig::default(),
        };
        config.check().map(|()| config)
    }

    /// Checks everything that does not depend on time: ids, bounds, that names, MSP ids and
    /// validator keys are unique, that validators have the role, that policies name members only.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        if !is_channel_id(&self.channel_id) {
            return Err(ConfigError::ChannelId);
        }
        self.check_orgs()?;
        self.check_validators()?;
        for policy in [&self.endorsement, &self.writers, &self.readers] {
            policy.check()?;
            let unknown = policy.organisations().into_iter().find(|id| self.org(id).is_none());
            if let Some(msp_id) = unknown {
                return Err(ConfigError::UnknownMsp { msp_id: msp_id.to_owned() });
            }
        }
        self.batch.check()
    }

    /// Verifies that each validator's organisation vouches for it at that moment (Unix seconds).
    ///
    /// # Errors
    /// [`ConfigError::ValidatorChain`].
    pub fn verify_validators(&self, at_unix_s: i64) -> Result<(), ConfigError> {
        for validator in &self.validators {
            let org = self
                .org(&validator.msp_id)
                .ok_or_else(|| ConfigError::UnknownMsp { msp_id: validator.msp_id.clone() })?;
            org.verify(&validator.certificate, at_unix_s)
                .map_err(|reason| ConfigError::ValidatorChain { index: validator.index, reason })?;
        }
        Ok(())
    }

    /// The hash of the validator set that block headers carry.
    #[must_use]
    pub fn validators_hash(&self) -> Sm3Digest {
        let keys = self.validators.iter().map(|validator| validator.certificate.public_key());
        let members: Vec<_> = keys.map(|key| (ValidatorAddress::for_key(key), key)).collect();
        validators_hash(&self.channel_id, &members)
    }

    /// The members of the channel, with an empty cache.
    #[must_use]
    pub fn membership(&self) -> Membership {
        Membership::new(self.orgs.clone())
    }

    fn org(&self, msp_id: &str) -> Option<&Organisation> {
        self.orgs.iter().find(|org| org.msp_id == msp_id)
    }

    fn check_orgs(&self) -> Result<(), ConfigError> {
        bounded("organisations", self.orgs.len(), 1, ORGANISATIONS_MAX)?;
        let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for org in &self.orgs {
            if !is_msp_id(&org.msp_id) || !ids.insert(&org.msp_id) {
                return Err(ConfigError::MspId { msp_id: org.msp_id.clone() });
            }
            let fits = (1..=NAME_BYTES_MAX).contains(&org.name.len());
            if !fits || org.name.chars().any(char::is_control) || !names.insert(&org.name) {
                return Err(ConfigError::OrganisationName { msp_id: org.msp_id.clone() });
            }
            bounded("roots of an organisation", org.roots.len(), 1, AUTHORITIES_MAX)?;
            bounded("intermediate authorities", org.intermediates.len(), 0, AUTHORITIES_MAX)?;
            if !org.roots.iter().chain(&org.intermediates).all(Certificate::is_ca) {
                return Err(ConfigError::NotACa { msp_id: org.msp_id.clone() });
            }
        }
        Ok(())
    }

    fn check_validators(&self) -> Result<(), ConfigError> {
        bounded("validators", self.validators.len(), 1, VALIDATORS_MAX)?;
        let mut addresses = BTreeSet::new();
        for (position, validator) in (0u32..).zip(&self.validators) {
            if self.org(&validator.msp_id).is_none() {
                return Err(ConfigError::UnknownMsp { msp_id: validator.msp_id.clone() });
            }
            let certificate = &validator.certificate;
            let orders = Roles::from_units(&certificate.organisational_units())
                .is_some_and(|roles| roles.contains(Role::Orderer));
            let unique = addresses.insert(ValidatorAddress::for_key(certificate.public_key()));
            if validator.index != position || !orders || certificate.is_ca() || !unique {
                return Err(ConfigError::Validator { index: position });
            }
        }
        Ok(())
    }
}

impl BatchConfig {
    fn check(&self) -> Result<(), ConfigError> {
        let sane = self.max_message_count > 0
            && self.preferred_max_bytes > 0
            && self.preferred_max_bytes <= self.absolute_max_bytes
            && self.timeout_ms <= TIMEOUT_MS_MAX;
        if sane { Ok(()) } else { Err(ConfigError::Batch) }
    }
}

fn bounded(what: &'static str, found: usize, min: usize, max: usize) -> Result<(), ConfigError> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    Err(ConfigError::Count { what, found, min, max })
}

const TIMEOUT_MS_MAX: u32 = 60_000;

/// Why something is not a channel configuration.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The channel id breaks Fabric's rule.
    #[error("channel id: lower-case letters, digits, '.' and '-', starting with a letter")]
    ChannelId,
    /// Too few or too many of something.
    #[error("{found} {what}: must be {min} to {max}")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The least.
        min: usize,
        /// The most.
        max: usize,
    },
    /// An MSP id is impossible or appears twice.
    #[error("MSP id {msp_id:?} is invalid or not unique")]
    MspId {
        /// The id.
        msp_id: String,
    },
    /// An organisation's name is empty, too long, not printable, or appears twice.
    #[error("the name of {msp_id} is invalid or not unique")]
    OrganisationName {
        /// The organisation.
        msp_id: String,
    },
    /// A root or intermediate is not an authority's certificate.
    #[error("{msp_id} lists a certificate that is no authority's")]
    NotACa {
        /// The organisation.
        msp_id: String,
    },
    /// A validator or policy names an organisation that is not a member.
    #[error("{msp_id} is not a member of the channel")]
    UnknownMsp {
        /// The organisation.
        msp_id: String,
    },
    /// A validator has the wrong position, role or kind of certificate, or another one's key.
    #[error("validator {index} has a wrong index, role or certificate, or is not unique")]
    Validator {
        /// Its position.
        index: u32,
    },
    /// A validator's organisation does not vouch for it.
    #[error("the organisation of validator {index} does not vouch for it")]
    ValidatorChain {
        /// Its position.
        index: u32,
        /// Why.
        #[source]
        reason: PathError,
    },
    /// A policy is malformed.
    #[error("policy of the channel refused")]
    Policy(#[from] PolicyError),
    /// The batch values contradict each other or a bound.
    #[error("batch configuration is contradictory or out of bounds")]
    Batch,
    /// A certificate does not parse, or is not an SM2 certificate.
    #[error("certificate in the configuration refused")]
    Certificate(#[from] CertificateError),
    /// The envelope is not a configuration transaction.
    #[error("not a configuration: {0}")]
    Malformed(&'static str),
    /// The envelope says what it says in other bytes than we would, or says more.
    #[error("configuration is not canonically encoded")]
    NotCanonical,
}
