//! A batch (批次): up to 100,000 digests under one record, each with a path of its own to the record's root.
//!
//! The record carries a [`BatchRoot`] in place of originals: the RFC 6962 root over SM3 of one leaf per digest.
//! [`BatchEntry`] is what one digest needs besides the record's receipt; its bytes are `batch.json` of a bundle.

mod entry;
mod leaf;
#[cfg(test)]
mod tests;
mod tree;

pub use entry::{BatchEntry, BatchEntryError};
pub use leaf::{BatchLeaf, LeafError};
pub use tree::BatchTree;

use smkit::sm3::Sm3Digest;

/// The digests that a record stands for: root and number of its leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRoot {
    /// Root of the RFC 6962 tree over the leaves, in the submitter's order.
    pub root: Sm3Digest,
    /// Number of leaves, 1 to 100,000.
    pub size: u64,
}
