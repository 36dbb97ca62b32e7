//! Header slots of the consensus log.

use smkit::sm3::{Sm3Digest, sm3, sm3_parts};

use super::record::Chain;
use crate::frame::Reader;

const MAGIC: [u8; 4] = *b"CBW1";
/// Length of an encoded slot.
pub(super) const SLOT_BYTES: usize = 4 + 4 * 8 + 16 + 32;
const CHAIN_DOMAIN: &[u8] = b"changbai/storage/wal-chain/v1";

/// What the log states about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Counts slot writes.
    pub(super) counter: u64,
    /// Last block durable in the block log.
    pub(super) floor: Option<u64>,
    /// Records before this offset are of no use any more.
    pub(super) start: u64,
    /// Everything before this offset was flushed.
    pub(super) synced: u64,
    /// Digest that the record at `start` continues.
    pub(super) chain: Chain,
}

impl Slot {
    pub(super) fn first(records_offset: u64) -> Self {
        let chain = fresh_chain(0);
        Self { counter: 0, floor: None, start: records_offset, synced: records_offset, chain }
    }

    /// The slot that begins at the front again, with a chain that no old record continues.
    pub(super) fn over(old: Self, floor: Option<u64>, records_offset: u64) -> Self {
        let chain = fresh_chain(old.counter);
        Self { floor, start: records_offset, synced: records_offset, chain, ..old }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SLOT_BYTES);
        out.extend(MAGIC);
        out.extend(self.counter.to_be_bytes());
        out.extend(self.floor.map_or(0, |floor| floor.saturating_add(1)).to_be_bytes());
        out.extend(self.start.to_be_bytes());
        out.extend(self.synced.to_be_bytes());
        out.extend(self.chain);
        out.extend(sm3(&out).as_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (fields, digest) = bytes.split_last_chunk::<32>()?;
        if sm3(fields) != Sm3Digest::new(*digest) {
            return None;
        }
        let mut reader = Reader(fields);
        if reader.array::<4>().ok()? != MAGIC {
            return None;
        }
        let slot = Self {
            counter: reader.u64().ok()?,
            floor: reader.u64().ok()?.checked_sub(1),
            start: reader.u64().ok()?,
            synced: reader.u64().ok()?,
            chain: reader.array().ok()?,
        };
        reader.0.is_empty().then_some(slot)
    }
}

/// The slot in force.
pub(super) fn newest(slots: [Option<Slot>; 2]) -> Option<Slot> {
    slots.into_iter().flatten().max_by_key(|slot| slot.counter)
}

fn fresh_chain(counter: u64) -> Chain {
    let digest = sm3_parts(&[CHAIN_DOMAIN, &counter.to_be_bytes()]);
    let mut chain = [0; 16];
    chain.copy_from_slice(digest.as_bytes().split_at(16).0);
    chain
}
