//! One digest of a batch: its path to the root in the record, and the file that it is the digest of.

use changbai_core::{BatchEntry, Record};

use crate::{
    bundle::{EntryName, HashedOriginal},
    reasons,
    report::Finding,
};

/// Element `batch`, and the digest's place if it is proven.
pub(super) fn check(
    record: Option<&Record>,
    document: Option<&[u8]>,
) -> (Finding, Option<BatchEntry>) {
    let without = |reason| (Finding::new(reason), None);
    let Some(record) = record else {
        return without(match document {
            Some(_) => reasons::BATCH_UNCHECKED,
            None => reasons::BATCH_UNREAD,
        });
    };
    let (batch, bytes) = match (record.batch(), document) {
        (None, None) => return without(reasons::BATCH_ABSENT),
        (None, Some(_)) => return without(reasons::BATCH_NO_BATCH),
        (Some(batch), None) => {
            return (Finding::new(reasons::BATCH_NO_PATH).with(batch.size), None);
        }
        (Some(batch), Some(bytes)) => (batch, bytes),
    };
    let Ok(entry) = BatchEntry::from_bytes(bytes) else {
        return without(reasons::BATCH_MALFORMED);
    };
    let number = entry.inclusion.index.saturating_add(1);
    if entry.verify(batch).is_err() {
        return (Finding::new(reasons::BATCH_WRONG).with(number), None);
    }
    let proven = Finding::new(reasons::BATCH_PROVEN);
    (proven.with(entry.leaf.sm3).with(number).with(batch.size), Some(entry))
}

/// Element `original` for a record that is a batch: every file at hand is the one of this digest.
pub(super) fn original(
    entry: Option<&BatchEntry>,
    packed: &[HashedOriginal],
    supplied: &[HashedOriginal],
) -> Finding {
    let Some(BatchEntry { leaf, .. }) = entry else {
        return Finding::new(reasons::ORIGINAL_NO_DIGEST);
    };
    let media_type = leaf.media_type.as_deref().unwrap_or_default();
    let name = EntryName::original(1, media_type).to_string();
    let is_it = |file: &HashedOriginal| {
        file.sm3 == leaf.sm3 && leaf.size_bytes.is_none_or(|size| size == file.size_bytes)
    };
    for file in packed {
        if file.name != name {
            return Finding::new(reasons::ORIGINAL_UNKNOWN).with(&file.name);
        }
        if !is_it(file) {
            return Finding::new(reasons::ORIGINAL_ALTERED).with(&file.name);
        }
    }
    if let Some(other) = supplied.iter().find(|file| !is_it(file)) {
        return Finding::new(reasons::ORIGINAL_SUPPLIED_DIFFERS).with(&other.name);
    }
    if packed.is_empty() && supplied.is_empty() {
        return Finding::new(reasons::ORIGINAL_MISSING).with(1);
    }
    Finding::new(reasons::ORIGINAL_PROVEN).with(1)
}
