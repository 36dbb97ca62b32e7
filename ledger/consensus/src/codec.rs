//! Byte forms of peer messages, write-ahead records and certificates: version, tag, then
//! fixed-width big-endian fields. Strict: one value has exactly one encoding, every count is
//! bounded before anything is allocated, trailing bytes are refused.

mod message;
mod record;
#[cfg(test)]
mod tests;

pub(crate) use message::Message;
pub(crate) use record::{decode_record, encode_record};

use changbai_wire::ValidatorAddress;
use core_types::{NilOrVal, Round, VoteType};
use smkit::{Sm3Digest, sm2::Signature};

use crate::{
    context::{Address, BlockId, Sig},
    limits::{ROUND_MAX, VALIDATORS_MAX},
};

/// Version of every encoding of this crate.
const VERSION: u8 = 1;

/// Longer than any vote or proposal.
const STATEMENT_BYTES_MAX: usize = 512;

/// Why bytes are not a message, record or certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The bytes end inside a field.
    #[error("{missing} more bytes expected")]
    Truncated {
        /// Bytes missing from the field at the end.
        missing: usize,
    },
    /// Bytes follow the last field.
    #[error("{count} bytes follow the end")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// More bytes than any message has.
    #[error("{count} bytes are more than any message has")]
    TooLong {
        /// How many were given.
        count: usize,
    },
    /// A field holds a value without meaning.
    #[error("{field} cannot be {found}")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        found: u64,
    },
    /// A signature is not a pair of scalars in [1, n-1].
    #[error("a signature is out of range")]
    Signature,
    /// A nil round where a round is needed; the core never emits one.
    #[error("a round is missing")]
    NilRound,
}

