//! Everything about a configuration that does not depend on time.

use std::collections::BTreeSet;

use changbai_wire::is_channel_id;
use smkit_pki::{Certificate, RevocationList};

use super::{ChannelConfig, ConfigError, bounded, path};
use crate::{
    Organisation, PolicyName, Role,
    limits::{
        ADMINS_MAX, ANCHOR_PEERS_MAX, ATTRIBUTE_CHARS_MAX, AUTHORITIES_MAX,
        CHANNEL_AUTHORITIES_MAX, NAME_BYTES_MAX, ORGANISATIONS_MAX, REVOCATION_LIST_BYTES_MAX,
        REVOCATION_LISTS_MAX, REVOKED_MAX, RULE_ENTRIES_MAX, VALIDATORS_MAX,
    },
    organisation::{is_msp_id, is_role_unit},
    policy::effective,
};

impl ChannelConfig {
    /// Checks everything that does not depend on time: ids, bounds, that names, MSP ids, validator
    /// keys and endpoints are unique, that validators and listed administrators are their
    /// organisation's and have the role, that organisations below one authority can be told apart,
    /// that authorities of connections are none of identities, that policies name members only and
    /// can be satisfied.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        if !is_channel_id(&self.channel_id) {
            return Err(ConfigError::ChannelId);
        }
        bounded("organisations", self.orgs.len(), 1, ORGANISATIONS_MAX)?;
        self.check_names()?;
        self.orgs.iter().try_for_each(check_org)?;
        let authorities = self.orgs.iter().map(|org| org.authorities().count()).sum();
        bounded("authorities of identities", authorities, 1, CHANNEL_AUTHORITIES_MAX)?;
        self.check_authorities()?;
        self.check_validators()?;
        self.check_policies()?;
        self.batch.check()
    }

    fn check_names(&self) -> Result<(), ConfigError> {
        let (mut names, mut ids) = (BTreeSet::new(), BTreeSet::new());
        for org in &self.orgs {
            if !is_msp_id(&org.msp_id) || !ids.insert(&org.msp_id) {
                return Err(ConfigError::MspId { msp_id: org.msp_id.clone() });
            }
            let fits = (1..=NAME_BYTES_MAX).contains(&org.name.len());
            if !fits || org.name.chars().any(char::is_control) || !names.insert(&org.name) {
                return Err(ConfigError::OrganisationName { msp_id: org.msp_id.clone() });
            }
        }
        Ok(())
    }

    fn check_validators(&self) -> Result<(), ConfigError> {
        bounded("validators", self.validators.len(), 1, VALIDATORS_MAX)?;
        let (mut addresses, mut endpoints) = (BTreeSet::new(), BTreeSet::new());
        for (position, validator) in (0u32..).zip(&self.validators) {
            let Some(org) = self.org(&validator.msp_id) else {
                return Err(ConfigError::UnknownMsp { msp_id: validator.msp_id.clone() });
            };
            let certificate = &validator.certificate;
            let orders =
                org.check_content(certificate).is_ok_and(|roles| roles.contains(Role::Orderer));
            let unique = addresses.insert(validator.address());
            if validator.index != position || !orders || certificate.is_ca() || !unique {
                return Err(ConfigError::Validator { index: position });
            }
            // One listener may take both; two validators behind one address are a mistake.
            let own: BTreeSet<_> = validator.consensus.iter().chain(&validator.peer).collect();
            if !own.into_iter().all(|endpoint| endpoints.insert(endpoint)) {
                return Err(ConfigError::Endpoint { index: position });
            }
        }
        Ok(())
    }

    fn check_policies(&self) -> Result<(), ConfigError> {
        for org in &self.orgs {
            for name in PolicyName::ALL {
                let policy = org.policies.named(name);
                policy.check()?;
                let foreign = policy.organisations().into_iter().find(|id| *id != org.msp_id);
                if let Some(names) = foreign {
                    let (msp_id, names) = (org.msp_id.clone(), names.to_owned());
                    return Err(ConfigError::ForeignPolicy { msp_id, names });
                }
            }
        }
        let root = self.to_group();
        for path in GUARDING {
            let (group, name) = path.rsplit_once('/').unwrap_or_default();
            let unsatisfiable = || ConfigError::Unsatisfiable { path: (*path).to_owned() };
            let group = path::find_group(&root, group).ok_or_else(unsatisfiable)?;
            let policy = effective(group, name)?.ok_or_else(unsatisfiable)?;
            let unknown = policy.organisations().into_iter().find(|id| self.org(id).is_none());
            if let Some(msp_id) = unknown {
                return Err(ConfigError::UnknownMsp { msp_id: msp_id.to_owned() });
            }
            if !policy.is_satisfiable() {
                return Err(unsatisfiable());
            }
        }
        self.check_mod_policies(root)
    }

    fn check_mod_policies(
        &self,
        mut root: changbai_wire::proto::common::ConfigGroup,
    ) -> Result<(), ConfigError> {
        let tree = root.clone();
        let mut present = BTreeSet::new();
        path::visit(&mut root, &mut |path, _, _| {
            present.insert(path.clone());
        });
        for (item, policy) in &self.mod_policies {
            let guarded = present.contains(item)
                && path::mod_policy_target(item, policy).is_some_and(|(group, name)| {
                    path::find_group(&tree, &group)
                        .is_some_and(|group| matches!(effective(group, &name), Ok(Some(p)) if p.is_satisfiable()))
                });
            // One element, one way to say that it is guarded as usual.
            if !guarded || policy == super::encode::ADMINS {
                let (path, policy) = (item.clone(), policy.clone());
                return Err(ConfigError::ModPolicy { path, policy });
            }
        }
        Ok(())
    }
}

