//! Leaves of the transaction log.

use smkit::Sm3Digest;
use thiserror::Error;

use crate::{UnknownCode, ValidationCode};

/// One entry of the transaction log: which envelope stood where, and what became of it.
///
/// [`TransactionLeaf::to_bytes`] is the data of the RFC 6962 leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionLeaf {
    /// Number of the block that holds the transaction.
    pub block_number: u64,
    /// Position of the transaction within the block, from 0.
    pub index: u32,
    /// What validation said.
    pub code: ValidationCode,
    /// [`envelope_digest`](crate::envelope_digest) of the envelope.
    pub envelope: Sm3Digest,
}

impl TransactionLeaf {
    /// Length of the encoding in bytes.
    pub const BYTES: usize = 46;
    const VERSION: u8 = 1;

    /// Version byte 1, u64 block number, u32 index, u8 code, 32-byte envelope digest; big-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let fields: [&[u8]; 5] = [
            &[Self::VERSION],
            &self.block_number.to_be_bytes(),
            &self.index.to_be_bytes(),
            &[self.code.value()],
            self.envelope.as_bytes(),
        ];
        for (slot, byte) in bytes.iter_mut().zip(fields.iter().copied().flatten()) {
            *slot = *byte;
        }
        bytes
    }

    /// Reads [`TransactionLeaf::to_bytes`] back.
    ///
    /// # Errors
    /// [`InvalidLeaf`] for another version or an unknown validation code.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Result<Self, InvalidLeaf> {
        let [version, rest @ ..] = bytes;
        if *version != Self::VERSION {
            return Err(InvalidLeaf::Version(*version));
        }
        let (block_number, rest) = rest.split_first_chunk::<8>().ok_or(InvalidLeaf::Length)?;
        let (index, rest) = rest.split_first_chunk::<4>().ok_or(InvalidLeaf::Length)?;
        let (code, envelope) = rest.split_first().ok_or(InvalidLeaf::Length)?;
        Ok(Self {
            block_number: u64::from_be_bytes(*block_number),
            index: u32::from_be_bytes(*index),
            code: ValidationCode::try_from(*code)?,
            envelope: Sm3Digest::from_slice(envelope).map_err(|_| InvalidLeaf::Length)?,
        })
    }
}

/// Why bytes are not a transaction leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidLeaf {
    /// The first byte names a version that this code does not know.
    #[error("transaction leaf version {0} is not supported")]
    Version(u8),
    /// Not the length of a leaf.
    #[error("a transaction leaf has 46 bytes")]
    Length,
    /// The validation code does not exist.
    #[error(transparent)]
    Code(#[from] UnknownCode),
}
