//! The block header in its strict, typed form.

use smkit::{Sm3, Sm3Digest};
use thiserror::Error;

use crate::{domain, hash::u32_be, is_channel_id, proto::common};

/// Header of a block (区块头): Fabric's three fields and ours.
///
/// Its [`hash`](Header::hash) is what consensus votes on and what the next block's `previous_hash`
/// holds. A validator certificate over it vouches for everything below `log_root`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Number of the block; 0 is the genesis block.
    pub number: u64,
    /// Hash of the previous header; 32 zero bytes in block 0 and only there.
    pub previous_hash: Sm3Digest,
    /// [`data_hash`](crate::data_hash) of the block's envelopes.
    pub data_hash: Sm3Digest,
    /// The channel the block belongs to.
    pub channel_id: String,
    /// The proposer's clock, Unix time in milliseconds.
    pub time_ms: u64,
    /// Upper bound of that clock's error in microseconds; 0 = not measured.
    pub time_bound_us: u32,
    /// Number of leaves in the transaction log through the previous block.
    pub log_size: u64,
    /// RFC 6962 root of the transaction log at `log_size`.
    pub log_root: Sm3Digest,
    /// [`validators_hash`](crate::validators_hash) of the set that decides this block.
    pub validators_hash: Sm3Digest,
    /// Sequence of the channel configuration in force.
    pub config_number: u64,
}

impl Header {
    /// The version of the canonical encoding that [`Header::hash`] uses.
    pub const FORMAT_VERSION: u32 = 1;

    /// SM3 over the canonical encoding: domain, u32 format version, u32 length and channel id, u64
    /// number, previous hash, data hash, u64 time, u32 bound, u64 log size, log root, validators
    /// hash, u64 configuration number; integers big-endian.
    #[must_use]
    pub fn hash(&self) -> Sm3Digest {
        let mut hash = Sm3::new();
        hash.update(domain::HEADER);
        hash.update(&Self::FORMAT_VERSION.to_be_bytes());
        hash.update(&u32_be(self.channel_id.len()));
        hash.update(self.channel_id.as_bytes());
        hash.update(&self.number.to_be_bytes());
        hash.update(self.previous_hash.as_bytes());
        hash.update(self.data_hash.as_bytes());
        hash.update(&self.time_ms.to_be_bytes());
        hash.update(&self.time_bound_us.to_be_bytes());
        hash.update(&self.log_size.to_be_bytes());
        hash.update(self.log_root.as_bytes());
        hash.update(self.validators_hash.as_bytes());
        hash.update(&self.config_number.to_be_bytes());
        hash.finalize()
    }

    /// The protobuf form. As in Fabric, an all-zero previous hash is written as an empty field.
    #[must_use]
    pub fn to_proto(&self) -> common::BlockHeader {
        let previous = self.previous_hash.as_bytes();
        common::BlockHeader {
            number: self.number,
            previous_hash: if *previous == ZERO { Vec::new() } else { previous.to_vec() },
            data_hash: self.data_hash.as_bytes().to_vec(),
            format_version: Self::FORMAT_VERSION,
            channel_id: self.channel_id.clone(),
            time_ms: self.time_ms,
            time_bound_us: self.time_bound_us,
            log_size: self.log_size,
            log_root: self.log_root.as_bytes().to_vec(),
            validators_hash: self.validators_hash.as_bytes().to_vec(),
            config_number: self.config_number,
        }
    }
}

impl TryFrom<&common::BlockHeader> for Header {
    type Error = HeaderError;

    fn try_from(header: &common::BlockHeader) -> Result<Self, HeaderError> {
        if header.format_version != Self::FORMAT_VERSION {
            return Err(HeaderError::FormatVersion { found: header.format_version });
        }
        if !is_channel_id(&header.channel_id) {
            return Err(HeaderError::ChannelId);
        }
        let previous_hash = match (header.number, header.previous_hash.as_slice()) {
            (0, []) => Sm3Digest::new(ZERO),
            (0, _) | (_, []) => return Err(HeaderError::PreviousHash { number: header.number }),
            (_, bytes) => digest("previous_hash", bytes)?,
        };
        if header.number > 0 && *previous_hash.as_bytes() == ZERO {
            return Err(HeaderError::PreviousHash { number: header.number });
        }
        Ok(Self {
            number: header.number,
            previous_hash,
            data_hash: digest("data_hash", &header.data_hash)?,
            channel_id: header.channel_id.clone(),
            time_ms: header.time_ms,
            time_bound_us: header.time_bound_us,
            log_size: header.log_size,
            log_root: digest("log_root", &header.log_root)?,
            validators_hash: digest("validators_hash", &header.validators_hash)?,
            config_number: header.config_number,
        })
    }
}

fn digest(field: &'static str, bytes: &[u8]) -> Result<Sm3Digest, HeaderError> {
    Sm3Digest::from_slice(bytes)
        .map_err(|_| HeaderError::DigestLength { field, length: bytes.len() })
}

const ZERO: [u8; 32] = [0; 32];

/// Why a protobuf block header is not a header of ours.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Written by a version of the format that this code does not know.
    #[error("block header format version {found} is not supported")]
    FormatVersion {
        /// The version in the header.
        found: u32,
    },
    /// The channel id breaks Fabric's naming rule.
    #[error("block header has an invalid channel id")]
    ChannelId,
    /// Present in block 0, or absent (or all zero) in a later block.
    #[error("block {number} must {}have a previous hash", if *number == 0 { "not " } else { "" })]
    PreviousHash {
        /// The block's number.
        number: u64,
    },
    /// A digest field is not 32 bytes long.
    #[error("block header field {field} has {length} bytes, not 32")]
    DigestLength {
        /// The field's name.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
    },
}
