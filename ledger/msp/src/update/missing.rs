//! Whose consent an update still lacks.

use std::collections::BTreeMap;

use smkit::sm2::{Unverified, verify_many};

use super::{ConfigSignature, ConfigUpdate, ConfigUpdateError, apply::claims, delta, tree};
use crate::{ChannelConfig, Identity, ItemPath, Principal, limits::UPDATE_SIGNATURES_MAX};

/// A policy that guards part of an update and is not satisfied yet, for whoever collects signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingConsent {
    /// The policy's path, such as `/Channel/Application/Admins`.
    pub policy: String,
    /// The elements that change under it.
    pub changes: Vec<ItemPath>,
    /// At least so many more must sign.
    pub more: usize,
    /// Those who can: so many of these, one signature each. Nobody, if the policy cannot be satisfied.
    pub of: Vec<Principal>,
}

impl ConfigUpdate {
    /// Whose consent the update lacks to follow `current` at that moment (Unix seconds); none: it may be
    /// sent. [`ConfigUpdate::changes`] says what it is about.
    ///
    /// # Errors
    /// [`ConfigUpdateError`], as [`apply`](crate::apply) would have it once all have signed: a signature
    /// that is wrong, or a configuration that has changed since.
    pub fn missing(
        &self,
        current: &ChannelConfig,
        signatures: &[ConfigSignature],
        at_unix_s: i64,
    ) -> Result<Vec<MissingConsent>, ConfigUpdateError> {
        let update = tree::decode_update(&self.bytes)?;
        if update.channel_id != current.channel_id {
            return Err(ConfigUpdateError::Channel { found: update.channel_id });
        }
        let signers = self.signed_by(current, signatures, at_unix_s)?;
        let signers: Vec<&Identity> = signers.iter().map(AsRef::as_ref).collect();
        let root = current.to_group();
        let in_force = tree::items(&root);
        let (read, write) = tree::sets(&update)?;
        delta::check_read(&read, &in_force)?;
        let changes = delta::delta(&read, &write);
        delta::check_versions(&changes, &in_force)?;

        let mut open: BTreeMap<String, MissingConsent> = BTreeMap::new();
        for path in changes.keys() {
            let Some(guarded) = in_force.get(*path) else { continue };
            let (policy, effective) = delta::guard(path, *guarded, &root)?;
            let Some((more, of)) = effective.missing(&signers) else { continue };
            let of = of.into_iter().collect();
            open.entry(policy.clone())
                .or_insert_with(|| MissingConsent { policy, changes: Vec::new(), more, of })
                .changes
                .push((*path).clone());
        }
        let tree = delta::result(&changes, &write, &in_force)?;
        let sequence = current.sequence.saturating_add(1);
        let next = ChannelConfig::from_group(current.channel_id.clone(), sequence, tree)?;
        current.check_validator_change(&next)?;
        Ok(open.into_values().collect())
    }

    /// Everybody who has signed; all signatures hold.
    fn signed_by(
        &self,
        current: &ChannelConfig,
        signatures: &[ConfigSignature],
        at_unix_s: i64,
    ) -> Result<Vec<std::sync::Arc<Identity>>, ConfigUpdateError> {
        let found = signatures.len();
        if found > UPDATE_SIGNATURES_MAX {
            return Err(ConfigUpdateError::TooManySignatures { found });
        }
        let signatures = signatures.iter().map(|s| (&*s.signature_header, &*s.signature));
        let claims = claims(&current.membership(), &self.bytes, signatures, at_unix_s)?;
        let batch: Vec<Unverified<'_>> = claims.iter().map(|claim| claim.unverified()).collect();
        match verify_many(&batch).iter().position(Result::is_err) {
            Some(index) => Err(ConfigUpdateError::Signature { index }),
            None => Ok(claims.into_iter().map(|claim| claim.signer).collect()),
        }
    }
}
