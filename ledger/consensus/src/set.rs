//! The validator set of a height.

use std::{collections::BTreeSet, fmt, sync::Arc};

use changbai_wire::ValidatorAddress;
use smkit::sm2::VerifyingKey;

use crate::{context::proposer_index, limits::VALIDATORS_MAX};

/// A validator (共识节点): its address and the key its votes are verified with.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    /// SM3 over the 65-byte public key of `key`.
    pub address: ValidatorAddress,
    /// Key and signer id that votes and proposals are verified with.
    pub key: VerifyingKey,
}

impl Member {
    /// The member that signs with the private half of `key`.
    #[must_use]
    pub fn new(key: VerifyingKey) -> Self {
        Self { address: ValidatorAddress::for_key(key.public_key()), key }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({})", self.address)
    }
}

/// The validators of a height in consenter order, one vote each; cheap to clone.
///
/// Never empty, never longer than [`VALIDATORS_MAX`], every address derived from its key and
/// present once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorSet(Arc<Vec<Member>>);

impl ValidatorSet {
    /// The set of `members`, in consenter order.
    ///
    /// # Errors
    /// See [`SetError`].
    pub fn new(members: Vec<Member>) -> Result<Self, SetError> {
        if members.is_empty() {
            return Err(SetError::Empty);
        }
        if members.len() > VALIDATORS_MAX {
            return Err(SetError::TooMany { count: members.len() });
        }
        let mut seen = BTreeSet::new();
        for member in &members {
            if member.address != ValidatorAddress::for_key(member.key.public_key()) {
                return Err(SetError::ForeignAddress { address: member.address });
            }
            if !seen.insert(member.address) {
                return Err(SetError::Duplicate { address: member.address });
            }
        }
        Ok(Self(Arc::new(members)))
    }

    /// The members in consenter order.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.0
    }

    /// How many members there are; at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The member with this address.
    #[must_use]
    pub fn member(&self, address: &ValidatorAddress) -> Option<&Member> {
        self.0.iter().find(|member| member.address == *address)
    }

    /// Position of this address in consenter order.
    #[must_use]
    pub fn position(&self, address: &ValidatorAddress) -> Option<usize> {
        self.0.iter().position(|member| member.address == *address)
    }

    /// Who proposes in this round: round robin over height plus round.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a set is never empty, and the index is modulo its size"
    )]
    pub fn proposer(&self, height: u64, round: u32) -> &Member {
        self.0
            .get(proposer_index(self.0.len(), height, round))
            .expect("invariant: the index is below the size of a non-empty set")
    }
}

/// Why members do not make a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// There is no member.
    #[error("a validator set has at least one member")]
    Empty,
    /// There are more than [`VALIDATORS_MAX`] members.
    #[error("{count} validators are more than {VALIDATORS_MAX}")]
    TooMany {
        /// Members given.
        count: usize,
    },
    /// An address is not the one derived from its key.
    #[error("address {address} is not derived from its key")]
    ForeignAddress {
        /// The address given.
        address: ValidatorAddress,
    },
    /// A member is given twice.
    #[error("validator {address} appears twice")]
    Duplicate {
        /// The repeated address.
        address: ValidatorAddress,
    },
}
