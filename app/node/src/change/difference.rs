//! Two configurations of one channel, and how they differ, for people.

use std::collections::BTreeMap;

use changbai_msp::{ChannelConfig, Organisation, ValidatorConfig};

/// One thing that is different.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// An organisation joins.
    OrganisationAdded {
        /// Its id.
        msp_id: String,
        /// Its name.
        name: String,
    },
    /// An organisation leaves.
    OrganisationRemoved {
        /// Its id.
        msp_id: String,
    },
    /// An organisation changes.
    OrganisationChanged {
        /// Its id.
        msp_id: String,
        /// Which of its keys, as in the readable file.
        keys: Vec<&'static str>,
    },
    /// A validator is added.
    ValidatorAdded {
        /// Its organisation.
        msp_id: String,
        /// The address that its votes bear.
        address: String,
    },
    /// A validator is removed.
    ValidatorRemoved {
        /// Its organisation.
        msp_id: String,
        /// The address that its votes bear.
        address: String,
    },
    /// A validator is reached elsewhere, has another position, or another certificate for its key.
    ValidatorChanged {
        /// Its organisation.
        msp_id: String,
        /// The address that its votes bear.
        address: String,
    },
    /// A value or policy of the channel.
    Value {
        /// Its key, as in the readable file.
        key: &'static str,
        /// What it was.
        before: String,
        /// What it will be.
        after: String,
    },
    /// Which policies guard which elements.
    Guards,
}

/// What is different in `new`.
pub(super) fn between(old: &ChannelConfig, new: &ChannelConfig) -> Vec<Difference> {
    let mut all = organisations(old, new);
    all.extend(validators(old, new));
    all.extend(values(old, new));
    if old.mod_policies != new.mod_policies {
        all.push(Difference::Guards);
    }
    all
}

fn organisations(old: &ChannelConfig, new: &ChannelConfig) -> Vec<Difference> {
    let mut all = Vec::new();
    for org in &old.orgs {
        let msp_id = org.msp_id.clone();
        match new.org(&msp_id) {
            None => all.push(Difference::OrganisationRemoved { msp_id }),
            Some(next) => {
                let keys = changed_keys(org, next);
                if !keys.is_empty() {
                    all.push(Difference::OrganisationChanged { msp_id, keys });
                }
            }
        }
    }
    let added = new.orgs.iter().filter(|org| old.org(&org.msp_id).is_none());
    all.extend(added.map(|org| Difference::OrganisationAdded {
        msp_id: org.msp_id.clone(),
        name: org.name.clone(),
    }));
    all
}

fn changed_keys(old: &Organisation, new: &Organisation) -> Vec<&'static str> {
    let digests = |org: &Organisation| -> [Vec<_>; 5] {
        [
            org.roots.iter().map(|c| c.sm3()).collect(),
            org.intermediates.iter().map(|c| c.sm3()).collect(),
            org.admins.iter().map(|c| c.sm3()).collect(),
            org.tls_roots.iter().map(|c| c.sm3()).collect(),
            org.tls_intermediates.iter().map(|c| c.sm3()).collect(),
        ]
    };
    let lists = |org: &Organisation| -> Vec<String> {
        org.revocation_lists.iter().map(smkit_pki::RevocationList::to_pem).collect()
    };
    let names = ["roots", "intermediates", "admins", "tls_roots", "tls_intermediates"];
    let certificates = digests(old).into_iter().zip(digests(new)).map(|(a, b)| a != b);
    let mut keys: Vec<_> =
        names.into_iter().zip(certificates).filter(|(_, differ)| *differ).map(|(n, _)| n).collect();
    for (name, differ) in [
        ("name", old.name != new.name),
        ("rule", old.rule != new.rule),
        ("revoked", old.revoked != new.revoked),
        ("revocation_lists", lists(old) != lists(new)),
        ("anchor_peers", old.anchor_peers != new.anchor_peers),
        ("policies", old.policies != new.policies),
    ] {
        if differ {
            keys.push(name);
        }
    }
    keys
}

fn validators(old: &ChannelConfig, new: &ChannelConfig) -> Vec<Difference> {
    let by_address = |config: &ChannelConfig| -> BTreeMap<String, ValidatorConfig> {
        config.validators.iter().map(|v| (v.address().to_string(), v.clone())).collect()
    };
    let (before, after) = (by_address(old), by_address(new));
    let mut all = Vec::new();
    for (address, validator) in &before {
        let (msp_id, address) = (validator.msp_id.clone(), address.clone());
        match after.get(&address) {
            None => all.push(Difference::ValidatorRemoved { msp_id, address }),
            Some(next) if next != validator => {
                all.push(Difference::ValidatorChanged { msp_id, address });
            }
            Some(_) => {}
        }
    }
    for (address, validator) in after.iter().filter(|(address, _)| !before.contains_key(*address)) {
        let (msp_id, address) = (validator.msp_id.clone(), address.clone());
        all.push(Difference::ValidatorAdded { msp_id, address });
    }
    all
}

fn values(old: &ChannelConfig, new: &ChannelConfig) -> Vec<Difference> {
    let table = |c: &ChannelConfig| {
        let (p, b) = (&c.policies, &c.batch);
        [
            ("policies.readers", p.readers.to_string()),
            ("policies.writers", p.writers.to_string()),
            ("policies.endorsement", p.endorsement.to_string()),
            ("policies.lifecycle_endorsement", p.lifecycle_endorsement.to_string()),
            ("policies.admins", p.admins.to_string()),
            ("policies.orderer_admins", p.orderer_admins.to_string()),
            ("policies.channel_admins", p.channel_admins.to_string()),
            ("batch.max_message_count", b.max_message_count.to_string()),
            ("batch.absolute_max_bytes", b.absolute_max_bytes.to_string()),
            ("batch.preferred_max_bytes", b.preferred_max_bytes.to_string()),
            ("batch.timeout_ms", b.timeout_ms.to_string()),
            ("options.fabric_tx_id", c.options.fabric_tx_id.to_string()),
        ]
    };
    let pairs = table(old).into_iter().zip(table(new));
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((key, before), (_, after))| Difference::Value { key, before, after })
        .collect()
}
