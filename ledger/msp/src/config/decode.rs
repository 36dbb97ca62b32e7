//! From a configuration transaction back to a [`ChannelConfig`].

use std::collections::BTreeMap;

use changbai_wire::{
    limits::ENVELOPE_BYTES_MAX,
    proto::{common, msp, orderer, protos},
};
use prost::Message;
use smkit::Sm3Digest;
use smkit_pki::{Certificate, RevocationList, TrustAnchors};

use super::{
    BatchConfig, ChannelConfig, ChannelOptions, ChannelPolicies, ConfigError, ValidatorConfig,
    bounded,
    encode::{
        ADMINS, ANCHOR_PEERS, APPLICATION, BATCH_SIZE, BATCH_TIMEOUT, CAPABILITIES,
        CAPABILITY_FABRIC, CAPABILITY_FABRIC_TX_ID, CAPABILITY_FORMAT, ENDORSEMENT,
        LIFECYCLE_ENDORSEMENT, MSP, ORDERER, ORDERERS, READERS, WRITERS,
    },
    path,
};
use crate::{
    Endpoint, GroupPolicy, IdentityRule, OrgPolicies, Organisation, Policy, PolicyError,
    PolicyName,
    limits::{
        ADMINS_MAX, ANCHOR_PEERS_MAX, AUTHORITIES_MAX, ORGANISATIONS_MAX,
        REVOCATION_LIST_BYTES_MAX, REVOCATION_LISTS_MAX, REVOKED_MAX, RULE_ENTRIES_MAX,
        VALIDATORS_MAX,
    },
};

impl ChannelConfig {
    /// Reads a serialized `common.Envelope` of type CONFIG: the transaction of block 0, or a later one
    /// with the update that made it.
    ///
    /// Only what we write is accepted, byte for byte: a configuration cannot hold anything that this
    /// code does not understand. This says nothing about who agreed to it: block 0 is trusted by its
    /// hash, a later one by [`validate_config`](crate::validate_config).
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_envelope(envelope: &[u8]) -> Result<Self, ConfigError> {
        let (config, last_update) = Self::open(envelope)?;
        let again = match last_update {
            None => config.to_genesis_envelope(),
            Some(_) if config.sequence == 0 => return Err(ConfigError::NotCanonical),
            Some(update) => config.to_config_envelope(&update.encode_to_vec())?,
        };
        if again == envelope { Ok(config) } else { Err(ConfigError::NotCanonical) }
    }

    /// Takes an envelope apart; what it holds beside the configuration is the caller's to judge.
    pub(crate) fn open(envelope: &[u8]) -> Result<(Self, Option<common::Envelope>), ConfigError> {
        if envelope.len() > ENVELOPE_BYTES_MAX {
            return Err(ConfigError::Malformed("too large"));
        }
        let opened: common::Envelope = decode("envelope", envelope)?;
        let payload: common::Payload = decode("payload", &opened.payload)?;
        let header = payload.header.ok_or(ConfigError::Malformed("no header"))?;
        let channel: common::ChannelHeader = decode("channel header", &header.channel_header)?;
        if channel.r#type != i32::from(common::HeaderType::Config) {
            return Err(ConfigError::Malformed("another type of transaction"));
        }
        let message: common::ConfigEnvelope = decode("configuration", &payload.data)?;
        let config = message.config.ok_or(ConfigError::Malformed("empty configuration"))?;
        let root = config.channel_group.ok_or(ConfigError::Malformed("no channel group"))?;
        let config = Self::from_group(channel.channel_id, config.sequence, root)?;
        Ok((config, message.last_update))
    }

    /// Reads a tree: everything in it is understood, and nothing is missing.
    pub(crate) fn from_group(
        channel_id: String,
        sequence: u64,
        root: common::ConfigGroup,
    ) -> Result<Self, ConfigError> {
        if !path::check_shape(&root) {
            return Err(ConfigError::Malformed("too many elements, too deep, or impossible names"));
        }
        let options = options(&root)?;
        let (application, order) = (subgroup(&root, APPLICATION)?, subgroup(&root, ORDERER)?);
        let mut config = Self {
            channel_id,
            sequence,
            orgs: organisations(application)?,
            validators: validators(value(&root, ORDERERS)?)?,
            policies: ChannelPolicies {
                endorsement: policy(application, ENDORSEMENT)?,
                lifecycle_endorsement: policy(application, LIFECYCLE_ENDORSEMENT)?,
                writers: policy(application, WRITERS)?,
                readers: policy(application, READERS)?,
                admins: policy(application, ADMINS)?,
                orderer_admins: policy(order, ADMINS)?,
                channel_admins: policy(&root, ADMINS)?,
            },
            batch: batch(order)?,
            options,
            mod_policies: BTreeMap::new(),
            versions: BTreeMap::new(),
        };
        let mut read = root;
        path::visit(&mut read, &mut |path, version, mod_policy| {
            if *version != 0 {
                config.versions.insert(path.clone(), *version);
            }
            if mod_policy != ADMINS {
                config.mod_policies.insert(path.clone(), mod_policy.clone());
            }
        });
        config.check()?;
        if config.to_group() == read { Ok(config) } else { Err(ConfigError::NotCanonical) }
    }
}

