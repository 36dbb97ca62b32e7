//! The derived index: what it holds under which key, and the world state as contracts see it.
//!
//! | prefix | key | value |
//! |---|---|---|
//! | `0` | – | [`Applied`]: how far the index follows the block log |
//! | `b` | block number, u64 | position in the block log |
//! | `t` | transaction id, 32 bytes | [`Location`] |
//! | `m` | level u8, index u64 | node of the transaction log tree, 32 bytes |
//! | `s` | namespace, `00`, key | [`Version`] (12 bytes), value |
//! | `c` | first height it is in force, u64 | configuration envelope |
//!
//! Everything is rebuilt from the block log when it is lost. Integers are big-endian.

use changbai_merkle::{NodeId, NodeSource};
use changbai_storage::{Index, IndexBatch, IndexSnapshot, Position, StorageError};
use changbai_wire::{TxId, ValidationCode};
use smkit::sm3::Sm3Digest;

/// The transaction that last wrote a key: block number and place in the block (Fabric's
/// `kvrwset.Version`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) block: u64,
    pub(crate) index: u32,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) block: u64,
    pub(crate) index: u32,
    pub(crate) code: ValidationCode,
    /// Its leaf in the transaction log tree, from 0.
    pub(crate) leaf: u64,
}

/// How far the index follows the block log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) number: u64,
    pub(crate) header_hash: Sm3Digest,
    pub(crate) time_ms: u64,
    /// [`changbai_merkle::Frontier`] in bytes, block `number` included.
    pub(crate) frontier: Vec<u8>,
}

/// A key with the version of its last write and its value.
pub(crate) type Entry = (String, Version, Vec<u8>);

/// The world state at one moment, for simulation and validation.
pub(crate) trait StateView {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<(Version, Vec<u8>)>, StorageError>;
    /// Entries with `start <= key < end` in key order, at most `limit`; an empty `end` is open.
    fn range(
        &self,
        namespace: &str,
        start: &str,
        end: &str,
        limit: usize,
    ) -> Result<Vec<Entry>, StorageError>;
}

impl StateView for IndexSnapshot {
    fn get(&self, namespace: &str, key: &str) -> Result<Option<(Version, Vec<u8>)>, StorageError> {
        self.get(&state_key(namespace, key))?.map(|bytes| decode_value(&bytes)).transpose()
    }

    fn range(
        &self,
        namespace: &str,
        start: &str,
        end: &str,
        limit: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        let prefix = state_key(namespace, "").len();
        let to = match end {
            // Past every key of the namespace: its separator, one higher.
            "" => [b"s", namespace.as_bytes(), &[1]].concat(),
            end => state_key(namespace, end),
        };
        self.range(&state_key(namespace, start), &to, limit, false)?
            .into_iter()
            .map(|(key, bytes)| {
                let name = key.get(prefix..).and_then(|k| std::str::from_utf8(k).ok());
                let name = name.ok_or_else(|| damaged("state key"))?.to_owned();
                let (version, value) = decode_value(&bytes)?;
                Ok((name, version, value))
            })
            .collect()
    }
}

/// Reads nodes of the transaction log tree for proofs.
#[derive(Debug)]
pub(crate) struct Nodes<'a>(pub(crate) &'a Index);

impl NodeSource for Nodes<'_> {
    type Error = StorageError;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, StorageError> {
        let bytes = self.0.get(&node_key(id))?;
        bytes.map(|b| Sm3Digest::from_slice(&b).map_err(|_| damaged("tree node"))).transpose()
    }
}

pub(crate) fn put_applied(batch: &mut IndexBatch, applied: &Applied) {
    let mut value = Vec::with_capacity(48 + applied.frontier.len());
    value.extend(applied.number.to_be_bytes());
    value.extend(applied.header_hash.as_bytes());
    value.extend(applied.time_ms.to_be_bytes());
    value.extend(&applied.frontier);
    batch.put(b"0", &value);
}

pub(crate) fn applied(index: &Index) -> Result<Option<Applied>, StorageError> {
    let Some(bytes) = index.get(b"0")? else { return Ok(None) };
    let read = || {
        let (number, rest) = bytes.split_first_chunk::<8>()?;
        let (hash, rest) = rest.split_first_chunk::<32>()?;
        let (time, frontier) = rest.split_first_chunk::<8>()?;
        Some(Applied {
            number: u64::from_be_bytes(*number),
            header_hash: Sm3Digest::new(*hash),
            time_ms: u64::from_be_bytes(*time),
            frontier: frontier.to_vec(),
        })
    };
    read().ok_or_else(|| damaged("applied mark")).map(Some)
}

/// Notes the configuration that is in force from `height` on, until the next one.
pub(crate) fn put_config(batch: &mut IndexBatch, height: u64, envelope: &[u8]) {
    batch.put(&numbered(b'c', height), envelope);
}

