//! The keys of the file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BatchConfig, ChannelOptions};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChannelFile {
    pub(super) format: u32,
    pub(super) channel: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) sequence: u64,
    #[serde(default)]
    pub(super) batch: BatchFile,
    #[serde(default)]
    pub(super) options: OptionsFile,
    #[serde(default)]
    pub(super) policies: PoliciesFile,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) mod_policies: BTreeMap<String, String>,
    pub(super) organisation: Vec<OrganisationFile>,
    pub(super) validator: Vec<ValidatorFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BatchFile {
    pub(super) max_message_count: u32,
    pub(super) absolute_max_bytes: u32,
    pub(super) preferred_max_bytes: u32,
    pub(super) timeout_ms: u32,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OptionsFile {
    pub(super) fabric_tx_id: bool,
}

/// `None`: as usual.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PoliciesFile {
    pub(super) readers: Option<String>,
    pub(super) writers: Option<String>,
    pub(super) endorsement: Option<String>,
    pub(super) lifecycle_endorsement: Option<String>,
    pub(super) admins: Option<String>,
    pub(super) orderer_admins: Option<String>,
    pub(super) channel_admins: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganisationFile {
    pub(super) msp_id: String,
    pub(super) name: String,
    /// Said outright, or there is a `rule`: trusting a root alone admits nobody.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) own_authority: bool,
    pub(super) roots: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) intermediates: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) admins: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) revoked: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) revocation_lists: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tls_roots: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tls_intermediates: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) anchor_peers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rule: Option<RuleFile>,
    #[serde(default, skip_serializing_if = "OrgPoliciesFile::is_empty")]
    pub(super) policies: OrgPoliciesFile,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFile {
    /// Certificates as elsewhere, or their SM3 in hexadecimal.
    pub(super) issuers: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) organisation: String,
    #[serde(default)]
    pub(super) units: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) further_units: bool,
}

/// `None`: as usual.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OrgPoliciesFile {
    pub(super) readers: Option<String>,
    pub(super) writers: Option<String>,
    pub(super) endorsement: Option<String>,
    pub(super) lifecycle_endorsement: Option<String>,
    pub(super) admins: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValidatorFile {
    pub(super) msp_id: String,
    pub(super) certificate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consensus: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peer: Option<String>,
}

impl OrgPoliciesFile {
    fn is_empty(&self) -> bool {
        let all = [
            &self.readers,
            &self.writers,
            &self.endorsement,
            &self.lifecycle_endorsement,
            &self.admins,
        ];
        all.into_iter().all(Option::is_none)
    }
}

impl Default for BatchFile {
    fn default() -> Self {
        BatchConfig::default().into()
    }
}

impl From<BatchConfig> for BatchFile {
    fn from(batch: BatchConfig) -> Self {
        let BatchConfig { max_message_count, absolute_max_bytes, preferred_max_bytes, timeout_ms } =
            batch;
        Self { max_message_count, absolute_max_bytes, preferred_max_bytes, timeout_ms }
    }
}

impl From<BatchFile> for BatchConfig {
    fn from(batch: BatchFile) -> Self {
        let BatchFile { max_message_count, absolute_max_bytes, preferred_max_bytes, timeout_ms } =
            batch;
        Self { max_message_count, absolute_max_bytes, preferred_max_bytes, timeout_ms }
    }
}

impl From<ChannelOptions> for OptionsFile {
    fn from(ChannelOptions { fabric_tx_id }: ChannelOptions) -> Self {
        Self { fabric_tx_id }
    }
}

impl From<OptionsFile> for ChannelOptions {
    fn from(OptionsFile { fabric_tx_id }: OptionsFile) -> Self {
        Self { fabric_tx_id }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
