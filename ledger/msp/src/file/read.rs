//! From the file's keys to a configuration; each error names its key.

use std::str::FromStr;

use smkit::Sm3Digest;
use smkit_pki::{Certificate, RevocationList, TrustAnchors};

use super::{
    FileError, Files, KeyError,
    schema::{
        ChannelFile, OrgPoliciesFile, OrganisationFile, PoliciesFile, RuleFile, ValidatorFile,
    },
};
use crate::{
    ChannelConfig, ChannelPolicies, GroupPolicy, IdentityRule, ItemPath, OrgPolicies, Organisation,
    Policy, ValidatorConfig,
    limits::{ORGANISATIONS_MAX, VALIDATORS_MAX},
};

/// The configuration that the file describes, not yet checked as a whole.
pub(super) fn channel(file: ChannelFile, files: Files<'_>) -> Result<ChannelConfig, FileError> {
    if file.format != ChannelConfig::FORMAT_VERSION {
        return Err(wrong("format", KeyError::Text("this version reads format 1")));
    }
    // Before certificates are read: a list in a file is as long as somebody likes.
    if file.organisation.len() > ORGANISATIONS_MAX {
        return Err(wrong("organisation", KeyError::Text("too many organisations")));
    }
    if file.validator.len() > VALIDATORS_MAX {
        return Err(wrong("validator", KeyError::Text("too many validators")));
    }
    let organisation = |org| organisation(org, files);
    let validator = |(index, validator)| self::validator(index, validator, files);
    let mod_policies = file.mod_policies.into_iter().map(|(item, policy)| {
        let path = item.parse::<ItemPath>();
        let path = path.map_err(|e| wrong(&format!("mod_policies.{item:?}"), e.into()))?;
        Ok((path, policy))
    });
    Ok(ChannelConfig {
        channel_id: file.channel,
        sequence: file.sequence,
        orgs: file.organisation.into_iter().map(organisation).collect::<Result<_, _>>()?,
        validators: (0..).zip(file.validator).map(validator).collect::<Result<_, _>>()?,
        policies: policies(&file.policies)?,
        batch: file.batch.into(),
        options: file.options.into(),
        mod_policies: mod_policies.collect::<Result<_, FileError>>()?,
        versions: Default::default(),
    })
}

fn policies(file: &PoliciesFile) -> Result<ChannelPolicies, FileError> {
    let usual = ChannelPolicies::default();
    let one = |name: &str, text: &Option<String>, usual: GroupPolicy| match text {
        None => Ok(usual),
        Some(text) => {
            GroupPolicy::parse(text).map_err(|e| wrong(&format!("policies.{name}"), e.into()))
        }
    };
    Ok(ChannelPolicies {
        readers: one("readers", &file.readers, usual.readers)?,
        writers: one("writers", &file.writers, usual.writers)?,
        endorsement: one("endorsement", &file.endorsement, usual.endorsement)?,
        lifecycle_endorsement: one(
            "lifecycle_endorsement",
            &file.lifecycle_endorsement,
            usual.lifecycle_endorsement,
        )?,
        admins: one("admins", &file.admins, usual.admins)?,
        orderer_admins: one("orderer_admins", &file.orderer_admins, usual.orderer_admins)?,
        channel_admins: one("channel_admins", &file.channel_admins, usual.channel_admins)?,
    })
}

fn organisation(file: OrganisationFile, files: Files<'_>) -> Result<Organisation, FileError> {
    let at = format!("organisation.{}", file.msp_id);
    let key = |name: &str| format!("{at}.{name}");
    if file.own_authority == file.rule.is_some() {
        return Err(wrong(
            &at,
            KeyError::Text(
                "a root alone admits nobody: give a rule, or own_authority = true, not both",
            ),
        ));
    }
    let certificates =
        |name: &str, entries: &[String]| all_certificates(&key(name), entries, files);
    let revoked = file.revoked.iter().map(|text| {
        digest(text).ok_or_else(|| {
            wrong(&key("revoked"), KeyError::Text("not an SM3 in lower-case hexadecimal"))
        })
    });
    let lists = file.revocation_lists.iter().map(|entry| {
        revocation_list(entry, files).map_err(|cause| wrong(&key("revocation_lists"), cause))
    });
    let peers = file.anchor_peers.iter().map(|text| parsed(&key("anchor_peers"), text));
    Ok(Organisation {
        roots: TrustAnchors::from_certificates(certificates("roots", &file.roots)?),
        intermediates: certificates("intermediates", &file.intermediates)?,
        rule: file.rule.map(|file| rule(&key("rule"), file, files)).transpose()?,
        admins: certificates("admins", &file.admins)?,
        revoked: revoked.collect::<Result<_, _>>()?,
        revocation_lists: lists.collect::<Result<_, _>>()?,
        tls_roots: TrustAnchors::from_certificates(certificates("tls_roots", &file.tls_roots)?),
        tls_intermediates: certificates("tls_intermediates", &file.tls_intermediates)?,
        anchor_peers: peers.collect::<Result<_, _>>()?,
        policies: org_policies(&key("policies"), &file.msp_id, &file.policies)?,
        msp_id: file.msp_id,
        name: file.name,
    })
}