fn options(root: &common::ConfigGroup) -> Result<ChannelOptions, ConfigError> {
    let found: common::Capabilities = decode("capabilities", value(root, CAPABILITIES)?)?;
    let mut missing = vec![CAPABILITY_FABRIC, CAPABILITY_FORMAT];
    let mut options = ChannelOptions::default();
    for name in found.capabilities.into_keys() {
        let known = missing.len();
        missing.retain(|wanted| *wanted != name);
        match name.as_str() {
            CAPABILITY_FABRIC_TX_ID => options.fabric_tx_id = true,
            _ if missing.len() < known => {}
            _ => return Err(ConfigError::Capability { name }),
        }
    }
    match missing.first() {
        None => Ok(options),
        Some(name) => Err(ConfigError::Capability { name: (*name).to_owned() }),
    }
}

fn organisations(application: &common::ConfigGroup) -> Result<Vec<Organisation>, ConfigError> {
    bounded("organisations", application.groups.len(), 1, ORGANISATIONS_MAX)?;
    application.groups.values().map(organisation).collect()
}

fn organisation(group: &common::ConfigGroup) -> Result<Organisation, ConfigError> {
    let outer: msp::MspConfig = decode("MSP configuration", value(group, MSP)?)?;
    let inner: msp::FabricMspConfig = decode("MSP configuration", &outer.config)?;
    let anchor_peers = match group.values.get(ANCHOR_PEERS) {
        None => Vec::new(),
        Some(value) => anchor_peers(&value.value)?,
    };
    bounded("revocation lists", inner.revocation_list.len(), 0, REVOCATION_LISTS_MAX)?;
    let lists = inner.revocation_list.iter().map(|der| {
        Some(der)
            .filter(|der| der.len() <= REVOCATION_LIST_BYTES_MAX)
            .and_then(|der| RevocationList::from_der(der).ok())
            .ok_or(ConfigError::Malformed("revocation list"))
    });
    Ok(Organisation {
        name: inner.display_name,
        roots: anchors(&inner.root_certs)?,
        intermediates: certificates(&inner.intermediate_certs, AUTHORITIES_MAX)?,
        rule: inner.identity_rule.map(rule).transpose()?,
        admins: certificates(&inner.admins, ADMINS_MAX)?,
        revoked: digests(&inner.revoked, REVOKED_MAX)?,
        revocation_lists: lists.collect::<Result<_, _>>()?,
        tls_roots: anchors(&inner.tls_root_certs)?,
        tls_intermediates: certificates(&inner.tls_intermediate_certs, AUTHORITIES_MAX)?,
        anchor_peers,
        policies: org_policies(group)?,
        msp_id: inner.name,
    })
}

fn org_policies(group: &common::ConfigGroup) -> Result<OrgPolicies, ConfigError> {
    let named = |name: PolicyName| match policy(group, name.name())? {
        GroupPolicy::Signature(policy) => Ok::<Policy, ConfigError>(policy),
        GroupPolicy::Meta(_) => {
            Err(PolicyError::Message("an organisation has no groups to ask").into())
        }
    };
    Ok(OrgPolicies {
        admins: named(PolicyName::Admins)?,
        endorsement: named(PolicyName::Endorsement)?,
        lifecycle_endorsement: named(PolicyName::LifecycleEndorsement)?,
        readers: named(PolicyName::Readers)?,
        writers: named(PolicyName::Writers)?,
    })
}

fn rule(message: msp::IdentityRule) -> Result<IdentityRule, ConfigError> {
    let units = message.organizational_units;
    bounded("units of an identity rule", units.len(), 0, RULE_ENTRIES_MAX)?;
    Ok(IdentityRule {
        issuers: digests(&message.issuers, RULE_ENTRIES_MAX)?,
        organisation: message.organization,
        units,
        further_units: message.further_units,
    })
}

