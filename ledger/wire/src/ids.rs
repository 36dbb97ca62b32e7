//! Identifiers: block numbers, transaction ids, validator addresses, channel ids.

use std::{fmt, str::FromStr};

use smkit::{Sm3Digest, sm2::PublicKey, sm3, sm3_parts};
use thiserror::Error;

use crate::limits::CHANNEL_ID_BYTES_MAX;

/// Number of a block; the genesis block is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockNumber(pub u64);

impl BlockNumber {
    /// The following number, `None` at the end of the range.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for BlockNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Transaction id (交易标识): SM3 over nonce and creator, shown as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxId(Sm3Digest);

impl TxId {
    /// An id from its digest.
    #[must_use]
    pub const fn new(digest: Sm3Digest) -> Self {
        Self(digest)
    }

    /// The only id that a transaction with this nonce and creator may have.
    ///
    /// `creator` is the serialized `msp.SerializedIdentity`. As in Fabric, nonce and creator are
    /// joined without a separator: whoever signs chooses both, so an ambiguity harms only them.
    #[must_use]
    pub fn derive(nonce: &[u8], creator: &[u8]) -> Self {
        Self(sm3_parts(&[nonce, creator]))
    }

    /// The digest behind the id.
    #[must_use]
    pub const fn digest(&self) -> &Sm3Digest {
        &self.0
    }

    /// The id's 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl fmt::Display for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TxId({})", self.0)
    }
}

impl FromStr for TxId {
    type Err = InvalidTxId;

    /// Accepts exactly 64 lower-case hex digits: an id has one spelling.
    fn from_str(text: &str) -> Result<Self, InvalidTxId> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(InvalidTxId);
        }
        text.parse().map(Self).map_err(|_| InvalidTxId)
    }
}

/// A text that is no transaction id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a transaction id is 64 lower-case hex digits")]
pub struct InvalidTxId;

/// Address of a validator: SM3 over its 65-byte SEC1 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidatorAddress(Sm3Digest);

impl ValidatorAddress {
    /// An address as it was received; [`ValidatorAddress::for_key`] derives one.
    #[must_use]
    pub const fn new(digest: Sm3Digest) -> Self {
        Self(digest)
    }

    /// The address of the validator that signs with `key`.
    #[must_use]
    pub fn for_key(key: &PublicKey) -> Self {
        Self(sm3(&key.to_sec1()))
    }

    /// The digest behind the address.
    #[must_use]
    pub const fn digest(&self) -> &Sm3Digest {
        &self.0
    }

    /// The address' 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl fmt::Display for ValidatorAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for ValidatorAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValidatorAddress({})", self.0)
    }
}

/// Whether `text` may name a channel: `[a-z][a-z0-9.-]*`, at most 249 bytes (Fabric's rule).
#[must_use]
pub fn is_channel_id(text: &str) -> bool {
    text.len() <= CHANNEL_ID_BYTES_MAX
        && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
}
