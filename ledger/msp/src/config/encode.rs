//! A configuration as Fabric's tree, deterministically.

use std::collections::BTreeMap;

use changbai_wire::{
    proto::{
        common::{self, implicit_meta_policy::Rule, policy::PolicyType},
        msp, orderer, protos,
    },
    seal,
};
use prost::Message;
use smkit_pki::RevocationList;

use super::{ChannelConfig, path};
use crate::{GroupPolicy, IdentityRule, Organisation, PolicyName, Role};

impl ChannelConfig {
    /// The serialized `common.Envelope` of type CONFIG: the one transaction of block 0.
    ///
    /// The bytes follow from the configuration alone: there is no time, nonce or signature in them,
    /// since nobody could yet verify one. Call [`ChannelConfig::check`] first for a configuration
    /// built by hand: [`ChannelConfig::from_envelope`] refuses what it refuses.
    #[must_use]
    pub fn to_genesis_envelope(&self) -> Vec<u8> {
        let channel_header = common::ChannelHeader {
            r#type: common::HeaderType::Config.into(),
            channel_id: self.channel_id.clone(),
            ..common::ChannelHeader::default()
        };
        let header = common::Header {
            channel_header: channel_header.encode_to_vec(),
            signature_header: Vec::new(),
        };
        self.envelope(header, None)
    }

    /// The envelope of this configuration under a header, with the update that made it.
    pub(crate) fn envelope(
        &self,
        header: common::Header,
        last_update: Option<common::Envelope>,
    ) -> Vec<u8> {
        let config =
            common::Config { sequence: self.sequence, channel_group: Some(self.to_group()) };
        let config = common::ConfigEnvelope { config: Some(config), last_update };
        let payload = common::Payload { header: Some(header), data: config.encode_to_vec() };
        seal(payload.encode_to_vec(), Vec::new())
    }

    /// The tree, with versions and guarding policies.
    pub(crate) fn to_group(&self) -> common::ConfigGroup {
        let mut root = self.channel_group();
        path::visit(&mut root, &mut |path, version, mod_policy| {
            *version = self.versions.get(path).copied().unwrap_or_default();
            *mod_policy = self.mod_policies.get(path).map_or(ADMINS, String::as_str).to_owned();
        });
        root
    }

    fn channel_group(&self) -> common::ConfigGroup {
        let consenters = self.validators.iter().map(|validator| {
            let (host, port) = endpoint(validator.consensus.as_ref());
            let (peer_host, peer_port) = endpoint(validator.peer.as_ref());
            common::Consenter {
                // Fabric's consenter ids start at 1.
                id: validator.index.saturating_add(1),
                host,
                port,
                msp_id: validator.msp_id.clone(),
                identity: validator.certificate.to_pem().into_bytes(),
                peer_host,
                peer_port,
                ..common::Consenter::default()
            }
        });
        let own = [(CAPABILITY_FORMAT, true), (CAPABILITY_FABRIC_TX_ID, self.options.fabric_tx_id)];
        let own = own.into_iter().filter_map(|(name, on)| on.then_some(name));
        group(
            [(APPLICATION, self.application_group()), (ORDERER, self.orderer_group())],
            [
                ("HashingAlgorithm", encode(&common::HashingAlgorithm { name: "SM3".into() })),
                (
                    "BlockDataHashingStructure",
                    encode(&common::BlockDataHashingStructure { width: u32::MAX }),
                ),
                (CAPABILITIES, capabilities(own.chain([CAPABILITY_FABRIC]))),
                (ORDERERS, encode(&common::Orderers { consenter_mapping: consenters.collect() })),
            ],
            [
                (READERS, implicit(READERS, Rule::Any)),
                (WRITERS, implicit(WRITERS, Rule::Any)),
                (ADMINS, self.policies.channel_admins.to_proto()),
            ],
        )
    }

    fn application_group(&self) -> common::ConfigGroup {
        let policies = &self.policies;
        let orgs = self.orgs.iter().map(|org| (org.msp_id.as_str(), application_org(org)));
        group(
            orgs,
            [(CAPABILITIES, capabilities(["V2_5"]))],
            [
                (READERS, policies.readers.to_proto()),
                (WRITERS, policies.writers.to_proto()),
                (ADMINS, policies.admins.to_proto()),
                (ENDORSEMENT, policies.endorsement.to_proto()),
                (LIFECYCLE_ENDORSEMENT, policies.lifecycle_endorsement.to_proto()),
            ],
        )
    }

