//! From one configuration to the next.

use std::sync::Arc;

use changbai_wire::{limits::SIGNATURE_BYTES_MAX, proto::common};
use prost::Message;
use smkit::sm2::{Signature, Unverified, verify_many};

use super::{
    ConfigUpdateError, delta,
    envelope::{Opened, open_config},
    tree,
};
use crate::{AccessError, ChannelConfig, Identity, Membership, limits::UPDATE_SIGNATURES_MAX};

/// The configuration that an update makes of `current`.
///
/// `envelope` is a serialized `common.Envelope` of type `CONFIG_UPDATE`; `at_unix_s` is the time in the
/// header of the block that holds it, so that every node, and every later verifier, comes to the
/// same answer. Pure: nothing else is read.
///
/// The result has the next sequence and is valid as [`ChannelConfig::check`] has it. Existing
/// validators are not verified again, or a channel whose certificate expired could not replace it;
/// new ones are.
///
/// # Errors
/// [`ConfigUpdateError`], each with a stable code.
pub fn apply(
    current: &ChannelConfig,
    envelope: &[u8],
    at_unix_s: i64,
) -> Result<ChannelConfig, ConfigUpdateError> {
    let opened = Opened::read(envelope)?;
    let update = tree::decode_update(&opened.update)?;
    let named = [&opened.channel.channel_id, &update.channel_id];
    if let Some(found) = named.into_iter().find(|id| **id != current.channel_id) {
        return Err(ConfigUpdateError::Channel { found: found.clone() });
    }
    let membership = current.membership();
    let signers = signers(current, &membership, &opened, at_unix_s)?;
    let signers: Vec<&Identity> = signers.iter().map(AsRef::as_ref).collect();

    let root = current.to_group();
    let in_force = tree::items(&root);
    let (read, write) = tree::sets(&update)?;
    delta::check_read(&read, &in_force)?;
    let changes = delta::delta(&read, &write);
    delta::check_versions(&changes, &in_force)?;
    delta::check_policies(&changes, &in_force, &root, &signers)?;
    let tree = delta::result(&changes, &write, &in_force)?;

    let sequence = current.sequence.saturating_add(1);
    let next = ChannelConfig::from_group(current.channel_id.clone(), sequence, tree)?;
    current.check_validator_change(&next)?;
    for validator in next.newcomers(current) {
        next.verify_validator(validator, at_unix_s).map_err(ConfigUpdateError::Newcomer)?;
    }
    // It must fit into the transaction that carries it.
    next.to_config_envelope(envelope)?;
    Ok(next)
}

/// The configuration that a transaction of type CONFIG puts in force after `current`: the one that the
/// update in it makes, and nothing else.
///
/// This is what validates a configuration block, and what a verifier follows from the genesis block
/// on. `at_unix_s` as in [`apply`].
///
/// # Errors
/// [`ConfigUpdateError`].
pub fn validate_config(
    current: &ChannelConfig,
    envelope: &[u8],
    at_unix_s: i64,
) -> Result<ChannelConfig, ConfigUpdateError> {
    let (claimed, update) = open_config(envelope)?;
    let expected = current.sequence.saturating_add(1);
    if claimed.sequence != expected {
        return Err(ConfigUpdateError::Sequence { found: claimed.sequence, expected });
    }
    let next = apply(current, &update, at_unix_s)?;
    if next.to_config_envelope(&update)? == envelope {
        Ok(next)
    } else {
        Err(ConfigUpdateError::Mismatch)
    }
}

/// Everybody who signed the update; the sender's and all their signatures hold.
fn signers(
    current: &ChannelConfig,
    membership: &Membership,
    opened: &Opened,
    at_unix_s: i64,
) -> Result<Vec<Arc<Identity>>, ConfigUpdateError> {
    let found = opened.signatures.len();
    if found > UPDATE_SIGNATURES_MAX {
        return Err(ConfigUpdateError::TooManySignatures { found });
    }
    let writers = current.policy("/Channel/Writers").ok_or(AccessError::Policy)?;
    let sender = membership.authorise(&opened.sender, at_unix_s, &writers)?;
    let sent = signature(&opened.envelope.signature).ok_or(ConfigUpdateError::SenderSignature)?;

    let signatures = opened.signatures.iter().map(|s| (&*s.signature_header, &*s.signature));
    let claims = claims(membership, &opened.update, signatures, at_unix_s)?;
    let first = Unverified {
        key: sender.verifying_key(),
        message: &opened.envelope.payload,
        signature: &sent,
    };
    let others = claims.iter().map(Claimed::unverified);
    let batch: Vec<Unverified<'_>> = std::iter::once(first).chain(others).collect();
    match verify_many(&batch).iter().position(Result::is_err) {
        None => Ok(claims.into_iter().map(|claim| claim.signer).collect()),
        Some(0) => Err(ConfigUpdateError::SenderSignature),
        Some(place) => Err(ConfigUpdateError::Signature { index: place.saturating_sub(1) }),
    }
}

/// One signature on an update, attributed and not verified yet.
pub(super) struct Claimed {
    pub(super) signer: Arc<Identity>,
    message: Vec<u8>,
    signature: Signature,
}

impl Claimed {
    pub(super) fn unverified(&self) -> Unverified<'_> {
        Unverified {
            key: self.signer.verifying_key(),
            message: &self.message,
            signature: &self.signature,
        }
    }
}

/// Who is said to have signed an update; each signature is given as header and DER.
pub(super) fn claims<'a>(
    membership: &Membership,
    update: &[u8],
    signatures: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    at_unix_s: i64,
) -> Result<Vec<Claimed>, ConfigUpdateError> {
    signatures
        .enumerate()
        .map(|(index, (signature_header, der))| {
            let header = common::SignatureHeader::decode(signature_header)
                .map_err(|_| ConfigUpdateError::Malformed("signature header"))?;
            let signer = membership
                .identify(&header.creator, at_unix_s)
                .map_err(|reason| ConfigUpdateError::Signer { index, reason })?;
            let signature = signature(der).ok_or(ConfigUpdateError::Signature { index })?;
            Ok(Claimed { signer, message: [signature_header, update].concat(), signature })
        })
        .collect()
}

fn signature(der: &[u8]) -> Option<Signature> {
    Some(der)
        .filter(|der| der.len() <= SIGNATURE_BYTES_MAX)
        .and_then(|der| Signature::from_der(der).ok())
}
