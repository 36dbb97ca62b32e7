//! Why a configuration does not change.

use thiserror::Error;

use crate::{AccessError, ConfigError, IdentityError, ItemPath, ValidatorChange};

/// Why no update leads from one configuration to another.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ComputeError {
    /// They are of different channels.
    #[error("the configurations are of different channels")]
    Channel,
    /// They say the same.
    #[error("the configurations do not differ")]
    NoChange,
    /// The new one is not valid.
    #[error("the new configuration is not valid")]
    Config(#[from] ConfigError),
    /// The validators cannot change so far in one step.
    #[error(transparent)]
    Validators(#[from] ValidatorChange),
}

/// Why an update is refused. Checks run in the order of the variants; the first that fails is the
/// answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigUpdateError {
    /// Not a configuration update.
    #[error("not a configuration update: {0}")]
    Malformed(&'static str),
    /// It is for another channel.
    #[error("the update is for channel {found:?}")]
    Channel {
        /// Which.
        found: String,
    },
    /// Whoever sends it may not write to the channel.
    #[error("the sender of the update")]
    Sender(#[from] AccessError),
    /// The sender's signature over the envelope is wrong.
    #[error("the sender's signature is wrong")]
    SenderSignature,
    /// More signatures than [`UPDATE_SIGNATURES_MAX`](crate::limits::UPDATE_SIGNATURES_MAX).
    #[error("{found} signatures are too many")]
    TooManySignatures {
        /// How many.
        found: usize,
    },
    /// Somebody signed who is no member of the channel.
    #[error("signer {index} of the update")]
    Signer {
        /// Place of the signature, from 0.
        index: usize,
        /// Why.
        #[source]
        reason: IdentityError,
    },
    /// A signature is wrong. One that is wrong refuses the update even if the others suffice.
    #[error("signature {index} of the update is wrong")]
    Signature {
        /// Place of the signature, from 0.
        index: usize,
    },
    /// The configuration has changed since the update was computed.
    #[error("{path} was read at version {read}, and is at version {current}")]
    Stale {
        /// Which element.
        path: ItemPath,
        /// The version in the read set.
        read: u64,
        /// The version in force.
        current: u64,
    },
    /// The read set names an element that the configuration does not have, or an element that the
    /// result must have stands nowhere.
    #[error("{path} does not exist")]
    Missing {
        /// Which element.
        path: ItemPath,
    },
    /// A version in the write set is not the current one plus 1, or not 0 for a new element.
    #[error("{path} is to have version {found} instead of {expected}")]
    Version {
        /// Which element.
        path: ItemPath,
        /// The version in the write set.
        found: u64,
        /// The version that it must have.
        expected: u64,
    },
    /// An element is set that its group does not have afterwards.
    #[error("{path} is set, but its group does not list it")]
    Orphan {
        /// Which element.
        path: ItemPath,
    },
    /// Nothing would change.
    #[error("the update changes nothing")]
    NoChange,
    /// Those who signed do not satisfy the policy that guards an element.
    #[error("changing {path} needs {policy}, which the signatures do not satisfy")]
    Policy {
        /// Which element.
        path: ItemPath,
        /// The policy's path.
        policy: String,
    },
    /// The policy that guards an element does not exist: nobody can change it.
    #[error("changing {path} needs {policy}, which does not exist")]
    NoPolicy {
        /// Which element.
        path: ItemPath,
        /// The policy as the configuration names it.
        policy: String,
    },
    /// The result is no valid configuration.
    #[error("the update leads to an invalid configuration")]
    Config(#[from] ConfigError),
    /// The validators cannot change so far in one step.
    #[error(transparent)]
    Validators(#[from] ValidatorChange),
    /// A new validator is not vouched for now.
    #[error("a new validator")]
    Newcomer(#[source] ConfigError),
    /// The sequence does not follow that of the current configuration.
    #[error("the configuration has sequence {found} instead of {expected}")]
    Sequence {
        /// The sequence found.
        found: u64,
        /// The sequence that it must have.
        expected: u64,
    },
    /// The transaction holds another configuration than its update makes, or other bytes.
    #[error("the transaction does not hold what its update makes of the current configuration")]
    Mismatch,
}

impl ConfigUpdateError {
    /// The stable code of the reason; [`codes`](crate::codes) has them all.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "MS-2001",
            Self::Channel { .. } => "MS-2002",
            Self::Sender(_) => "MS-2003",
            Self::SenderSignature => "MS-2004",
            Self::Signer { .. } => "MS-2005",
            Self::Signature { .. } => "MS-2006",
            Self::TooManySignatures { .. } => "MS-2007",
            Self::Stale { .. } => "MS-2101",
            Self::Missing { .. } => "MS-2102",
            Self::Version { .. } => "MS-2103",
            Self::Orphan { .. } => "MS-2104",
            Self::NoChange => "MS-2105",
            Self::Policy { .. } => "MS-2201",
            Self::NoPolicy { .. } => "MS-2202",
            Self::Config(_) => "MS-2301",
            Self::Sequence { .. } => "MS-2302",
            Self::Mismatch => "MS-2303",
            Self::Validators(ValidatorChange::TooFew { .. }) => "MS-2401",
            Self::Validators(ValidatorChange::TooMany { .. }) => "MS-2402",
            Self::Newcomer(_) => "MS-2403",
        }
    }
}