fn anchor_peers(value: &[u8]) -> Result<Vec<Endpoint>, ConfigError> {
    let message: protos::AnchorPeers = decode("anchor peers", value)?;
    bounded("anchor peers", message.anchor_peers.len(), 1, ANCHOR_PEERS_MAX)?;
    let endpoint = |peer: &protos::AnchorPeer| {
        let port = u32::try_from(peer.port).unwrap_or_default();
        endpoint(&peer.host, port)?.ok_or(ConfigError::Malformed("endpoint"))
    };
    message.anchor_peers.iter().map(endpoint).collect()
}

fn validators(orderers: &[u8]) -> Result<Vec<ValidatorConfig>, ConfigError> {
    let orderers: common::Orderers = decode("consenters", orderers)?;
    bounded("validators", orderers.consenter_mapping.len(), 1, VALIDATORS_MAX)?;
    let validator = |(index, consenter): (u32, &common::Consenter)| {
        Ok(ValidatorConfig {
            msp_id: consenter.msp_id.clone(),
            certificate: certificate(&consenter.identity)?,
            index,
            consensus: endpoint(&consenter.host, consenter.port)?,
            peer: endpoint(&consenter.peer_host, consenter.peer_port)?,
        })
    };
    (0u32..).zip(&orderers.consenter_mapping).map(validator).collect()
}

/// `None` for neither host nor port.
fn endpoint(host: &str, port: u32) -> Result<Option<Endpoint>, ConfigError> {
    if host.is_empty() && port == 0 {
        return Ok(None);
    }
    let port = u16::try_from(port).unwrap_or_default();
    Endpoint::new(host, port).map(Some).map_err(|_| ConfigError::Malformed("endpoint"))
}

fn batch(order: &common::ConfigGroup) -> Result<BatchConfig, ConfigError> {
    let size: orderer::BatchSize = decode("batch size", value(order, BATCH_SIZE)?)?;
    let timeout: orderer::BatchTimeout = decode("batch timeout", value(order, BATCH_TIMEOUT)?)?;
    Ok(BatchConfig {
        max_message_count: size.max_message_count,
        absolute_max_bytes: size.absolute_max_bytes,
        preferred_max_bytes: size.preferred_max_bytes,
        timeout_ms: timeout
            .timeout
            .strip_suffix("ms")
            .and_then(|millis| millis.parse().ok())
            .ok_or(ConfigError::Malformed("batch timeout"))?,
    })
}

fn policy(group: &common::ConfigGroup, name: &str) -> Result<GroupPolicy, ConfigError> {
    let policy = group
        .policies
        .get(name)
        .and_then(|policy| policy.policy.as_ref())
        .ok_or(ConfigError::Malformed("a policy is missing"))?;
    Ok(GroupPolicy::from_proto(policy)?)
}

fn anchors(pems: &[Vec<u8>]) -> Result<TrustAnchors, ConfigError> {
    certificates(pems, AUTHORITIES_MAX).map(TrustAnchors::from_certificates)
}

fn certificates(pems: &[Vec<u8>], max: usize) -> Result<Vec<Certificate>, ConfigError> {
    bounded("certificates of one kind", pems.len(), 0, max)?;
    pems.iter().map(|pem| certificate(pem)).collect()
}

fn certificate(pem: &[u8]) -> Result<Certificate, ConfigError> {
    let text = str::from_utf8(pem).map_err(|_| ConfigError::Malformed("certificate text"))?;
    Ok(Certificate::from_pem(text)?)
}

fn digests(list: &[Vec<u8>], max: usize) -> Result<Vec<Sm3Digest>, ConfigError> {
    bounded("digests of one kind", list.len(), 0, max)?;
    let digest = |bytes: &Vec<u8>| Sm3Digest::from_slice(bytes);
    list.iter().map(digest).collect::<Result<_, _>>().map_err(|_| ConfigError::Malformed("digest"))
}

fn subgroup<'a>(
    group: &'a common::ConfigGroup,
    name: &str,
) -> Result<&'a common::ConfigGroup, ConfigError> {
    group.groups.get(name).ok_or(ConfigError::Malformed("a group is missing"))
}

fn value<'a>(group: &'a common::ConfigGroup, name: &str) -> Result<&'a [u8], ConfigError> {
    let value = group.values.get(name).ok_or(ConfigError::Malformed("a value is missing"))?;
    Ok(&value.value)
}

fn decode<M: Message + Default>(what: &'static str, bytes: &[u8]) -> Result<M, ConfigError> {
    M::decode(bytes).map_err(|_| ConfigError::Malformed(what))
}
