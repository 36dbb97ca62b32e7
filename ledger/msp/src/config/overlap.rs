//! Organisations below one authority: which of them a certificate belongs to must never be in doubt.

use std::collections::{BTreeMap, BTreeSet};

use smkit_pki::Certificate;

use super::{ChannelConfig, ConfigError};
use crate::{IdentityRule, Organisation};

/// An authority of one organisation: its place among the organisations, and its certificate.
type Held<'a> = (usize, &'a Certificate);

impl ChannelConfig {
    /// Refuses organisations that share an authority without rules that tell them apart, and
    /// authorities of connections that are ones of identities.
    ///
    /// Two organisations share an authority if both trust the same key, or one trusts an authority
    /// that another's issued. A link through an authority that neither lists cannot be seen here; a
    /// certificate below such a one is nobody's, unless its holder sends it along.
    pub(super) fn check_authorities(&self) -> Result<(), ConfigError> {
        let held: Vec<Held<'_>> = (0..)
            .zip(&self.orgs)
            .flat_map(|(at, org)| org.authorities().map(move |authority| (at, authority)))
            .collect();
        self.check_connections(&held)?;
        for (a, b) in sharing(&held) {
            let (Some(first), Some(second)) = (self.orgs.get(a), self.orgs.get(b)) else {
                continue;
            };
            check_pair(first, second)?;
        }
        Ok(())
    }

    fn check_connections(&self, held: &[Held<'_>]) -> Result<(), ConfigError> {
        let identities: BTreeSet<_> = held.iter().map(|(_, a)| a.public_key().to_sec1()).collect();
        let crosses = |org: &&Organisation| {
            let mut tls = org.tls_roots.iter().chain(&org.tls_intermediates);
            tls.any(|authority| identities.contains(&authority.public_key().to_sec1()))
        };
        match self.orgs.iter().find(crosses) {
            Some(org) => Err(ConfigError::TlsAuthority { msp_id: org.msp_id.clone() }),
            None => Ok(()),
        }
    }
}

/// Pairs of different organisations that share an authority.
fn sharing(held: &[Held<'_>]) -> BTreeSet<(usize, usize)> {
    let mut by_key: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    let mut by_name: BTreeMap<String, Vec<Held<'_>>> = BTreeMap::new();
    for (at, authority) in held {
        by_key.entry(authority.public_key().to_sec1()).or_default().push(*at);
        by_name.entry(authority.subject()).or_default().push((*at, authority));
    }
    let mut pairs = BTreeSet::new();
    for places in by_key.values() {
        let all = places.iter().flat_map(|a| places.iter().map(|b| pair(*a, *b)));
        pairs.extend(all.filter(|(a, b)| a != b));
    }
    let mut budget = SIGNATURES_MAX;
    for (at, subject) in held {
        for (issuer_at, issuer) in by_name.get(&subject.issuer()).into_iter().flatten() {
            let pair = pair(*at, *issuer_at);
            if issuer_at == at || pairs.contains(&pair) {
                continue;
            }
            // Whoever piles up authorities of one name has to tell all of them apart.
            let exhausted = budget == 0;
            budget = budget.saturating_sub(1);
            if exhausted || subject.verify_issued_by(issuer).is_ok() {
                pairs.insert(pair);
            }
        }
    }
    pairs
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

fn check_pair(first: &Organisation, second: &Organisation) -> Result<(), ConfigError> {
    let missing = |org: &Organisation, other: &Organisation| {
        let (msp_id, shares_with) = (org.msp_id.clone(), other.msp_id.clone());
        Err(ConfigError::RuleMissing { msp_id, shares_with })
    };
    match (&first.rule, &second.rule) {
        (None, _) => missing(first, second),
        (_, None) => missing(second, first),
        (Some(a), Some(b)) => {
            let issuers = !pinned(first, a).is_disjoint(&pinned(second, b));
            if issuers && a.overlaps(b) {
                let (first, second) = (first.msp_id.clone(), second.msp_id.clone());
                return Err(ConfigError::RulesOverlap { first, second });
            }
            Ok(())
        }
    }
}

/// Keys of the authorities that a rule pins.
fn pinned(org: &Organisation, rule: &IdentityRule) -> BTreeSet<[u8; 65]> {
    org.authorities()
        .filter(|authority| rule.issuers.contains(&authority.sm3()))
        .map(|authority| authority.public_key().to_sec1())
        .collect()
}

/// Most signatures looked at for one configuration.
const SIGNATURES_MAX: usize = 512;
