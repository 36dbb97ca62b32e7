//! Read-write sets (读写集) in their strict, typed form.

use prost::Message;
use thiserror::Error;

use crate::{
    ValidationCode,
    limits::{NAMESPACE_ENTRIES_MAX, NAMESPACES_MAX},
    proto::{
        kvrwset::{KvRead, KvrwSet, RangeQueryInfo, range_query_info::ReadsInfo},
        rwset,
    },
};

/// What a simulation read and would write, one entry per namespace in ascending order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxReadWriteSet {
    /// The sets by namespace; strictly ascending, at most one per namespace.
    pub namespaces: Vec<NsReadWriteSet>,
}

/// Reads and writes within one namespace, which is a chaincode's name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NsReadWriteSet {
    /// The chaincode that owns the keys.
    pub namespace: String,
    /// Reads and writes, each strictly ascending by key; range queries in the order they ran.
    pub set: KvrwSet,
}

impl TxReadWriteSet {
    /// The serialized `rwset.TxReadWriteSet`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let ns_rwset = self
            .namespaces
            .iter()
            .map(|ns| rwset::NsReadWriteSet {
                namespace: ns.namespace.clone(),
                rwset: ns.set.encode_to_vec(),
                collection_hashed_rwset: Vec::new(),
            })
            .collect();
        rwset::TxReadWriteSet { data_model: 0, ns_rwset }.encode_to_vec()
    }

    /// Reads [`TxReadWriteSet::to_bytes`] back, strictly.
    ///
    /// # Errors
    /// [`RwsetError`] for bytes that do not parse, entries out of order or beyond the bounds, and
    /// features of Fabric that the ledger does not implement: ignoring a private collection or a
    /// key-level policy would be worse than refusing it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RwsetError> {
        let outer = rwset::TxReadWriteSet::decode(bytes).map_err(|_| RwsetError::Malformed)?;
        if outer.data_model != 0 {
            return Err(RwsetError::Unsupported("data model"));
        }
        if outer.ns_rwset.len() > NAMESPACES_MAX {
            return Err(RwsetError::TooLarge);
        }
        let mut namespaces: Vec<NsReadWriteSet> = Vec::with_capacity(outer.ns_rwset.len());
        for ns in outer.ns_rwset {
            match namespaces.last().map(|previous| previous.namespace.cmp(&ns.namespace)) {
                Some(std::cmp::Ordering::Equal) => return Err(RwsetError::DuplicateNamespace),
                Some(std::cmp::Ordering::Greater) => return Err(RwsetError::Order("namespaces")),
                Some(std::cmp::Ordering::Less) | None => {}
            }
            namespaces.push(NsReadWriteSet::open(ns)?);
        }
        Ok(Self { namespaces })
    }
}

impl NsReadWriteSet {
    fn open(ns: rwset::NsReadWriteSet) -> Result<Self, RwsetError> {
        if ns.namespace.is_empty() {
            return Err(RwsetError::Malformed);
        }
        if !ns.collection_hashed_rwset.is_empty() {
            return Err(RwsetError::Unsupported("private collections"));
        }
        let set = KvrwSet::decode(ns.rwset.as_slice()).map_err(|_| RwsetError::Malformed)?;
        check(&set)?;
        Ok(Self { namespace: ns.namespace, set })
    }
}

fn check(set: &KvrwSet) -> Result<(), RwsetError> {
    if !set.metadata_writes.is_empty() {
        return Err(RwsetError::Unsupported("key metadata"));
    }
    let sizes = [set.reads.len(), set.writes.len(), set.range_queries_info.len()];
    if sizes.iter().any(|size| *size > NAMESPACE_ENTRIES_MAX) {
        return Err(RwsetError::TooLarge);
    }
    check_reads(&set.reads)?;
    if !set.writes.is_sorted_by(|a, b| a.key < b.key) {
        return Err(RwsetError::Order("writes"));
    }
    for write in &set.writes {
        if write.key.is_empty() {
            return Err(RwsetError::EmptyKey);
        }
        if write.is_delete && !write.value.is_empty() {
            return Err(RwsetError::DeleteWithValue);
        }
    }
    set.range_queries_info.iter().try_for_each(check_range)
}

fn check_reads(reads: &[KvRead]) -> Result<(), RwsetError> {
    if !reads.is_sorted_by(|a, b| a.key < b.key) {
        return Err(RwsetError::Order("reads"));
    }
    if reads.iter().any(|read| read.key.is_empty()) {
        return Err(RwsetError::EmptyKey);
    }
    Ok(())
}

/// A range query lists every key it saw: within the range, in order, each with its version.
fn check_range(query: &RangeQueryInfo) -> Result<(), RwsetError> {
    let reads = match &query.reads_info {
        None => return Ok(()),
        Some(ReadsInfo::RawReads(reads)) => &reads.kv_reads,
        Some(ReadsInfo::ReadsMerkleHashes(_)) => {
            return Err(RwsetError::Unsupported("summaries of range reads"));
        }
    };
    if reads.len() > NAMESPACE_ENTRIES_MAX {
        return Err(RwsetError::TooLarge);
    }
    check_reads(reads)?;
    let within = |key: &String| {
        *key >= query.start_key && (query.end_key.is_empty() || *key < query.end_key)
    };
    if reads.iter().any(|read| read.version.is_none() || !within(&read.key)) {
        return Err(RwsetError::Range);
    }
    Ok(())
}

/// Why bytes are not a read-write set that the ledger accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RwsetError {
    /// Not protobuf, or a namespace without a name.
    #[error("read-write set does not parse")]
    Malformed,
    /// More entries than [`limits`](crate::limits) allows.
    #[error("read-write set has too many entries")]
    TooLarge,
    /// Entries that must ascend strictly do not.
    #[error("read-write set: {0} are not strictly ascending")]
    Order(&'static str),
    /// One namespace appears twice.
    #[error("read-write set: the same namespace twice")]
    DuplicateNamespace,
    /// A key is the empty string.
    #[error("read-write set: empty key")]
    EmptyKey,
    /// A deletion carries a value.
    #[error("read-write set: deletion with a value")]
    DeleteWithValue,
    /// A range query lists a key outside the range, or without version.
    #[error("read-write set: range query lists a key that it cannot have read")]
    Range,
    /// A feature of Fabric that the ledger does not implement.
    #[error("read-write set: {0} not supported")]
    Unsupported(&'static str),
}

impl RwsetError {
    /// The validation code of a transaction with such a set.
    #[must_use]
    pub const fn code(&self) -> ValidationCode {
        match self {
            Self::DuplicateNamespace | Self::Unsupported(_) => ValidationCode::IllegalWriteset,
            _ => ValidationCode::BadRwset,
        }
    }

    /// The same text as `Display`, without its data.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "read-write set does not parse",
            Self::TooLarge => "read-write set has too many entries",
            Self::Order(_) => "read-write set is not strictly ascending",
            Self::DuplicateNamespace => "read-write set has the same namespace twice",
            Self::EmptyKey => "read-write set has an empty key",
            Self::DeleteWithValue => "read-write set has a deletion with a value",
            Self::Range => "read-write set has a range query with an impossible read",
            Self::Unsupported(_) => "read-write set uses an unsupported feature",
        }
    }
}
