//! A configuration as Fabric's tree, deterministically.

use std::collections::BTreeMap;

use changbai_wire::{
    proto::{
        common::{self, implicit_meta_policy::Rule, policy::PolicyType},
        msp, orderer,
    },
    seal,
};
use prost::Message;

use super::ChannelConfig;
use crate::{Organisation, Policy, Role};

impl ChannelConfig {
    /// The serialized `common.Envelope` of type CONFIG: the one transaction of block 0.
    ///
    /// The bytes follow from the configuration alone: there is no time, nonce or signature in them,
    /// since nobody could yet verify one. Call [`ChannelConfig::check`] first for a configuration
    /// built by hand: [`ChannelConfig::from_envelope`] refuses what it refuses.
    #[must_use]
    pub fn to_genesis_envelope(&self) -> Vec<u8> {
        let config = common::ConfigEnvelope {
            config: Some(common::Config {
                sequence: self.sequence,
                channel_group: Some(self.channel_group()),
            }),
            last_update: None,
        };
        let channel_header = common::ChannelHeader {
            r#type: common::HeaderType::Config.into(),
            channel_id: self.channel_id.clone(),
            ..common::ChannelHeader::default()
        };
        let header = common::Header {
            channel_header: channel_header.encode_to_vec(),
            signature_header: Vec::new(),
        };
        let payload = common::Payload { header: Some(header), data: config.encode_to_vec() };
        seal(payload.encode_to_vec(), Vec::new())
    }

    fn channel_group(&self) -> common::ConfigGroup {
        let consenters = self.validators.iter().map(|validator| common::Consenter {
            // Fabric's consenter ids start at 1.
            id: validator.index.saturating_add(1),
            msp_id: validator.msp_id.clone(),
            identity: validator.certificate.to_pem().into_bytes(),
            ..common::Consenter::default()
        });
        group(
            [(APPLICATION, self.application_group()), (ORDERER, self.orderer_group())],
            [
                ("HashingAlgorithm", encode(&common::HashingAlgorithm { name: "SM3".into() })),
                (
                    "BlockDataHashingStructure",
                    encode(&common::BlockDataHashingStructure { width: u32::MAX }),
                ),
                ("Capabilities", capabilities("V3_0")),
                (ORDERERS, encode(&common::Orderers { consenter_mapping: consenters.collect() })),
            ],
            [
                ("Readers", implicit("Readers", Rule::Any)),
                ("Writers", implicit("Writers", Rule::Any)),
                ("Admins", implicit("Admins", Rule::Majority)),
            ],
        )
    }

    fn application_group(&self) -> common::ConfigGroup {
        let orgs = self.orgs.iter().map(|org| (org.name.as_str(), org_group(org)));
        group(
            orgs,
            [("Capabilities", capabilities("V2_5"))],
            [
                (READERS, signature(&self.readers)),
                (WRITERS, signature(&self.writers)),
                ("Admins", implicit("Admins", Rule::Majority)),
                (ENDORSEMENT, signature(&self.endorsement)),
                ("LifecycleEndorsement", implicit("Endorsement", Rule::Majority)),
            ],
        )
    }

    fn orderer_group(&self) -> common::ConfigGroup {
        let orders = |org: &&Organisation| self.validators.iter().any(|v| v.msp_id == org.msp_id);
        let orgs = self.orgs.iter().filter(orders).map(|org| (org.name.as_str(), org_group(org)));
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
                ("Capabilities", capabilities("V2_0")),
            ],
            [
                ("Readers", implicit("Readers", Rule::Any)),
                ("Writers", implicit("Writers", Rule::Any)),
                ("Admins", implicit("Admins", Rule::Majority)),
                ("BlockValidation", implicit("Writers", Rule::Any)),
            ],
        )
    }
}

fn org_group(org: &Organisation) -> common::ConfigGroup {
    let signed_by = |role| signature(&Policy::SignedBy { msp_id: org.msp_id.clone(), role });
    group(
        [],
        [(MSP, encode(&msp::MspConfig { r#type: 0, config: encode(&fabric_msp(org)) }))],
        [
            ("Readers", signed_by(Role::Member)),
            ("Writers", signed_by(Role::Member)),
            ("Admins", signed_by(Role::Admin)),
            ("Endorsement", signed_by(Role::Peer)),
        ],
    )
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
        crypto_config: Some(msp::FabricCryptoConfig {
            signature_hash_family: "SM3".to_owned(),
            identity_identifier_hash_function: "SM3".to_owned(),
        }),
        fabric_node_ous: Some(msp::FabricNodeOUs {
            enable: true,
            client_ou_identifier: unit(Role::Client),
            peer_ou_identifier: unit(Role::Peer),
            admin_ou_identifier: unit(Role::Admin),
            orderer_ou_identifier: unit(Role::Orderer),
        }),
        ..msp::FabricMspConfig::default()
    }
}

fn group<'a>(
    groups: impl IntoIterator<Item = (&'a str, common::ConfigGroup)>,
    values: impl IntoIterator<Item = (&'static str, Vec<u8>)>,
    policies: impl IntoIterator<Item = (&'static str, common::Policy)>,
) -> common::ConfigGroup {
    let mod_policy = || "Admins".to_owned();
    let groups: BTreeMap<_, _> =
        groups.into_iter().map(|(name, group)| (name.to_owned(), group)).collect();
    let values = values.into_iter().map(|(name, value)| {
        (name.to_owned(), common::ConfigValue { version: 0, value, mod_policy: mod_policy() })
    });
    let policies = policies.into_iter().map(|(name, policy)| {
        let policy =
            common::ConfigPolicy { version: 0, policy: Some(policy), mod_policy: mod_policy() };
        (name.to_owned(), policy)
    });
    common::ConfigGroup {
        version: 0,
        groups,
        values: values.collect(),
        policies: policies.collect(),
        mod_policy: mod_policy(),
    }
}

fn capabilities(name: &str) -> Vec<u8> {
    let capabilities = BTreeMap::from([(name.to_owned(), common::Capability {})]);
    encode(&common::Capabilities { capabilities })
}

fn signature(policy: &Policy) -> common::Policy {
    common::Policy { r#type: PolicyType::Signature.into(), value: encode(&policy.to_proto()) }
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
pub(super) const MSP: &str = "MSP";
pub(super) const READERS: &str = "Readers";
pub(super) const WRITERS: &str = "Writers";
pub(super) const ENDORSEMENT: &str = "Endorsement";
