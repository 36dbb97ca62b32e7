//! Bytes of the messages.

use smkit::Sm3Digest;

use super::{
    BLOCK_BYTES_MAX, BLOCKS_BYTES_MAX, BLOCKS_MAX, CONSENSUS_BYTES_MAX, PEER_VERSION, PeerError,
    PeerMessage, PeerStatus, TRANSACTIONS_BYTES_MAX, TRANSACTIONS_MAX,
};
use crate::limits::ENVELOPE_BYTES_MAX;

const CONSENSUS: u8 = 1;
const BODY: u8 = 2;
const BODY_REQUEST: u8 = 3;
const STATUS: u8 = 4;
const BLOCKS_REQUEST: u8 = 5;
const BLOCKS: u8 = 6;
const TRANSACTIONS: u8 = 7;

/// Bounds of a list: items, bytes of one item, bytes of all unless there is only one.
#[derive(Clone, Copy)]
struct Bounds {
    field: &'static str,
    count_max: usize,
    item_bytes_max: usize,
    bytes_max: usize,
}

const BLOCK_LIST: Bounds = Bounds {
    field: "blocks",
    count_max: BLOCKS_MAX,
    item_bytes_max: BLOCK_BYTES_MAX,
    bytes_max: BLOCKS_BYTES_MAX,
};
const TRANSACTION_LIST: Bounds = Bounds {
    field: "transactions",
    count_max: TRANSACTIONS_MAX,
    item_bytes_max: ENVELOPE_BYTES_MAX,
    bytes_max: TRANSACTIONS_BYTES_MAX,
};

pub(super) fn encode(message: &PeerMessage) -> Result<Vec<u8>, PeerError> {
    let mut out = vec![PEER_VERSION];
    match message {
        PeerMessage::Consensus(bytes) => {
            out.push(CONSENSUS);
            put_bytes(&mut out, "consensus message", bytes, CONSENSUS_BYTES_MAX)?;
        }
        PeerMessage::Body { height, round, hash, block } => {
            out.reserve(block.len().saturating_add(64));
            out.push(BODY);
            out.extend(height.to_be_bytes());
            out.extend(round.to_be_bytes());
            out.extend(hash.as_bytes());
            put_bytes(&mut out, "block", block, BLOCK_BYTES_MAX)?;
        }
        PeerMessage::BodyRequest { height, hash } => {
            out.push(BODY_REQUEST);
            out.extend(height.to_be_bytes());
            out.extend(hash.as_bytes());
        }
        PeerMessage::Status(status) => {
            out.push(STATUS);
            out.extend(status.genesis.as_bytes());
            out.extend(status.height.to_be_bytes());
            out.extend(status.tip.as_bytes());
            out.extend(status.config_number.to_be_bytes());
        }
        PeerMessage::BlocksRequest { from, count_max } => {
            out.push(BLOCKS_REQUEST);
            out.extend(from.to_be_bytes());
            check_count_max(*count_max)?;
            out.extend(count_max.to_be_bytes());
        }
        PeerMessage::Blocks { from, blocks } => {
            out.push(BLOCKS);
            out.extend(from.to_be_bytes());
            put_list(&mut out, blocks, BLOCK_LIST)?;
        }
        PeerMessage::Transactions(envelopes) => {
            out.push(TRANSACTIONS);
            if envelopes.is_empty() {
                return Err(PeerError::Bound { field: "transactions", found: 0 });
            }
            put_list(&mut out, envelopes, TRANSACTION_LIST)?;
        }
    }
    Ok(out)
}

