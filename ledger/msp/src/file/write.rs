//! From a configuration to the file's keys: everything is said, certificates stand inline.

use std::collections::BTreeMap;

use smkit_pki::{Certificate, RevocationList};

use super::schema::{
    ChannelFile, OrgPoliciesFile, OrganisationFile, PoliciesFile, RuleFile, ValidatorFile,
};
use crate::{ChannelConfig, OrgPolicies, Organisation, Policy, ValidatorConfig};

/// The file of a configuration.
pub(super) fn channel(config: &ChannelConfig) -> ChannelFile {
    let policies = &config.policies;
    let text = |policy: &crate::GroupPolicy| Some(policy.to_string());
    let mut orgs: Vec<_> = config.orgs.iter().collect();
    orgs.sort_by(|a, b| a.msp_id.cmp(&b.msp_id));
    ChannelFile {
        format: ChannelConfig::FORMAT_VERSION,
        channel: config.channel_id.clone(),
        sequence: config.sequence,
        batch: config.batch.into(),
        options: config.options.into(),
        policies: PoliciesFile {
            readers: text(&policies.readers),
            writers: text(&policies.writers),
            endorsement: text(&policies.endorsement),
            lifecycle_endorsement: text(&policies.lifecycle_endorsement),
            admins: text(&policies.admins),
            orderer_admins: text(&policies.orderer_admins),
            channel_admins: text(&policies.channel_admins),
        },
        mod_policies: config
            .mod_policies
            .iter()
            .map(|(path, policy)| (path.to_string(), policy.clone()))
            .collect(),
        organisation: orgs.into_iter().map(organisation).collect(),
        validator: config.validators.iter().map(validator).collect(),
    }
}

/// Puts a path in `folder` in the place of each inline text, and gives the texts by path.
pub(super) fn take_out(file: &mut ChannelFile, folder: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut take = |name: String, text: &mut String| {
        let path = format!("{folder}/{name}.pem");
        files.insert(path.clone(), std::mem::replace(text, path));
    };
    for org in &mut file.organisation {
        for (kind, texts) in [
            ("root", &mut org.roots),
            ("intermediate", &mut org.intermediates),
            ("admin", &mut org.admins),
            ("crl", &mut org.revocation_lists),
            ("tls-root", &mut org.tls_roots),
            ("tls-intermediate", &mut org.tls_intermediates),
        ] {
            let alone = texts.len() == 1;
            for (index, text) in texts.iter_mut().enumerate() {
                let number = if alone { String::new() } else { format!("-{index}") };
                // One name, not a folder: an MSP id may be "..".
                take(format!("{}-{kind}{number}", org.msp_id), text);
            }
        }
    }
    for (index, validator) in file.validator.iter_mut().enumerate() {
        take(format!("validator-{index}-{}", validator.msp_id), &mut validator.certificate);
    }
    files
}

fn organisation(org: &Organisation) -> OrganisationFile {
    let pems = |certificates: &mut dyn Iterator<Item = &Certificate>| {
        certificates.map(Certificate::to_pem).collect()
    };
    OrganisationFile {
        msp_id: org.msp_id.clone(),
        name: org.name.clone(),
        own_authority: org.rule.is_none(),
        roots: pems(&mut org.roots.iter()),
        intermediates: pems(&mut org.intermediates.iter()),
        admins: pems(&mut org.admins.iter()),
        revoked: org.revoked.iter().map(ToString::to_string).collect(),
        revocation_lists: org.revocation_lists.iter().map(RevocationList::to_pem).collect(),
        tls_roots: pems(&mut org.tls_roots.iter()),
        tls_intermediates: pems(&mut org.tls_intermediates.iter()),
        anchor_peers: org.anchor_peers.iter().map(ToString::to_string).collect(),
        rule: org.rule.as_ref().map(|rule| RuleFile {
            issuers: rule.issuers.iter().map(ToString::to_string).collect(),
            organisation: rule.organisation.clone(),
            units: rule.units.clone(),
            further_units: rule.further_units,
        }),
        policies: org_policies(org),
    }
}

/// Only what is not as usual.
fn org_policies(org: &Organisation) -> OrgPoliciesFile {
    let (own, usual) = (&org.policies, OrgPolicies::of(&org.msp_id));
    let one = |own: &Policy, usual: &Policy| (own != usual).then(|| own.to_string());
    OrgPoliciesFile {
        readers: one(&own.readers, &usual.readers),
        writers: one(&own.writers, &usual.writers),
        endorsement: one(&own.endorsement, &usual.endorsement),
        lifecycle_endorsement: one(&own.lifecycle_endorsement, &usual.lifecycle_endorsement),
        admins: one(&own.admins, &usual.admins),
    }
}

fn validator(validator: &ValidatorConfig) -> ValidatorFile {
    ValidatorFile {
        msp_id: validator.msp_id.clone(),
        certificate: validator.certificate.to_pem(),
        consensus: validator.consensus.as_ref().map(ToString::to_string),
        peer: validator.peer.as_ref().map(ToString::to_string),
    }
}