/// The configuration envelope in force at `height`; `None` while it is the genesis block's.
pub(crate) fn config_at(index: &Index, height: u64) -> Result<Option<Vec<u8>>, StorageError> {
    let to = numbered(b'c', height.saturating_add(1));
    let found = index.range(&numbered(b'c', 0), &to, 1, true)?;
    Ok(found.into_iter().next().map(|(_, envelope)| envelope))
}

/// Heights, from `from` on and ascending, at which another configuration came into force.
pub(crate) fn config_heights(index: &Index, from: u64) -> Result<Vec<u64>, StorageError> {
    let to = numbered(b'c', u64::MAX);
    let found = index.range(&numbered(b'c', from), &to, CONFIG_PAGE, false)?;
    let height = |key: &[u8]| {
        let bytes = key.strip_prefix(b"c")?;
        Some(u64::from_be_bytes(bytes.try_into().ok()?))
    };
    let heights = found.iter().map(|(key, _)| height(key).ok_or_else(|| damaged("height")));
    heights.collect()
}

pub(crate) fn put_position(batch: &mut IndexBatch, number: u64, position: Position) {
    batch.put(&numbered(b'b', number), &position.to_bytes());
}

pub(crate) fn position(index: &Index, number: u64) -> Result<Option<Position>, StorageError> {
    let bytes = index.get(&numbered(b'b', number))?;
    bytes.map(|b| Position::from_bytes(&b).ok_or_else(|| damaged("block position"))).transpose()
}

pub(crate) fn put_location(batch: &mut IndexBatch, tx_id: &TxId, at: &Location) {
    let mut value = Vec::with_capacity(21);
    value.extend(at.block.to_be_bytes());
    value.extend(at.index.to_be_bytes());
    value.push(at.code.value());
    value.extend(at.leaf.to_be_bytes());
    batch.put(&transaction_key(tx_id), &value);
}

pub(crate) fn location(index: &Index, tx_id: &TxId) -> Result<Option<Location>, StorageError> {
    let Some(bytes) = index.get(&transaction_key(tx_id))? else { return Ok(None) };
    let read = || {
        let (block, rest) = bytes.split_first_chunk::<8>()?;
        let (index, rest) = rest.split_first_chunk::<4>()?;
        let (code, rest) = rest.split_first()?;
        let leaf: [u8; 8] = rest.try_into().ok()?;
        Some(Location {
            block: u64::from_be_bytes(*block),
            index: u32::from_be_bytes(*index),
            code: ValidationCode::try_from(*code).ok()?,
            leaf: u64::from_be_bytes(leaf),
        })
    };
    read().ok_or_else(|| damaged("transaction location")).map(Some)
}

pub(crate) fn put_node(batch: &mut IndexBatch, id: NodeId, hash: &Sm3Digest) {
    batch.put(&node_key(id), hash.as_bytes());
}

pub(crate) fn put_state(
    batch: &mut IndexBatch,
    namespace: &str,
    key: &str,
    version: Version,
    value: Option<&[u8]>,
) {
    let key = state_key(namespace, key);
    let Some(value) = value else { return batch.delete(&key) };
    let mut bytes = Vec::with_capacity(12 + value.len());
    bytes.extend(version.block.to_be_bytes());
    bytes.extend(version.index.to_be_bytes());
    bytes.extend(value);
    batch.put(&key, &bytes);
}

fn decode_value(bytes: &[u8]) -> Result<(Version, Vec<u8>), StorageError> {
    let read = || {
        let (block, rest) = bytes.split_first_chunk::<8>()?;
        let (index, value) = rest.split_first_chunk::<4>()?;
        let version =
            Version { block: u64::from_be_bytes(*block), index: u32::from_be_bytes(*index) };
        Some((version, value.to_vec()))
    };
    read().ok_or_else(|| damaged("state value"))
}

fn state_key(namespace: &str, key: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 + namespace.len() + key.len());
    out.push(b's');
    out.extend(namespace.as_bytes());
    out.push(0);
    out.extend(key.as_bytes());
    out
}

fn transaction_key(tx_id: &TxId) -> Vec<u8> {
    let mut out = Vec::with_capacity(33);
    out.push(b't');
    out.extend(tx_id.as_bytes());
    out
}

fn node_key(id: NodeId) -> [u8; 10] {
    let mut out = [b'm'; 10];
    out[1] = id.level;
    out[2..].copy_from_slice(&id.index.to_be_bytes());
    out
}

fn numbered(prefix: u8, number: u64) -> [u8; 9] {
    let mut out = [prefix; 9];
    out[1..].copy_from_slice(&number.to_be_bytes());
    out
}

fn damaged(what: &str) -> StorageError {
    StorageError::index_damaged(format!("the {what} in the index has the wrong form"))
}

/// Configurations that are read at a time.
const CONFIG_PAGE: usize = 16;