fn org_policies(key: &str, msp_id: &str, file: &OrgPoliciesFile) -> Result<OrgPolicies, FileError> {
    let usual = OrgPolicies::of(msp_id);
    let one = |name: &str, text: &Option<String>, usual: Policy| match text {
        None => Ok(usual),
        Some(text) => Policy::parse(text).map_err(|e| wrong(&format!("{key}.{name}"), e.into())),
    };
    Ok(OrgPolicies {
        admins: one("admins", &file.admins, usual.admins)?,
        endorsement: one("endorsement", &file.endorsement, usual.endorsement)?,
        lifecycle_endorsement: one(
            "lifecycle_endorsement",
            &file.lifecycle_endorsement,
            usual.lifecycle_endorsement,
        )?,
        readers: one("readers", &file.readers, usual.readers)?,
        writers: one("writers", &file.writers, usual.writers)?,
    })
}

fn rule(key: &str, file: RuleFile, files: Files<'_>) -> Result<IdentityRule, FileError> {
    let mut issuers = Vec::with_capacity(file.issuers.len());
    for entry in &file.issuers {
        match digest(entry) {
            Some(digest) => issuers.push(digest),
            None => {
                let one = std::slice::from_ref(entry);
                let found = all_certificates(&format!("{key}.issuers"), one, files)?;
                issuers.extend(found.iter().map(Certificate::sm3));
            }
        }
    }
    let RuleFile { organisation, units, further_units, .. } = file;
    Ok(IdentityRule { issuers, organisation, units, further_units })
}

fn validator(
    index: u32,
    file: ValidatorFile,
    files: Files<'_>,
) -> Result<ValidatorConfig, FileError> {
    let key = |name: &str| format!("validator[{index}].{name}");
    let found = all_certificates(&key("certificate"), &[file.certificate], files)?;
    let [certificate] = <[Certificate; 1]>::try_from(found)
        .map_err(|_| wrong(&key("certificate"), KeyError::Text("not exactly one certificate")))?;
    let endpoint =
        |name: &str, text: Option<String>| text.map(|text| parsed(&key(name), &text)).transpose();
    Ok(ValidatorConfig {
        msp_id: file.msp_id,
        certificate,
        index,
        consensus: endpoint("consensus", file.consensus)?,
        peer: endpoint("peer", file.peer)?,
    })
}

/// The certificates of a list whose entries are PEM texts or paths of files with some.
fn all_certificates(
    key: &str,
    entries: &[String],
    files: Files<'_>,
) -> Result<Vec<Certificate>, FileError> {
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        let found = content(entry, files).and_then(|(origin, text)| {
            let text = String::from_utf8(text).unwrap_or_default();
            Certificate::pem_many(&text).map_err(|cause| KeyError::Certificate { origin, cause })
        });
        all.extend(found.map_err(|cause| wrong(key, cause))?);
    }
    Ok(all)
}

fn revocation_list(entry: &str, files: Files<'_>) -> Result<RevocationList, KeyError> {
    let (origin, bytes) = content(entry, files)?;
    let list = match str::from_utf8(&bytes) {
        Ok(text) if text.starts_with(PEM_BEGIN) => RevocationList::from_pem(text.trim_end()),
        _ => RevocationList::from_der(&bytes),
    };
    list.map_err(|cause| KeyError::RevocationList { origin, cause })
}

/// The bytes that an entry stands for, and where they come from.
fn content(entry: &str, files: Files<'_>) -> Result<(String, Vec<u8>), KeyError> {
    if entry.trim_start().starts_with(PEM_BEGIN) {
        return Ok(("inline".to_owned(), entry.trim_start().as_bytes().to_vec()));
    }
    let path = entry.to_owned();
    if !is_below(entry) {
        return Err(KeyError::Path { path });
    }
    let read = files(entry).map_err(|cause| KeyError::File { path: path.clone(), cause })?;
    Ok((path, read))
}

/// Whether a path stays below the folder of the file: a configuration from elsewhere must not make
/// anybody read their own disk.
fn is_below(path: &str) -> bool {
    !path.is_empty()
        && !path.contains(['\\', ':'])
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn parsed<T: FromStr>(key: &str, text: &str) -> Result<T, FileError>
where
    KeyError: From<T::Err>,
{
    text.parse().map_err(|e: T::Err| wrong(key, e.into()))
}

fn digest(text: &str) -> Option<Sm3Digest> {
    let lower = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    text.parse().ok().filter(|_| text.bytes().all(lower))
}

fn wrong(key: &str, cause: KeyError) -> FileError {
    FileError::Key { key: key.to_owned(), cause }
}

const PEM_BEGIN: &str = "-----BEGIN ";
