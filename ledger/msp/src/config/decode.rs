//! From a configuration transaction back to a [`ChannelConfig`].

use changbai_wire::{
    limits::ENVELOPE_BYTES_MAX,
    proto::{common, msp, orderer},
};
use prost::Message;
use smkit_pki::{Certificate, TrustAnchors};

use super::{
    BatchConfig, ChannelConfig, ConfigError, ValidatorConfig,
    encode::{
        APPLICATION, BATCH_SIZE, BATCH_TIMEOUT, ENDORSEMENT, MSP, ORDERER, ORDERERS, READERS,
        WRITERS,
    },
};
use crate::{
    Organisation, Policy,
    limits::{AUTHORITIES_MAX, ORGANISATIONS_MAX, VALIDATORS_MAX},
};

impl ChannelConfig {
    /// Reads a serialized `common.Envelope` of type CONFIG.
    ///
    /// Only what [`ChannelConfig::to_genesis_envelope`] writes is accepted, byte for byte: a
    /// configuration cannot hold anything that this code does not understand.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_envelope(envelope: &[u8]) -> Result<Self, ConfigError> {
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
        let config: common::ConfigEnvelope = decode("configuration", &payload.data)?;
        let config = config.config.ok_or(ConfigError::Malformed("empty configuration"))?;
        let root = config.channel_group.ok_or(ConfigError::Malformed("no channel group"))?;
        let (application, order) = (subgroup(&root, APPLICATION)?, subgroup(&root, ORDERER)?);
        let config = Self {
            channel_id: channel.channel_id,
            sequence: config.sequence,
            orgs: organisations(application)?,
            validators: validators(value(&root, ORDERERS)?)?,
            endorsement: policy(application, ENDORSEMENT)?,
            writers: policy(application, WRITERS)?,
            readers: policy(application, READERS)?,
            batch: batch(order)?,
        };
        config.check()?;
        if config.to_genesis_envelope() != envelope {
            return Err(ConfigError::NotCanonical);
        }
        Ok(config)
    }
}

fn organisations(application: &common::ConfigGroup) -> Result<Vec<Organisation>, ConfigError> {
    super::bounded("organisations", application.groups.len(), 1, ORGANISATIONS_MAX)?;
    application.groups.iter().map(|(name, group)| organisation(name, group)).collect()
}

fn organisation(name: &str, group: &common::ConfigGroup) -> Result<Organisation, ConfigError> {
    let outer: msp::MspConfig = decode("MSP configuration", value(group, MSP)?)?;
    let inner: msp::FabricMspConfig = decode("MSP configuration", &outer.config)?;
    Ok(Organisation {
        msp_id: inner.name,
        name: name.to_owned(),
        roots: TrustAnchors::from_certificates(certificates(&inner.root_certs)?),
        intermediates: certificates(&inner.intermediate_certs)?,
    })
}

fn validators(orderers: &[u8]) -> Result<Vec<ValidatorConfig>, ConfigError> {
    let orderers: common::Orderers = decode("consenters", orderers)?;
    super::bounded("validators", orderers.consenter_mapping.len(), 1, VALIDATORS_MAX)?;
    let validator = |(index, consenter): (u32, &common::Consenter)| {
        Ok(ValidatorConfig {
            msp_id: consenter.msp_id.clone(),
            certificate: certificate(&consenter.identity)?,
            index,
        })
    };
    (0u32..).zip(&orderers.consenter_mapping).map(validator).collect()
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

fn policy(group: &common::ConfigGroup, name: &str) -> Result<Policy, ConfigError> {
    let policy = group
        .policies
        .get(name)
        .and_then(|policy| policy.policy.as_ref())
        .ok_or(ConfigError::Malformed("a policy is missing"))?;
    if policy.r#type != i32::from(common::policy::PolicyType::Signature) {
        return Err(ConfigError::Malformed("a policy is not a signature policy"));
    }
    Ok(Policy::from_proto(&decode("policy", &policy.value)?)?)
}

fn certificates(pems: &[Vec<u8>]) -> Result<Vec<Certificate>, ConfigError> {
    super::bounded("authorities of an organisation", pems.len(), 0, AUTHORITIES_MAX)?;
    pems.iter().map(|pem| certificate(pem)).collect()
}

fn certificate(pem: &[u8]) -> Result<Certificate, ConfigError> {
    let text = str::from_utf8(pem).map_err(|_| ConfigError::Malformed("certificate text"))?;
    Ok(Certificate::from_pem(text)?)
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
