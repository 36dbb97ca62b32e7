//! Signature policies: who must have signed.

mod choose;
mod claim;
mod effective;
mod group;
mod meta;
mod parse;
mod principal;
mod proto;

use std::{collections::BTreeSet, fmt};

use thiserror::Error;

pub(crate) use self::effective::effective;
pub use self::{
    choose::Missing,
    claim::Claim,
    effective::EffectivePolicy,
    group::{GroupPolicy, OrgPolicies},
    meta::{MetaPolicy, MetaRule, PolicyName},
    principal::Principal,
};

use crate::{
    Identity, Role,
    limits::{POLICY_DEPTH_MAX, POLICY_LEAVES_MAX},
    organisation::is_msp_id,
};

/// A signature policy (背书策略), as in Fabric: principals joined by `AND`, `OR` and `OutOf`.
///
/// Policies from [`Policy::parse`], the constructors and configurations are within
/// [`limits`](crate::limits); [`Policy::check`] says whether one built by hand is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Policy {
    /// One identity of this organisation with this role.
    SignedBy {
        /// The organisation.
        msp_id: String,
        /// The role.
        role: Role,
    },
    /// At least `n` of the rules.
    OutOf {
        /// How many, from 1 to the number of rules.
        n: u32,
        /// The rules, in order of evaluation.
        rules: Vec<Self>,
    },
}

impl Policy {
    /// The policy of one principal.
    ///
    /// # Errors
    /// [`PolicyError::Principal`] for an impossible MSP id.
    pub fn signed_by(msp_id: &str, role: Role) -> Result<Self, PolicyError> {
        let policy = Self::SignedBy { msp_id: msp_id.to_owned(), role };
        policy.check().map(|()| policy)
    }

    /// At least `n` of the rules.
    ///
    /// # Errors
    /// [`PolicyError`] if `n` does not fit or a bound is exceeded.
    pub fn out_of(n: u32, rules: Vec<Self>) -> Result<Self, PolicyError> {
        let policy = Self::OutOf { n, rules };
        policy.check().map(|()| policy)
    }

    /// More than half of the organisations, each by one identity with this role.
    ///
    /// # Errors
    /// [`PolicyError`] without organisations, or with too many.
    pub fn majority(msp_ids: &[&str], role: Role) -> Result<Self, PolicyError> {
        let n = u32::try_from(msp_ids.len() / 2).unwrap_or(u32::MAX).saturating_add(1);
        Self::out_of(n, leaves(msp_ids, role))
    }

    /// Any of the organisations, by one identity with this role.
    ///
    /// # Errors
    /// [`PolicyError`] without organisations, or with too many.
    pub fn any(msp_ids: &[&str], role: Role) -> Result<Self, PolicyError> {
        Self::out_of(1, leaves(msp_ids, role))
    }

    /// Checks the bounds and the form of a policy.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn check(&self) -> Result<(), PolicyError> {
        let mut leaves = 0usize;
        self.check_within(POLICY_DEPTH_MAX, &mut leaves)
    }

    /// Whether the signers satisfy the policy.
    ///
    /// As in Fabric each signer counts once, for the first rule in order that it fits, and a signer
    /// listed twice (the same certificate) is one. A gate stops as soon as it is satisfied, so that
    /// it does not use up signers that a later rule needs. Signers beyond
    /// [`SIGNERS_MAX`](crate::limits::SIGNERS_MAX) are ignored.
    ///
    /// Whoever calls has verified each signer's signature, and left out those that do not hold;
    /// [`Policy::judge`] takes them too.
    #[must_use]
    pub fn evaluate(&self, signers: &[&Identity]) -> bool {
        self.check().is_ok() && self.satisfied_by(claim::all_hold(signers))
    }

    /// Whether a set of signatures, verified in a batch, satisfies the policy.
    ///
    /// Like [`Policy::evaluate`], and besides: below an `AND` (a gate that needs all of its rules)
    /// every signature that a principal of that gate could count must hold, one that does not fails
    /// the gate; below `OR` and `OutOf` it counts for nothing and does no harm.
    #[must_use]
    pub fn judge(&self, claims: &[Claim<'_>]) -> bool {
        self.check().is_ok() && self.satisfied_by(claim::distinct(claims))
    }

    /// The organisations that the policy names.
    #[must_use]
    pub fn organisations(&self) -> BTreeSet<&str> {
        match self {
            Self::SignedBy { msp_id, .. } => BTreeSet::from([msp_id.as_str()]),
            Self::OutOf { rules, .. } => rules.iter().flat_map(Self::organisations).collect(),
        }
    }

    fn check_within(&self, depth: usize, leaves: &mut usize) -> Result<(), PolicyError> {
        let Some(below) = depth.checked_sub(1) else { return Err(PolicyError::TooDeep) };
        match self {
            Self::SignedBy { msp_id, .. } => {
                *leaves = leaves.saturating_add(1);
                if *leaves > POLICY_LEAVES_MAX {
                    return Err(PolicyError::TooManyPrincipals);
                }
                if is_msp_id(msp_id) { Ok(()) } else { Err(PolicyError::Principal) }
            }
            Self::OutOf { n, rules } => {
                let fits = usize::try_from(*n).is_ok_and(|n| (1..=rules.len()).contains(&n));
                if !fits {
                    return Err(PolicyError::OutOf { n: *n, rules: rules.len() });
                }
                rules.iter().try_for_each(|rule| rule.check_within(below, leaves))
            }
        }
    }
}

impl fmt::Display for Policy {
    /// The text that [`Policy::parse`] reads back as the same policy, while it is within the parser's bound.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignedBy { msp_id, role } => write!(f, "'{msp_id}.{role}'"),
            Self::OutOf { n, rules } => {
                let gate = match usize::try_from(*n) {
                    Ok(n) if n == rules.len() && n > 1 => "AND(".to_owned(),
                    Ok(1) => "OR(".to_owned(),
                    _ => format!("OutOf({n}, "),
                };
                f.write_str(&gate)?;
                for (i, rule) in rules.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    rule.fmt(f)?;
                }
                f.write_str(")")
            }
        }
    }
}

fn leaves(msp_ids: &[&str], role: Role) -> Vec<Policy> {
    let leaf = |msp_id: &&str| Policy::SignedBy { msp_id: (*msp_id).to_owned(), role };
    msp_ids.iter().map(leaf).collect()
}

/// Why something is not a policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is longer than [`POLICY_BYTES_MAX`](crate::limits::POLICY_BYTES_MAX).
    #[error("policy of {bytes} bytes is too long")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Gates are nested deeper than [`POLICY_DEPTH_MAX`].
    #[error("policy is nested too deeply")]
    TooDeep,
    /// More principals than [`POLICY_LEAVES_MAX`].
    #[error("policy has too many principals")]
    TooManyPrincipals,
    /// The text does not follow the grammar.
    #[error("policy, byte {at}: expected {expected}")]
    Syntax {
        /// Where, in bytes from the start.
        at: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// A principal is not `'<MSP id>.<role>'`.
    #[error("a principal is '<MSP id>.<member|admin|client|peer|orderer>'")]
    Principal,
    /// A gate asks for none of its rules, or for more than it has.
    #[error("policy asks for {n} of {rules} rules")]
    OutOf {
        /// How many it asks for.
        n: u32,
        /// How many there are.
        rules: usize,
    },
    /// The protobuf form uses something other than roles and `n_out_of`.
    #[error("policy message is malformed or unsupported: {0}")]
    Message(&'static str),
}
