//! Validation: which transactions of an ordered block take effect, and what they write.
//!
//! Deterministic: the result depends on the block, the state before it and the channel's
//! configuration, never on this node's clock. Signatures are judged in `signatures`, before; what
//! is left costs one index look-up a read key.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use changbai_msp::ChannelConfig;
use changbai_storage::StorageError;
use changbai_wire::proto::kvrwset;
use changbai_wire::{Content, DecodedTransaction, NsReadWriteSet, TxId, ValidationCode};

use crate::block::Block;
use crate::epoch::Epoch;
use crate::mempool::Decoded;
use crate::state::{StateView, Version};

/// What validation measures a block against.
pub(crate) struct Rules<'a> {
    pub(crate) epoch: &'a Epoch,
    /// Contracts by name, with the version that is committed.
    pub(crate) contracts: &'a HashMap<String, String>,
}

/// A key's new value, or its deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) namespace: String,
    pub(crate) key: String,
    pub(crate) version: Version,
    pub(crate) value: Option<Vec<u8>>,
}

/// The result for one block.
#[derive(Debug, Default)]
pub(crate) struct Validated {
    /// One code a transaction, in block order.
    pub(crate) codes: Vec<ValidationCode>,
    /// Writes of the valid transactions, in block order.
    pub(crate) writes: Vec<Write>,
    /// The configuration after the block, if one of its transactions changes it.
    pub(crate) config: Option<ChannelConfig>,
}

/// Judges every transaction of a block; `transactions` are its envelopes, decoded. `codes` is what `signatures::check` said of each.
///
/// # Errors
///
/// Only when the state cannot be read; a bad transaction gets a code instead.
pub(crate) fn validate(
    rules: &Rules<'_>,
    view: &dyn StateView,
    in_ledger: &dyn Fn(&TxId) -> Result<bool, StorageError>,
    block: &Block,
    transactions: &[Arc<Decoded>],
    mut codes: Vec<ValidationCode>,
) -> Result<Validated, StorageError> {
    let mut writes = Vec::new();
    let mut overlay = Overlay::default();
    let mut seen = HashSet::new();
    let mut config: Option<ChannelConfig> = None;
    codes.resize(transactions.len(), ValidationCode::NotValidated);
    for (index, (decoded, code)) in transactions.iter().zip(codes.iter_mut()).enumerate() {
        if *code != ValidationCode::Valid {
            continue;
        }
        let tx_id = decoded.content.tx_id();
        if !seen.insert(tx_id) || in_ledger(&tx_id)? {
            *code = ValidationCode::DuplicateTxid;
            continue;
        }
        let Content::Transaction(transaction) = &decoded.content else {
            match next_config(rules.epoch, block) {
                Some(next) => config = Some(next),
                None => *code = ValidationCode::InvalidConfigTransaction,
            }
            continue;
        };
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let version = Version { block: block.header.number, index };
        let own = match effects(rules, view, &overlay, transaction, version)? {
            Ok(own) => own,
            Err(refusal) => {
                *code = refusal;
                continue;
            }
        };
        overlay.extend(&own);
        writes.extend(own);
    }
    Ok(Validated { codes, writes, config })
}

/// What a block that holds nothing but a configuration makes of the one in force.
fn next_config(epoch: &Epoch, block: &Block) -> Option<ChannelConfig> {
    let [envelope] = block.envelopes.as_slice() else { return None };
    epoch.next(envelope, block.header.time_ms).ok()
}

/// Keys written by valid transactions earlier in the same block.
#[derive(Default)]
struct Overlay(std::collections::BTreeSet<(String, String)>);

impl Overlay {
    fn extend(&mut self, writes: &[Write]) {
        self.0.extend(writes.iter().map(|w| (w.namespace.clone(), w.key.clone())));
    }

    fn holds(&self, namespace: &str, key: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&(namespace.to_owned(), key.to_owned()))
    }

    fn holds_any(&self, namespace: &str, start: &str, end: &str) -> bool {
        let from = (namespace.to_owned(), start.to_owned());
        self.0
            .range(from..)
            .next()
            .is_some_and(|(ns, key)| ns == namespace && (end.is_empty() || key.as_str() < end))
    }
}

/// The writes of one transaction, if what it read still stands.
fn effects(
    rules: &Rules<'_>,
    view: &dyn StateView,
    overlay: &Overlay,
    transaction: &DecodedTransaction,
    version: Version,
) -> Result<Result<Vec<Write>, ValidationCode>, StorageError> {
    let mut writes = Vec::new();
    for ns in &transaction.rwset.namespaces {
        let (namespace, kv) = (&ns.namespace, &ns.set);
        if !rules.contracts.contains_key(namespace) {
            return Ok(Err(ValidationCode::IllegalWriteset));
        }
        for read in &kv.reads {
            let current = view.get(namespace, &read.key)?.map(|(version, _)| version);
            if overlay.holds(namespace, &read.key) || current != as_version(read) {
                return Ok(Err(ValidationCode::MvccReadConflict));
            }
        }
        for range in &kv.range_queries_info {
            if !range_stands(view, overlay, namespace, range)? {
                return Ok(Err(ValidationCode::PhantomReadConflict));
            }
        }
        writes.extend(writes_of(ns, version));
    }
    Ok(Ok(writes))
}

/// The writes of one namespace as its read-write set states them.
pub(crate) fn writes_of(
    ns: &NsReadWriteSet,
    version: Version,
) -> impl Iterator<Item = Write> + use<'_> {
    ns.set.writes.iter().map(move |write| Write {
        namespace: ns.namespace.clone(),
        key: write.key.clone(),
        version,
        value: (!write.is_delete).then(|| write.value.clone()),
    })
}

/// Whether a recorded range query would see the same keys in the same versions.
fn range_stands(
    view: &dyn StateView,
    overlay: &Overlay,
    namespace: &str,
    range: &kvrwset::RangeQueryInfo,
) -> Result<bool, StorageError> {
    let seen: &[kvrwset::KvRead] = match &range.reads_info {
        Some(kvrwset::range_query_info::ReadsInfo::RawReads(reads)) => &reads.kv_reads,
        Some(kvrwset::range_query_info::ReadsInfo::ReadsMerkleHashes(_)) => return Ok(false),
        None => &[],
    };
    // A query that stopped early vouches only for what lies before the last key it returned.
    let end = match seen.last() {
        Some(last) if !range.itr_exhausted => format!("{}\0", last.key),
        _ => range.end_key.clone(),
    };
    if overlay.holds_any(namespace, &range.start_key, &end) {
        return Ok(false);
    }
    let now = view.range(namespace, &range.start_key, &end, seen.len() + 1)?;
    Ok(now.len() == seen.len()
        && now.iter().zip(seen).all(|((key, version, _), read)| {
            *key == read.key && Some(*version) == as_version(read)
        }))
}

/// `None` also for a version that no ledger can hold; it then differs from every real one.
fn as_version(read: &kvrwset::KvRead) -> Option<Version> {
    let version = read.version.as_ref()?;
    let index = u32::try_from(version.tx_num).unwrap_or(u32::MAX);
    Some(Version { block: version.block_num, index })
}