pub(super) fn decode(bytes: &[u8]) -> Result<PeerMessage, PeerError> {
    let mut reader = Reader(bytes);
    match reader.u8()? {
        PEER_VERSION => {}
        found => return Err(PeerError::Version { found }),
    }
    let message = match reader.u8()? {
        CONSENSUS => {
            PeerMessage::Consensus(reader.bytes("consensus message", CONSENSUS_BYTES_MAX)?)
        }
        BODY => PeerMessage::Body {
            height: reader.u64()?,
            round: reader.u32()?,
            hash: reader.digest()?,
            block: reader.bytes("block", BLOCK_BYTES_MAX)?,
        },
        BODY_REQUEST => PeerMessage::BodyRequest { height: reader.u64()?, hash: reader.digest()? },
        STATUS => PeerMessage::Status(PeerStatus {
            genesis: reader.digest()?,
            height: reader.u64()?,
            tip: reader.digest()?,
            config_number: reader.u64()?,
        }),
        BLOCKS_REQUEST => {
            let (from, count_max) = (reader.u64()?, reader.u16()?);
            check_count_max(count_max)?;
            PeerMessage::BlocksRequest { from, count_max }
        }
        BLOCKS => PeerMessage::Blocks { from: reader.u64()?, blocks: reader.list(BLOCK_LIST)? },
        TRANSACTIONS => {
            let envelopes = reader.list(TRANSACTION_LIST)?;
            if envelopes.is_empty() {
                return Err(PeerError::Bound { field: "transactions", found: 0 });
            }
            PeerMessage::Transactions(envelopes)
        }
        found => return Err(PeerError::Tag { found }),
    };
    match reader.0.len() {
        0 => Ok(message),
        count => Err(PeerError::Trailing { count }),
    }
}

fn check_count_max(count_max: u16) -> Result<(), PeerError> {
    let found = usize::from(count_max);
    if (1..=BLOCKS_MAX).contains(&found) {
        return Ok(());
    }
    Err(PeerError::Bound { field: "blocks wanted", found })
}

/// u32 length, then the bytes; never empty.
fn put_bytes(
    out: &mut Vec<u8>,
    field: &'static str,
    bytes: &[u8],
    max: usize,
) -> Result<(), PeerError> {
    let found = bytes.len();
    match u32::try_from(found) {
        Ok(length) if (1..=max).contains(&found) => out.extend(length.to_be_bytes()),
        _ => return Err(PeerError::Bound { field, found }),
    }
    out.extend(bytes);
    Ok(())
}

/// u16 count, then the items.
fn put_list(out: &mut Vec<u8>, items: &[Vec<u8>], bounds: Bounds) -> Result<(), PeerError> {
    let Bounds { field, count_max, item_bytes_max, bytes_max } = bounds;
    let total = items.iter().fold(0_usize, |sum, item| sum.saturating_add(item.len()));
    if items.len() > 1 && total > bytes_max {
        return Err(PeerError::Bound { field, found: total });
    }
    match u16::try_from(items.len()) {
        Ok(count) if items.len() <= count_max => out.extend(count.to_be_bytes()),
        _ => return Err(PeerError::Bound { field, found: items.len() }),
    }
    items.iter().try_for_each(|item| put_bytes(out, field, item, item_bytes_max))
}

/// Takes fields off the front.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], PeerError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(PeerError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, PeerError> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, PeerError> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, PeerError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, PeerError> {
        self.array().map(u64::from_be_bytes)
    }

    fn digest(&mut self) -> Result<Sm3Digest, PeerError> {
        self.array().map(Sm3Digest::new)
    }

    fn bytes(&mut self, field: &'static str, max: usize) -> Result<Vec<u8>, PeerError> {
        let found = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if !(1..=max).contains(&found) {
            return Err(PeerError::Bound { field, found });
        }
        let (taken, rest) = self.0.split_at_checked(found).ok_or(PeerError::Truncated)?;
        self.0 = rest;
        Ok(taken.to_vec())
    }

    fn list(&mut self, bounds: Bounds) -> Result<Vec<Vec<u8>>, PeerError> {
        let Bounds { field, count_max, item_bytes_max, bytes_max } = bounds;
        let count = usize::from(self.u16()?);
        if count > count_max {
            return Err(PeerError::Bound { field, found: count });
        }
        let mut items = Vec::new();
        let mut total = 0_usize;
        for _ in 0..count {
            let item = self.bytes(field, item_bytes_max)?;
            total = total.saturating_add(item.len());
            if count > 1 && total > bytes_max {
                return Err(PeerError::Bound { field, found: total });
            }
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests;
