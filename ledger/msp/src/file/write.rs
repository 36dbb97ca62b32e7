//! From a configuration to the file's keys: everything is said, certificates stand inline.

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
