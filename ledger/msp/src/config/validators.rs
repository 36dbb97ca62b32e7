//! Validators of a channel, and how far a set may change in one step.

use std::collections::BTreeSet;

use changbai_wire::ValidatorAddress;
use smkit_pki::Certificate;
use thiserror::Error;

use super::{ChannelConfig, ConfigError};
use crate::{Endpoint, IdentityError, Role};

/// One validator of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValidatorConfig {
    /// Its organisation.
    pub msp_id: String,
    /// Its certificate, of role [`Role::Orderer`].
    pub certificate: Certificate,
    /// Its position among the validators, from 0.
    pub index: u32,
    /// Where the other validators reach it; `None` only where there are none, or they are told by
    /// other means.
    pub consensus: Option<Endpoint>,
    /// Where peers and followers reach it for blocks.
    pub peer: Option<Endpoint>,
}

impl ValidatorConfig {
    /// A validator without endpoints.
    #[must_use]
    pub fn new(msp_id: &str, certificate: Certificate, index: u32) -> Self {
        Self { msp_id: msp_id.to_owned(), certificate, index, consensus: None, peer: None }
    }

    /// The address that its votes bear.
    #[must_use]
    pub fn address(&self) -> ValidatorAddress {
        ValidatorAddress::for_key(self.certificate.public_key())
    }
}

impl ChannelConfig {
    /// Verifies that a validator's organisation vouches for it at that moment, as a validator.
    pub(crate) fn verify_validator(
        &self,
        validator: &ValidatorConfig,
        at_unix_s: i64,
    ) -> Result<(), ConfigError> {
        let org = self
            .org(&validator.msp_id)
            .ok_or_else(|| ConfigError::UnknownMsp { msp_id: validator.msp_id.clone() })?;
        let refuse = |reason| ConfigError::ValidatorIdentity { index: validator.index, reason };
        let admitted = org.admit(&validator.certificate, &[], at_unix_s).map_err(refuse)?;
        if admitted.roles.contains(Role::Orderer) {
            Ok(())
        } else {
            Err(refuse(IdentityError::NoRole))
        }
    }

    /// Whether the validators may become those of `next` in one step.
    ///
    /// # The argument
    /// Of `n` validators, quorums have `n − f` members with `f = ⌊(n − 1) / 3⌋`.
    ///
    /// *Agreement* does not depend on how far two sets overlap: each height is decided by exactly one
    /// set, and the block that changes it is decided, and its header signed, by the old one. Nobody
    /// who follows the headers can be led to another set without the old quorum.
    ///
    /// *Progress* does. The newcomers may not have caught up, may be misconfigured, or may not exist;
    /// the new set decides the next height all the same. With at most `f` of the larger set changed,
    /// at most `f` of the new set are newcomers: the members that stay are a quorum of the new set by
    /// themselves, and were there to decide the change. So a step that goes wrong can be taken back.
    ///
    /// A validator that is added or removed counts one; one that is replaced by another of the same
    /// organisation at the same position (a new key) counts one; any other replacement is a removal
    /// and an addition. Sets below four tolerate no fault anyway (`f` = 0) and could neither grow nor
    /// renew a certificate under that bound: they may change one validator a step. A set that tolerates
    /// a fault (four and more) is never made one that does not.
    ///
    /// # Errors
    /// [`ValidatorChange`].
    pub fn check_validator_change(&self, next: &Self) -> Result<(), ValidatorChange> {
        let (before, after) = (self.validators.len(), next.validators.len());
        let least = if before >= TOLERANT { TOLERANT } else { 1 };
        if after < least {
            return Err(ValidatorChange::TooFew { left: after, least });
        }
        let most = (before.max(after).saturating_sub(1) / 3).max(1);
        let changed = changed(&self.validators, &next.validators);
        if changed > most {
            return Err(ValidatorChange::TooMany { changed, most });
        }
        Ok(())
    }

    /// The validators that `before` does not have.
    pub(crate) fn newcomers<'a>(&'a self, before: &Self) -> Vec<&'a ValidatorConfig> {
        let known: BTreeSet<_> = before.validators.iter().map(ValidatorConfig::address).collect();
        self.validators.iter().filter(|validator| !known.contains(&validator.address())).collect()
    }
}

/// How many validators differ: removed and added, a new key in place of an old one counted once.
fn changed(before: &[ValidatorConfig], after: &[ValidatorConfig]) -> usize {
    let old: BTreeSet<_> = before.iter().map(ValidatorConfig::address).collect();
    let new: BTreeSet<_> = after.iter().map(ValidatorConfig::address).collect();
    let renewed = before
        .iter()
        .zip(after)
        .filter(|(a, b)| {
            a.msp_id == b.msp_id && !new.contains(&a.address()) && !old.contains(&b.address())
        })
        .count();
    old.symmetric_difference(&new).count().saturating_sub(renewed)
}

/// The fewest validators that tolerate a faulty one.
const TOLERANT: usize = 4;

/// Why a set of validators may not become another one in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValidatorChange {
    /// Fewer than must be left.
    #[error("{left} validators would be left: at least {least} must")]
    TooFew {
        /// How many would be left.
        left: usize,
        /// How many must.
        least: usize,
    },
    /// More than one step may change.
    #[error("{changed} validators change: at most {most} may in one step")]
    TooMany {
        /// How many change.
        changed: usize,
        /// How many may.
        most: usize,
    },
}
