//! Policies, batch values and options of a channel.

use super::ConfigError;
use crate::{GroupPolicy, MetaPolicy, MetaRule, PolicyName};

/// Who may do what in a channel. What is not named here is as in Fabric's sample: `/Channel/Readers`
/// and `/Channel/Writers`, those of `/Channel/Orderer` and its `BlockValidation` are `ANY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelPolicies {
    /// Who must endorse a transaction.
    pub endorsement: GroupPolicy,
    /// Who must approve a chaincode.
    pub lifecycle_endorsement: GroupPolicy,
    /// Who may propose and submit.
    pub writers: GroupPolicy,
    /// Who may read blocks and events.
    pub readers: GroupPolicy,
    /// Who changes what organisations there are: `/Channel/Application/Admins`.
    pub admins: GroupPolicy,
    /// Who changes how blocks are made: `/Channel/Orderer/Admins`, of organisations with validators.
    pub orderer_admins: GroupPolicy,
    /// Who changes validators and the channel's own values: `/Channel/Admins`, of the two groups.
    pub channel_admins: GroupPolicy,
}

impl Default for ChannelPolicies {
    /// Fabric's sample: `ANY` reads and writes, a `MAJORITY` of endorsements and of administrators.
    fn default() -> Self {
        let meta = |rule, sub_policy| GroupPolicy::Meta(MetaPolicy { rule, sub_policy });
        let admins = meta(MetaRule::Majority, PolicyName::Admins);
        Self {
            endorsement: meta(MetaRule::Majority, PolicyName::Endorsement),
            lifecycle_endorsement: meta(MetaRule::Majority, PolicyName::LifecycleEndorsement),
            writers: meta(MetaRule::Any, PolicyName::Writers),
            readers: meta(MetaRule::Any, PolicyName::Readers),
            admins: admins.clone(),
            orderer_admins: admins.clone(),
            channel_admins: admins,
        }
    }
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

impl BatchConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let sane = self.max_message_count > 0
            && self.preferred_max_bytes > 0
            && self.preferred_max_bytes <= self.absolute_max_bytes
            && self.timeout_ms <= TIMEOUT_MS_MAX;
        if sane { Ok(()) } else { Err(ConfigError::Batch) }
    }
}

const TIMEOUT_MS_MAX: u32 = 60_000;

/// What a channel does otherwise than others. Each is a capability in Fabric's sense: a node that
/// does not know it refuses the configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelOptions {
    /// Transaction ids are SHA-256, not SM3, over nonce and creator, as Fabric's SDKs compute them
    /// (design §3.2). Off, unless such applications must talk to the channel.
    pub fabric_tx_id: bool,
}
