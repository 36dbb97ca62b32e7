//! A policy of a configuration with everything it refers to.

use std::collections::BTreeSet;

use changbai_wire::proto::common;

use super::{
    Claim, GroupPolicy, Policy, PolicyError, Principal,
    claim::{self, Signer},
    principal::fewest,
};
use crate::{Identity, limits::GROUP_DEPTH_MAX};

/// A policy (生效策略) that needs no configuration any more to be evaluated: every implicit policy in it
/// has been replaced by those it asks for.
///
/// From [`ChannelConfig::policy`](crate::ChannelConfig::policy); holds for one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectivePolicy(pub(super) Node);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Signature(Policy),
    /// At least so many, each with all the signers.
    Groups {
        needed: usize,
        groups: Vec<Self>,
    },
    /// The group has no policy of the name asked for.
    Never,
}

impl EffectivePolicy {
    /// Whether the signers satisfy the policy; as [`Policy::evaluate`] for each signature policy in
    /// it. A signer may count for several groups.
    #[must_use]
    pub fn evaluate(&self, signers: &[&Identity]) -> bool {
        self.0.satisfied_by(&claim::all_hold(signers))
    }

    /// As [`Policy::judge`] for each signature policy in it.
    #[must_use]
    pub fn judge(&self, claims: &[Claim<'_>]) -> bool {
        self.0.satisfied_by(&claim::distinct(claims))
    }

    /// What the signers lack to satisfy the policy: how many more must sign at least, and who can; `None`
    /// if they satisfy it.
    pub(crate) fn missing(&self, signers: &[&Identity]) -> Option<(usize, BTreeSet<Principal>)> {
        self.0.missing(&claim::all_hold(signers))
    }

    /// The organisations that the policy names.
    #[must_use]
    pub fn organisations(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.0.name(&mut names);
        names
    }

    /// Whether anybody at all could satisfy it: not when it asks for more groups than there are, or
    /// for a policy that they do not have.
    #[must_use]
    pub fn is_satisfiable(&self) -> bool {
        self.0.is_satisfiable()
    }
}

impl From<Policy> for EffectivePolicy {
    /// A policy built by hand that breaks the bounds is satisfied by nobody.
    fn from(policy: Policy) -> Self {
        Self(if policy.check().is_ok() { Node::Signature(policy) } else { Node::Never })
    }
}

impl Node {
    fn satisfied_by(&self, signers: &[Signer<'_>]) -> bool {
        match self {
            Self::Signature(policy) => policy.satisfied_by(signers.to_vec()),
            Self::Groups { needed, groups } => {
                groups.iter().filter(|group| group.satisfied_by(signers)).take(*needed).count()
                    == *needed
            }
            Self::Never => false,
        }
    }

    fn missing(&self, signers: &[Signer<'_>]) -> Option<(usize, BTreeSet<Principal>)> {
        if self.satisfied_by(signers) {
            return None;
        }
        Some(match self {
            Self::Signature(policy) => policy.missing(signers),
            Self::Groups { needed, groups } => {
                let groups = groups.iter().filter(|group| group.is_satisfiable());
                let open: Vec<_> = groups.clone().filter_map(|g| g.missing(signers)).collect();
                let satisfied = groups.count().saturating_sub(open.len());
                fewest(needed.saturating_sub(satisfied), open)
            }
            Self::Never => (1, BTreeSet::new()),
        })
    }

    fn is_satisfiable(&self) -> bool {
        match self {
            Self::Signature(_) => true,
            Self::Groups { needed, groups } => {
                groups.iter().filter(|group| group.is_satisfiable()).count() >= *needed
            }
            Self::Never => false,
        }
    }

    fn name<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Signature(policy) => names.extend(policy.organisations()),
            Self::Groups { groups, .. } => groups.iter().for_each(|group| group.name(names)),
            Self::Never => {}
        }
    }
}

/// The policy `name` of a group with everything below it; `None` if the group has no such policy.
pub(crate) fn effective(
    group: &common::ConfigGroup,
    name: &str,
) -> Result<Option<EffectivePolicy>, PolicyError> {
    Ok(node(group, name, GROUP_DEPTH_MAX)?.map(EffectivePolicy))
}

fn node(
    group: &common::ConfigGroup,
    name: &str,
    depth: usize,
) -> Result<Option<Node>, PolicyError> {
    let Some(below) = depth.checked_sub(1) else { return Err(PolicyError::TooDeep) };
    let policy = group.policies.get(name).and_then(|policy| policy.policy.as_ref());
    let Some(policy) = policy else { return Ok(None) };
    match GroupPolicy::from_proto(policy)? {
        GroupPolicy::Signature(policy) => Ok(Some(Node::Signature(policy))),
        GroupPolicy::Meta(meta) => {
            let sub =
                |group| Ok(node(group, meta.sub_policy.name(), below)?.unwrap_or(Node::Never));
            let groups = group.groups.values().map(sub).collect::<Result<Vec<_>, _>>()?;
            let needed = meta.rule.needed(groups.len());
            Ok(Some(Node::Groups { needed, groups }))
        }
    }
}