fn check_org(org: &Organisation) -> Result<(), ConfigError> {
    let msp_id = || org.msp_id.clone();
    bounded("roots of an organisation", org.roots.len(), 1, AUTHORITIES_MAX)?;
    bounded("intermediate authorities", org.intermediates.len(), 0, AUTHORITIES_MAX)?;
    bounded("roots of connections", org.tls_roots.len(), 0, AUTHORITIES_MAX)?;
    bounded("intermediates of connections", org.tls_intermediates.len(), 0, AUTHORITIES_MAX)?;
    let tls = org.tls_roots.iter().chain(&org.tls_intermediates);
    if !org.authorities().chain(tls).all(Certificate::is_ca) {
        return Err(ConfigError::NotACa { msp_id: msp_id() });
    }
    check_rule(org)?;
    bounded("listed administrators", org.admins.len(), 0, ADMINS_MAX)?;
    let own = |admin: &&Certificate| !admin.is_ca() && org.check_content(admin).is_ok();
    if !org.admins.iter().all(|admin| own(&admin))
        || !distinct(org.admins.iter().map(Certificate::sm3))
    {
        return Err(ConfigError::Admin { msp_id: msp_id() });
    }
    bounded("revoked certificates", org.revoked.len(), 0, REVOKED_MAX)?;
    bounded("revocation lists", org.revocation_lists.len(), 0, REVOCATION_LISTS_MAX)?;
    bounded("anchor peers", org.anchor_peers.len(), 0, ANCHOR_PEERS_MAX)?;
    let once = distinct(org.revoked.iter())
        && distinct(org.revocation_lists.iter().map(RevocationList::der))
        && distinct(org.anchor_peers.iter());
    if !once {
        return Err(ConfigError::Repeated { msp_id: msp_id() });
    }
    let own = |list: &RevocationList| {
        list.der().len() <= REVOCATION_LIST_BYTES_MAX
            && org.authorities().any(|authority| list.verify(authority).is_ok())
    };
    if org.revocation_lists.iter().all(own) {
        Ok(())
    } else {
        Err(ConfigError::RevocationList { msp_id: msp_id() })
    }
}

fn check_rule(org: &Organisation) -> Result<(), ConfigError> {
    let Some(rule) = &org.rule else { return Ok(()) };
    let refuse = |reason| Err(ConfigError::Rule { msp_id: org.msp_id.clone(), reason });
    bounded("issuers of an identity rule", rule.issuers.len(), 1, RULE_ENTRIES_MAX)?;
    bounded("units of an identity rule", rule.units.len(), 0, RULE_ENTRIES_MAX)?;
    let trusted: BTreeSet<_> = org.authorities().map(Certificate::sm3).collect();
    if !rule.issuers.iter().all(|issuer| trusted.contains(issuer)) {
        return refuse("an issuer is no authority of the organisation");
    }
    if rule.organisation.is_empty() && rule.units.is_empty() {
        return refuse("it asks for neither organisation nor unit");
    }
    let impossible = |text: &str| {
        text.chars().count() > ATTRIBUTE_CHARS_MAX || text.chars().any(char::is_control)
    };
    if impossible(&rule.organisation)
        || rule.units.iter().any(|unit| unit.is_empty() || impossible(unit))
    {
        return refuse("an attribute is empty, too long or not printable");
    }
    if rule.units.iter().any(|unit| is_role_unit(unit)) {
        return refuse("a unit is the name of a role");
    }
    if !distinct(rule.issuers.iter()) || !distinct(rule.units.iter()) {
        return refuse("an issuer or unit is repeated");
    }
    Ok(())
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    items.into_iter().all(|item| seen.insert(item))
}

/// The policies that guard something, or let somebody do something; those that others refer to first.
const GUARDING: &[&str] = &[
    "/Channel/Orderer/Readers",
    "/Channel/Orderer/Writers",
    "/Channel/Orderer/Admins",
    "/Channel/Orderer/BlockValidation",
    "/Channel/Application/Readers",
    "/Channel/Application/Writers",
    "/Channel/Application/Admins",
    "/Channel/Application/Endorsement",
    "/Channel/Application/LifecycleEndorsement",
    "/Channel/Readers",
    "/Channel/Writers",
    "/Channel/Admins",
];
