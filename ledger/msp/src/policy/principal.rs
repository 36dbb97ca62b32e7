//! Principals, and which of them a policy still lacks.

use std::{collections::BTreeSet, fmt};

use super::{Policy, claim::Signer};
use crate::Role;

/// Somebody whom a policy can ask for: any identity of an organisation with a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// The organisation.
    pub msp_id: String,
    /// The role.
    pub role: Role,
}

impl fmt::Display for Principal {
    /// As policies name it, without quotes: `CityMSP.admin`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.msp_id, self.role)
    }
}

impl Policy {
    /// What the signers lack of a policy that they do not satisfy: how many more must sign at least,
    /// and who can.
    pub(super) fn missing(&self, signers: &[Signer<'_>]) -> (usize, BTreeSet<Principal>) {
        match self {
            Self::SignedBy { msp_id, role } => {
                (1, BTreeSet::from([Principal { msp_id: msp_id.clone(), role: *role }]))
            }
            Self::OutOf { n, rules } => {
                let needed = usize::try_from(*n).unwrap_or(usize::MAX);
                let (mut free, mut satisfied, mut open) = (signers.to_vec(), 0_usize, Vec::new());
                for rule in rules {
                    // As in evaluation: who counts for one rule does not count for the next.
                    if rule.take_from(&mut free, false) {
                        satisfied = satisfied.saturating_add(1);
                    } else {
                        open.push(rule.missing(&free));
                    }
                }
                fewest(needed.saturating_sub(satisfied), open)
            }
        }
    }
}

/// So many of these, those first that lack least.
pub(super) fn fewest(
    needed: usize,
    mut open: Vec<(usize, BTreeSet<Principal>)>,
) -> (usize, BTreeSet<Principal>) {
    open.sort_by_key(|(more, _)| *more);
    let more = open.iter().take(needed).map(|(more, _)| *more).fold(0, usize::saturating_add);
    (more.max(1), open.into_iter().flat_map(|(_, of)| of).collect())
}
