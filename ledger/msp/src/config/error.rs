//! Why something is not a channel configuration.

use smkit_pki::CertificateError;
use thiserror::Error;

use crate::{IdentityError, ItemPath, PolicyError};

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
    /// An authority for connections is one for identities, too.
    #[error("{msp_id} uses an authority of identities for connections")]
    TlsAuthority {
        /// The organisation that lists it for connections.
        msp_id: String,
    },
    /// An identity rule asks for nothing, for what no certificate has, or pins an issuer that the
    /// organisation does not trust.
    #[error("the identity rule of {msp_id}: {reason}")]
    Rule {
        /// The organisation.
        msp_id: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two organisations trust one authority, and this one has no rule which of its certificates
    /// are its own.
    #[error("{msp_id} needs an identity rule: it shares an authority with {shares_with}")]
    RuleMissing {
        /// The organisation without a rule.
        msp_id: String,
        /// Another one below the same authority.
        shares_with: String,
    },
    /// A certificate could belong to either of two organisations.
    #[error("the identity rules of {first} and {second} do not tell them apart")]
    RulesOverlap {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// A listed administrator is an authority, listed twice, or not one of the organisation's.
    #[error("{msp_id} lists an administrator that is none of its own, or twice")]
    Admin {
        /// The organisation.
        msp_id: String,
    },
    /// A revocation list is too long, or signed by no authority of the organisation.
    #[error("{msp_id} has a revocation list that is too long or none of its authorities'")]
    RevocationList {
        /// The organisation.
        msp_id: String,
    },
    /// A revoked certificate, a revocation list or an endpoint is listed twice.
    #[error("{msp_id} lists a revocation or an endpoint twice")]
    Repeated {
        /// The organisation.
        msp_id: String,
    },
    /// A validator or policy names an organisation that is not a member.
    #[error("{msp_id} is not a member of the channel")]
    UnknownMsp {
        /// The organisation.
        msp_id: String,
    },
    /// A policy of one organisation names another.
    #[error("a policy of {msp_id} names {names}")]
    ForeignPolicy {
        /// Whose policy.
        msp_id: String,
        /// Whom it names.
        names: String,
    },
    /// A validator has the wrong position, role or kind of certificate, or another one's key.
    #[error("validator {index} has a wrong index, role or certificate, or is not unique")]
    Validator {
        /// Its position.
        index: u32,
    },
    /// Two validators are reached at the same endpoint.
    #[error("validator {index} has the endpoint of another one")]
    Endpoint {
        /// Its position.
        index: u32,
    },
    /// A validator's organisation does not vouch for it.
    #[error("the organisation of validator {index} does not vouch for it")]
    ValidatorIdentity {
        /// Its position.
        index: u32,
        /// Why.
        #[source]
        reason: IdentityError,
    },
    /// A policy is malformed.
    #[error("policy of the channel refused")]
    Policy(#[from] PolicyError),
    /// Nobody could ever satisfy a policy.
    #[error("the policy {path} could never be satisfied")]
    Unsatisfiable {
        /// Which.
        path: String,
    },
    /// A policy that guards an element does not exist, or the element does not.
    #[error("{path} cannot be guarded by {policy:?}")]
    ModPolicy {
        /// The element.
        path: ItemPath,
        /// What should guard it.
        policy: String,
    },
    /// The batch values contradict each other or a bound.
    #[error("batch configuration is contradictory or out of bounds")]
    Batch,
    /// A certificate does not parse, or is not an SM2 certificate.
    #[error("certificate in the configuration refused")]
    Certificate(#[from] CertificateError),
    /// The channel does what this code does not know, or lacks what this code needs.
    #[error("capability {name:?} is not supported, or missing")]
    Capability {
        /// Its name.
        name: String,
    },
    /// The envelope is not a configuration transaction.
    #[error("not a configuration: {0}")]
    Malformed(&'static str),
    /// The envelope says what it says in other bytes than we would, or says more.
    #[error("configuration is not canonically encoded")]
    NotCanonical,
}
