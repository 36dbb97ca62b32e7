//! The policies that groups of a configuration have.

use std::{fmt, str::FromStr};

use changbai_wire::proto::common::{self, policy::PolicyType};
use prost::Message;

use super::{MetaPolicy, Policy, PolicyError, PolicyName};
use crate::{Role, limits::POLICY_BYTES_MAX};

/// A policy of the channel: signatures named outright, or so many of its organisations' policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupPolicy {
    /// Fabric's type `SIGNATURE`.
    Signature(Policy),
    /// Fabric's type `IMPLICIT_META`.
    Meta(MetaPolicy),
}

impl GroupPolicy {
    /// Reads `ANY|ALL|MAJORITY <name>`, or a policy text as [`Policy::parse`].
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::TooLong { bytes: text.len() });
        }
        // A gate opens its bracket, a principal its quote; an implicit policy has neither.
        if text.contains(['(', '\'', '"']) {
            Policy::parse(text).map(Self::Signature)
        } else {
            text.parse().map(Self::Meta)
        }
    }

    /// The protobuf form.
    #[must_use]
    pub fn to_proto(&self) -> common::Policy {
        let (kind, value) = match self {
            Self::Signature(policy) => (PolicyType::Signature, policy.to_proto().encode_to_vec()),
            Self::Meta(policy) => (PolicyType::ImplicitMeta, policy.to_proto().encode_to_vec()),
        };
        common::Policy { r#type: kind.into(), value }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// [`PolicyError`], also for the types `UNKNOWN` and `MSP`.
    pub fn from_proto(message: &common::Policy) -> Result<Self, PolicyError> {
        let malformed = |_| PolicyError::Message("a policy does not parse");
        let value = message.value.as_slice();
        match PolicyType::try_from(message.r#type) {
            Ok(PolicyType::Signature) => {
                let policy = common::SignaturePolicyEnvelope::decode(value).map_err(malformed)?;
                Policy::from_proto(&policy).map(Self::Signature)
            }
            Ok(PolicyType::ImplicitMeta) => {
                let policy = common::ImplicitMetaPolicy::decode(value).map_err(malformed)?;
                MetaPolicy::from_proto(&policy).map(Self::Meta)
            }
            _ => Err(PolicyError::Message("neither a signature policy nor an implicit one")),
        }
    }
}

impl fmt::Display for GroupPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(policy) => policy.fmt(f),
            Self::Meta(policy) => policy.fmt(f),
        }
    }
}

impl FromStr for GroupPolicy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        Self::parse(text)
    }
}

impl From<Policy> for GroupPolicy {
    fn from(policy: Policy) -> Self {
        Self::Signature(policy)
    }
}

impl From<MetaPolicy> for GroupPolicy {
    fn from(policy: MetaPolicy) -> Self {
        Self::Meta(policy)
    }
}

/// The policies of one organisation, which a channel's implicit policies ask for by name. They name
/// no other organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrgPolicies {
    /// Who administers it.
    pub admins: Policy,
    /// Who endorses for it.
    pub endorsement: Policy,
    /// Who approves chaincode for it.
    pub lifecycle_endorsement: Policy,
    /// Who reads for it.
    pub readers: Policy,
    /// Who writes for it.
    pub writers: Policy,
}

impl OrgPolicies {
    /// Members read and write, administrators administer, peers endorse and approve.
    #[must_use]
    pub fn of(msp_id: &str) -> Self {
        let signed_by = |role| Policy::SignedBy { msp_id: msp_id.to_owned(), role };
        Self {
            admins: signed_by(Role::Admin),
            endorsement: signed_by(Role::Peer),
            lifecycle_endorsement: signed_by(Role::Peer),
            readers: signed_by(Role::Member),
            writers: signed_by(Role::Member),
        }
    }

    /// The policy of this name.
    #[must_use]
    pub const fn named(&self, name: PolicyName) -> &Policy {
        match name {
            PolicyName::Admins => &self.admins,
            PolicyName::Endorsement => &self.endorsement,
            PolicyName::LifecycleEndorsement => &self.lifecycle_endorsement,
            PolicyName::Readers => &self.readers,
            PolicyName::Writers => &self.writers,
        }
    }
}