/// Appends fields.
#[derive(Debug)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new(tag: u8) -> Self {
        Self(vec![VERSION, tag])
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn round(&mut self, round: Round) -> Result<(), CodecError> {
        let round = round.as_u32().ok_or(CodecError::NilRound)?;
        self.0.extend_from_slice(&round.to_be_bytes());
        Ok(())
    }

    /// A round that may be absent: flag, then four bytes, zero when absent.
    pub(crate) fn optional_round(&mut self, round: Round) {
        self.u8(u8::from(round.is_defined()));
        self.0.extend_from_slice(&round.as_u32().unwrap_or(0).to_be_bytes());
    }

    pub(crate) fn block(&mut self, block: &BlockId) {
        self.0.extend_from_slice(block.0.as_bytes());
    }

    /// A block that may be absent: flag, then 32 bytes, zero when absent.
    pub(crate) fn optional_block(&mut self, block: &NilOrVal<BlockId>) {
        match block {
            NilOrVal::Nil => self.0.extend_from_slice(&[0; 33]),
            NilOrVal::Val(block) => {
                self.u8(1);
                self.block(block);
            }
        }
    }

    pub(crate) fn kind(&mut self, kind: VoteType) {
        self.u8(match kind {
            VoteType::Prevote => 1,
            VoteType::Precommit => 2,
        });
    }

    pub(crate) fn address(&mut self, address: &Address) {
        self.0.extend_from_slice(address.0.as_bytes());
    }

    pub(crate) fn signature(&mut self, signature: &Sig) {
        self.0.extend_from_slice(&signature.0.to_bytes());
    }

    /// u16 length, then the bytes of a vote or proposal.
    pub(crate) fn blob(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        match u16::try_from(bytes.len()) {
            Ok(length) if bytes.len() <= STATEMENT_BYTES_MAX => {
                self.0.extend_from_slice(&length.to_be_bytes());
            }
            _ => return Err(CodecError::TooLong { count: bytes.len() }),
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    /// How many signatures follow.
    pub(crate) fn count(&mut self, count: usize) -> Result<(), CodecError> {
        let count = checked_count(count)?;
        self.0.extend_from_slice(&count.to_be_bytes());
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Takes fields off the front.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Opens an encoding and takes version and tag off.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<(u8, Self), CodecError> {
        let mut reader = Self(bytes);
        match reader.u8()? {
            VERSION => Ok((reader.u8()?, reader)),
            found => Err(CodecError::Value { field: "version", found: found.into() }),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let missing = N.saturating_sub(self.0.len());
        let (taken, rest) =
            self.0.split_first_chunk::<N>().ok_or(CodecError::Truncated { missing })?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, CodecError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, CodecError> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn flag(&mut self, field: &'static str) -> Result<bool, CodecError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            found => Err(CodecError::Value { field, found: found.into() }),
        }
    }

    pub(crate) fn round(&mut self) -> Result<Round, CodecError> {
        match self.array().map(u32::from_be_bytes)? {
            round if round <= ROUND_MAX => Ok(Round::new(round)),
            found => Err(CodecError::Value { field: "round", found: found.into() }),
        }
    }

    pub(crate) fn optional_round(&mut self) -> Result<Round, CodecError> {
        let present = self.flag("round presence")?;
        match (present, self.round()?) {
            (true, round) => Ok(round),
            (false, Round::Some(0)) => Ok(Round::Nil),
            (false, _) => Err(CodecError::Value { field: "round presence", found: 0 }),
        }
    }

    pub(crate) fn block(&mut self) -> Result<BlockId, CodecError> {
        self.array().map(|bytes| BlockId(Sm3Digest::new(bytes)))
    }

    pub(crate) fn optional_block(&mut self) -> Result<NilOrVal<BlockId>, CodecError> {
        let present = self.flag("block presence")?;
        let bytes = self.array::<32>()?;
        match present {
            true => Ok(NilOrVal::Val(BlockId(Sm3Digest::new(bytes)))),
            false if bytes == [0; 32] => Ok(NilOrVal::Nil),
            false => Err(CodecError::Value { field: "block presence", found: 0 }),
        }
    }

    pub(crate) fn kind(&mut self) -> Result<VoteType, CodecError> {
        match self.u8()? {
            1 => Ok(VoteType::Prevote),
            2 => Ok(VoteType::Precommit),
            found => Err(CodecError::Value { field: "vote kind", found: found.into() }),
        }
    }

    pub(crate) fn address(&mut self) -> Result<Address, CodecError> {
        self.array().map(|bytes| Address(ValidatorAddress::new(Sm3Digest::new(bytes))))
    }

    pub(crate) fn signature(&mut self) -> Result<Sig, CodecError> {
        Signature::from_bytes(self.array()?).map(Sig).map_err(|_| CodecError::Signature)
    }

    pub(crate) fn blob(&mut self) -> Result<Vec<u8>, CodecError> {
        let count = usize::from(self.array().map(u16::from_be_bytes)?);
        if count > STATEMENT_BYTES_MAX {
            return Err(CodecError::TooLong { count });
        }
        let missing = count.saturating_sub(self.0.len());
        let (taken, rest) =
            self.0.split_at_checked(count).ok_or(CodecError::Truncated { missing })?;
        self.0 = rest;
        Ok(taken.to_vec())
    }

    /// Reads a bounded count, then as many items.
    pub(crate) fn many<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, CodecError> {
        let count = checked_count(self.array().map(u16::from_be_bytes)?.into())?;
        (0..count).map(|_| item(self)).collect()
    }

    pub(crate) fn finish(self) -> Result<(), CodecError> {
        match self.0.len() {
            0 => Ok(()),
            count => Err(CodecError::Trailing { count }),
        }
    }
}

/// A certificate has at least one signature and at most one of each validator.
fn checked_count(count: usize) -> Result<u16, CodecError> {
    match u16::try_from(count) {
        Ok(short) if (1..=VALIDATORS_MAX).contains(&count) => Ok(short),
        _ => Err(CodecError::Value { field: "signature count", found: count as u64 }),
    }
}