    fn orderer_group(&self) -> common::ConfigGroup {
        let orders = |org: &&Organisation| self.validators.iter().any(|v| v.msp_id == org.msp_id);
        let orgs = self.orgs.iter().filter(orders).map(|org| (org.msp_id.as_str(), order_org(org)));
        let consensus = orderer::ConsensusType { r#type: "BFT".into(), ..Default::default() };
        let size = orderer::BatchSize {
            max_message_count: self.batch.max_message_count,
            absolute_max_bytes: self.batch.absolute_max_bytes,
            preferred_max_bytes: self.batch.preferred_max_bytes,
        };
        let timeout = orderer::BatchTimeout { timeout: format!("{}ms", self.batch.timeout_ms) };
        group(
            orgs,
            [
                ("ConsensusType", encode(&consensus)),
                (BATCH_SIZE, encode(&size)),
                (BATCH_TIMEOUT, encode(&timeout)),
                (CAPABILITIES, capabilities(["V2_0"])),
            ],
            [
                (READERS, implicit(READERS, Rule::Any)),
                (WRITERS, implicit(WRITERS, Rule::Any)),
                (ADMINS, self.policies.orderer_admins.to_proto()),
                ("BlockValidation", implicit(WRITERS, Rule::Any)),
            ],
        )
    }
}

fn application_org(org: &Organisation) -> common::ConfigGroup {
    let peers: Vec<_> = org
        .anchor_peers
        .iter()
        .map(|peer| protos::AnchorPeer { host: peer.host().to_owned(), port: peer.port().into() })
        .collect();
    let announced = !peers.is_empty();
    let peers =
        announced.then(|| (ANCHOR_PEERS, encode(&protos::AnchorPeers { anchor_peers: peers })));
    group([], [(MSP, msp_value(org))].into_iter().chain(peers), org_policies(org, &PolicyName::ALL))
}

fn order_org(org: &Organisation) -> common::ConfigGroup {
    let names = [PolicyName::Admins, PolicyName::Readers, PolicyName::Writers];
    group([], [(MSP, msp_value(org))], org_policies(org, &names))
}

fn org_policies(
    org: &Organisation,
    names: &[PolicyName],
) -> impl Iterator<Item = (&'static str, common::Policy)> {
    names.iter().map(|name| {
        (name.name(), GroupPolicy::Signature(org.policies.named(*name).clone()).to_proto())
    })
}

fn msp_value(org: &Organisation) -> Vec<u8> {
    encode(&msp::MspConfig { r#type: 0, config: encode(&fabric_msp(org)) })
}

fn fabric_msp(org: &Organisation) -> msp::FabricMspConfig {
    let pem = |certificate: &smkit_pki::Certificate| certificate.to_pem().into_bytes();
    let unit = |role: Role| {
        Some(msp::FabricOuIdentifier {
            certificate: Vec::new(),
            organizational_unit_identifier: role.name().to_owned(),
        })
    };
    msp::FabricMspConfig {
        name: org.msp_id.clone(),
        root_certs: org.roots.iter().map(pem).collect(),
        intermediate_certs: org.intermediates.iter().map(pem).collect(),
        admins: org.admins.iter().map(pem).collect(),
        revocation_list: org
            .revocation_lists
            .iter()
            .map(RevocationList::der)
            .map(<[u8]>::to_vec)
            .collect(),
        organizational_unit_identifiers: fabric_units(org),
        crypto_config: Some(msp::FabricCryptoConfig {
            signature_hash_family: "SM3".to_owned(),
            identity_identifier_hash_function: "SM3".to_owned(),
        }),
        tls_root_certs: org.tls_roots.iter().map(pem).collect(),
        tls_intermediate_certs: org.tls_intermediates.iter().map(pem).collect(),
        fabric_node_ous: Some(msp::FabricNodeOUs {
            enable: true,
            client_ou_identifier: unit(Role::Client),
            peer_ou_identifier: unit(Role::Peer),
            admin_ou_identifier: unit(Role::Admin),
            orderer_ou_identifier: unit(Role::Orderer),
        }),
        display_name: org.name.clone(),
        identity_rule: org.rule.as_ref().map(rule),
        revoked: org.revoked.iter().map(|sm3| sm3.as_bytes().to_vec()).collect(),
        ..msp::FabricMspConfig::default()
    }
}

/// The rule as far as Fabric can say it: any of these units, certified by that authority.
fn fabric_units(org: &Organisation) -> Vec<msp::FabricOuIdentifier> {
    let Some(rule) = &org.rule else { return Vec::new() };
    let pinned = org.authorities().filter(|authority| rule.issuers.contains(&authority.sm3()));
    pinned
        .flat_map(|authority| {
            rule.units.iter().map(|unit| msp::FabricOuIdentifier {
                certificate: authority.to_pem().into_bytes(),
                organizational_unit_identifier: unit.clone(),
            })
        })
        .collect()
}

fn rule(rule: &IdentityRule) -> msp::IdentityRule {
    msp::IdentityRule {
        issuers: rule.issuers.iter().map(|sm3| sm3.as_bytes().to_vec()).collect(),
        organization: rule.organisation.clone(),
        organizational_units: rule.units.clone(),
        further_units: rule.further_units,
    }
}

fn endpoint(endpoint: Option<&crate::Endpoint>) -> (String, u32) {
    endpoint.map_or_else(Default::default, |e| (e.host().to_owned(), e.port().into()))
}

/// Versions and guarding policies are set later, in one walk.
fn group<'a>(
    groups: impl IntoIterator<Item = (&'a str, common::ConfigGroup)>,
    values: impl IntoIterator<Item = (&'static str, Vec<u8>)>,
    policies: impl IntoIterator<Item = (&'static str, common::Policy)>,
) -> common::ConfigGroup {
    let values = values.into_iter().map(|(name, value)| {
        (name.to_owned(), common::ConfigValue { value, ..common::ConfigValue::default() })
    });
    let policies = policies.into_iter().map(|(name, policy)| {
        let policy =
            common::ConfigPolicy { policy: Some(policy), ..common::ConfigPolicy::default() };
        (name.to_owned(), policy)
    });
    common::ConfigGroup {
        groups: groups.into_iter().map(|(name, group)| (name.to_owned(), group)).collect(),
        values: values.collect(),
        policies: policies.collect(),
        ..common::ConfigGroup::default()
    }
}

fn capabilities<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let capabilities: BTreeMap<_, _> =
        names.into_iter().map(|name| (name.to_owned(), common::Capability {})).collect();
    encode(&common::Capabilities { capabilities })
}

fn implicit(sub_policy: &str, rule: Rule) -> common::Policy {
    let meta = common::ImplicitMetaPolicy { sub_policy: sub_policy.to_owned(), rule: rule.into() };
    common::Policy { r#type: PolicyType::ImplicitMeta.into(), value: encode(&meta) }
}

fn encode(message: &impl Message) -> Vec<u8> {
    message.encode_to_vec()
}

pub(super) const APPLICATION: &str = "Application";
pub(super) const ORDERER: &str = "Orderer";
pub(super) const ORDERERS: &str = "Orderers";
pub(super) const BATCH_SIZE: &str = "BatchSize";
pub(super) const BATCH_TIMEOUT: &str = "BatchTimeout";
pub(super) const CAPABILITIES: &str = "Capabilities";
pub(super) const ANCHOR_PEERS: &str = "AnchorPeers";
pub(super) const MSP: &str = "MSP";
pub(super) const ADMINS: &str = "Admins";
pub(super) const READERS: &str = "Readers";
pub(super) const WRITERS: &str = "Writers";
pub(super) const ENDORSEMENT: &str = "Endorsement";
pub(super) const LIFECYCLE_ENDORSEMENT: &str = "LifecycleEndorsement";
/// Fabric's channel capability that brings BFT ordering.
pub(super) const CAPABILITY_FABRIC: &str = "V3_0";
/// The version of our format.
pub(super) const CAPABILITY_FORMAT: &str = "CHANGBAI_V1";
/// [`ChannelOptions::fabric_tx_id`](super::ChannelOptions).
pub(super) const CAPABILITY_FABRIC_TX_ID: &str = "CHANGBAI_FABRIC_TX_ID";
