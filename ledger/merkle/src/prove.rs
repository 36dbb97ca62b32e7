//! Building proofs from stored nodes.

use smkit::Sm3Digest;
use thiserror::Error;

use crate::{ConsistencyProof, InclusionProof, NodeId, empty_root, node_hash};

/// Where the nodes that [`Frontier::append`](crate::Frontier::append) emitted can be read back.
pub trait NodeSource {
    /// Why reading fails.
    type Error: std::error::Error + 'static;

    /// The hash of a node, `None` if it was never stored.
    ///
    /// # Errors
    /// Whatever the store reports.
    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Self::Error>;
}

/// The proof that leaf `index` is in the tree of the first `size` leaves (RFC 6962 §2.1.1); reads at
/// most 64 paths' worth of nodes.
///
/// # Errors
/// [`ProveError`] if there is no such leaf, or a node cannot be read.
pub fn prove_inclusion<S: NodeSource>(
    source: &S,
    index: u64,
    size: u64,
) -> Result<InclusionProof, ProveError<S::Error>> {
    if index >= size {
        return Err(ProveError::OutOfRange { index, size });
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    // Top down towards the leaf, noting the other half each time; a path reads bottom up.
    while let Some(middle) = split(start, end) {
        if index < middle {
            path.push(subtree(source, middle, end)?);
            end = middle;
        } else {
            path.push(subtree(source, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(InclusionProof { index, size, path })
}

/// The proof that the tree of `old_size` leaves is a prefix of that of `new_size` (RFC 6962 §2.1.2).
///
/// # Errors
/// [`ProveError`] if `old_size` is the larger, or a node cannot be read.
pub fn prove_consistency<S: NodeSource>(
    source: &S,
    old_size: u64,
    new_size: u64,
) -> Result<ConsistencyProof, ProveError<S::Error>> {
    if old_size > new_size {
        return Err(ProveError::OutOfRange { index: old_size, size: new_size });
    }
    let mut path = Vec::new();
    if old_size > 0 && old_size < new_size {
        let (mut start, mut end) = (0, new_size);
        // SUBPROOF of RFC 6962: follow the old tree's end until a subtree ends exactly there.
        while end != old_size
            && let Some(middle) = split(start, end)
        {
            if old_size <= middle {
                path.push(subtree(source, middle, end)?);
                end = middle;
            } else {
                path.push(subtree(source, start, middle)?);
                start = middle;
            }
        }
        // The old tree itself, where it is one complete subtree, is what the verifier has.
        if start != 0 {
            path.push(subtree(source, start, end)?);
        }
        path.reverse();
    }
    Ok(ConsistencyProof { old_size, new_size, path })
}

/// The root of the first `size` leaves; reads one node for each set bit of `size`.
///
/// # Errors
/// [`ProveError`] if a node is missing or cannot be read.
pub fn tree_root<S: NodeSource>(source: &S, size: u64) -> Result<Sm3Digest, ProveError<S::Error>> {
    subtree(source, 0, size)
}

/// Where RFC 6962 divides the leaves `[start, end)`: after the largest power of two that is smaller
/// than their number. `None` for fewer than two leaves.
fn split(start: u64, end: u64) -> Option<u64> {
    let last = end.checked_sub(start)?.checked_sub(1)?;
    start.checked_add(1u64.checked_shl(last.checked_ilog2()?)?)
}

/// Hash of the leaves `[start, end)`, the whole tree or a range that [`split`] produced: complete
/// subtrees, joined from the right.
fn subtree<S: NodeSource>(
    source: &S,
    start: u64,
    end: u64,
) -> Result<Sm3Digest, ProveError<S::Error>> {
    let mut hashes = Vec::new();
    let mut from = start;
    while from < end {
        // The largest complete subtree that fits into what is left.
        let level = end.saturating_sub(from).ilog2();
        let index = from.checked_shr(level).unwrap_or(0);
        let id = NodeId { level: u8::try_from(level).unwrap_or(u8::MAX), index };
        hashes.push(source.node(id).map_err(ProveError::Source)?.ok_or(ProveError::Missing(id))?);
        from = from.saturating_add(1u64.checked_shl(level).unwrap_or(0));
    }
    let joined = hashes.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
    Ok(joined.unwrap_or_else(empty_root))
}

/// Why a proof cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProveError<E: std::error::Error + 'static> {
    /// There is no such leaf, or the old tree is larger than the new.
    #[error("{index} is beyond the tree of {size} leaves")]
    OutOfRange {
        /// The leaf or the old size asked for.
        index: u64,
        /// Number of leaves.
        size: u64,
    },
    /// The store lacks a node that the tree must have.
    #[error("node {} of level {} is missing", .0.index, .0.level)]
    Missing(NodeId),
    /// The store cannot be read.
    #[error("a node of the transaction log cannot be read")]
    Source(#[source] E),
}
