//! Establishes who somebody is on a channel, what roles they have, and whether a set of signers
//! satisfies a policy.
//!
//! It does not verify signatures over messages, issue certificates or keep state: it says which
//! identity some bytes are, and the caller checks that identity's signature.
//!
//! # Model
//! - An [`Organisation`] (MSP) vouches for certificates that chain to its roots. An [`Identity`] is an
//!   MSP id and a certificate; its [`Role`]s come from the certificate's organisational units, as
//!   with Fabric's `NodeOUs`.
//! - [`Membership`] turns serialized identities into [`Identity`]s and remembers them, bounded.
//! - A [`Policy`] is a tree of `AND`, `OR` and `OutOf` over principals such as `'Org1MSP.peer'`.
//! - [`ChannelConfig`] is what a channel's members agreed on: organisations, validators in order,
//!   policies. It travels as a Fabric configuration transaction, the content of block 0.
//!
//! **Invariants**
//! - An identity is accepted only at a moment when its whole chain is valid; the cache never
//!   outlives a certificate of the chain.
//! - One certificate satisfies at most one leaf of a policy, however often it signed.
//! - A configuration has exactly one encoding: [`ChannelConfig::from_envelope`] accepts nothing that
//!   [`ChannelConfig::to_genesis_envelope`] would write differently.
//! - Policy texts and trees are bounded in length, depth and leaves before they are evaluated.
//!
//! # Standards
//! Hyperledger Fabric 3 (MSP, signature policies, configuration tree); RFC 5280 §6.1 (chains, in
//! `smkit-pki`); GM/T 0015 (certificate profile).
//!
//! ```
//! use changbai_msp::{Policy, Role};
//!
//! let policy = Policy::parse("OutOf(2, 'CityMSP.peer', 'CourtMSP.peer', 'NotaryMSP.peer')")?;
//! assert_eq!(policy.organisations().len(), 3);
//! assert_eq!(Policy::parse(&policy.to_string())?, policy);
//! assert_eq!(Policy::signed_by("CityMSP", Role::Peer)?.to_string(), "'CityMSP.peer'");
//! # Ok::<(), changbai_msp::PolicyError>(())
//! ```

mod access;
pub mod codes;
mod config;
mod endpoint;
mod file;
mod identity;
pub mod limits;
mod membership;
mod organisation;
mod policy;
mod role;
#[cfg(test)]
mod tests;
mod update;

pub use access::{AccessError, Check};
pub use config::{
    BatchConfig, ChannelConfig, ChannelOptions, ChannelPolicies, ConfigError, InvalidPath,
    ItemKind, ItemPath, ValidatorChange, ValidatorConfig,
};
pub use endpoint::{Endpoint, InvalidEndpoint};
pub use file::{FileError, Files, KeyError};
pub use identity::{Identity, IdentityError, serialize_identity};
pub use membership::{Membership, Msp};
pub use organisation::{Admitted, IdentityRule, Organisation, RuleMismatch, is_msp_id};
pub use policy::{
    Claim, EffectivePolicy, GroupPolicy, MetaPolicy, MetaRule, Missing, OrgPolicies, Policy,
    PolicyError, PolicyName, Principal,
};
pub use role::{Role, Roles};
pub use update::{
    ComputeError, ConfigSignature, ConfigUpdate, ConfigUpdateError, MissingConsent, Sender, apply,
    update_id, validate_config,
};
