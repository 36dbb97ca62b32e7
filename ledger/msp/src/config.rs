//! Channel configuration: what a channel's members agreed on.

mod check;
mod decode;
mod encode;
mod error;
mod overlap;
mod path;
mod settings;
mod validators;

use std::collections::BTreeMap;

use changbai_wire::{ValidatorAddress, validators_hash};
use smkit::Sm3Digest;
use smkit_pki::{Certificate, TrustAnchors};

pub(crate) use self::path::{check_shape, find_group, mod_policy_target};
pub use self::{
    error::ConfigError,
    path::{InvalidPath, ItemKind, ItemPath},
    settings::{BatchConfig, ChannelOptions, ChannelPolicies},
    validators::{ValidatorChange, ValidatorConfig},
};
use crate::{EffectivePolicy, Membership, Organisation, Policy, policy::effective};

/// The configuration of a channel (通道配置).
///
/// As Fabric's tree of groups, values and policies it has a version for each of these; they change
/// only through [`apply`](crate::apply).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChannelConfig {
    /// The channel's id.
    pub channel_id: String,
    /// Counts the changes; 0 in the genesis block.
    pub sequence: u64,
    /// The organisations; their order does not matter, they are written in order of their MSP ids.
    pub orgs: Vec<Organisation>,
    /// The validators in consenter order, which is the order [`validators_hash`] hashes.
    pub validators: Vec<ValidatorConfig>,
    /// Who may do what.
    pub policies: ChannelPolicies,
    /// How transactions are cut into blocks.
    pub batch: BatchConfig,
    /// What this channel does otherwise than others.
    pub options: ChannelOptions,
    /// Elements that another policy guards than the usual one, `Admins` of their group: by path, the
    /// policy's name (in the element's group) or path (`/Channel/…`).
    pub mod_policies: BTreeMap<ItemPath, String>,
    /// Versions of the tree's elements; those left out are 0.
    pub(crate) versions: BTreeMap<ItemPath, u64>,
}

impl ChannelConfig {
    /// The version of the format, written as the capability `CHANGBAI_V1`.
    pub const FORMAT_VERSION: u32 = 1;

    /// A new channel's configuration with the usual policies: endorsed by most organisations, written
    /// and read by members of any, administered by most.
    ///
    /// # Errors
    /// As [`ChannelConfig::check`].
    pub fn new(
        channel_id: &str,
        orgs: Vec<Organisation>,
        validators: Vec<ValidatorConfig>,
    ) -> Result<Self, ConfigError> {
        let config = Self {
            channel_id: channel_id.to_owned(),
            sequence: 0,
            orgs,
            validators,
            policies: ChannelPolicies::default(),
            batch: BatchConfig::default(),
            options: ChannelOptions::default(),
            mod_policies: BTreeMap::new(),
            versions: BTreeMap::new(),
        };
        config.check().map(|()| config)
    }

    /// Verifies that each validator's organisation vouches for it at that moment (Unix seconds), as a
    /// validator.
    ///
    /// # Errors
    /// [`ConfigError::ValidatorIdentity`].
    pub fn verify_validators(&self, at_unix_s: i64) -> Result<(), ConfigError> {
        self.validators.iter().try_for_each(|validator| self.verify_validator(validator, at_unix_s))
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

    /// The policy at a path such as `/Channel/Application/Endorsement`, ready to be evaluated as long
    /// as this configuration is in force; `None` if there is none.
    #[must_use]
    pub fn policy(&self, path: &str) -> Option<EffectivePolicy> {
        let (group, name) = path.rsplit_once('/')?;
        let root = self.to_group();
        effective(find_group(&root, group)?, name).ok()?
    }

    /// Who must endorse a transaction: `/Channel/Application/Endorsement`.
    #[must_use]
    pub fn endorsement(&self) -> EffectivePolicy {
        self.application("Endorsement")
    }

    /// Who may propose and submit: `/Channel/Application/Writers`.
    #[must_use]
    pub fn writers(&self) -> EffectivePolicy {
        self.application("Writers")
    }

    /// Who may read blocks and events: `/Channel/Application/Readers`.
    #[must_use]
    pub fn readers(&self) -> EffectivePolicy {
        self.application("Readers")
    }

    /// The organisation with this MSP id.
    #[must_use]
    pub fn org(&self, msp_id: &str) -> Option<&Organisation> {
        self.orgs.iter().find(|org| org.msp_id == msp_id)
    }

    /// Roots of the certificates on connections, of all organisations. They say nothing about
    /// identities.
    #[must_use]
    pub fn tls_anchors(&self) -> TrustAnchors {
        let roots: Vec<Certificate> =
            self.orgs.iter().flat_map(|org| org.tls_roots.iter().cloned()).collect();
        TrustAnchors::from_certificates(roots)
    }

    fn application(&self, name: &str) -> EffectivePolicy {
        // Every configuration has these; one that did not would let nobody do anything.
        self.policy(&format!("/Channel/Application/{name}"))
            .unwrap_or_else(|| Policy::OutOf { n: 0, rules: Vec::new() }.into())
    }
}

impl PartialEq for ChannelConfig {
    /// Whether both are the same configuration, versions included.
    fn eq(&self, other: &Self) -> bool {
        self.to_genesis_envelope() == other.to_genesis_envelope()
    }
}

impl Eq for ChannelConfig {}

fn bounded(what: &'static str, found: usize, min: usize, max: usize) -> Result<(), ConfigError> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    Err(ConfigError::Count { what, found, min, max })
}
