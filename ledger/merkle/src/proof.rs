//! Proofs and their verification.

use smkit::Sm3Digest;
use thiserror::Error;

use crate::{empty_root, node_hash};

/// Longest path of any proof: trees have fewer than 2⁶⁴ leaves.
pub const PATH_LEN_MAX: usize = 64;

/// That a leaf stands at `index` in the tree of `size` leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// Position of the leaf, from 0.
    pub index: u64,
    /// Number of leaves.
    pub size: u64,
    /// Sibling hashes, the leaf's first.
    pub path: Vec<Sm3Digest>,
}

impl InclusionProof {
    /// Verifies that the tree with this root has `leaf` (a [`leaf_hash`](crate::leaf_hash)) at
    /// `index` (RFC 9162 §2.1.3.2).
    ///
    /// # Errors
    /// [`ProofError`], saying which part is wrong.
    pub fn verify(&self, leaf: &Sm3Digest, root: &Sm3Digest) -> Result<(), ProofError> {
        if self.index >= self.size {
            return Err(ProofError::OutOfRange { index: self.index, size: self.size });
        }
        let expected = inclusion_path_len(self.index, self.size);
        if self.path.len() != expected {
            return Err(ProofError::PathLength { expected, found: self.path.len() });
        }
        let mut hash = *leaf;
        let (mut node, mut last) = (self.index, self.size.saturating_sub(1));
        for sibling in &self.path {
            if node & 1 == 1 || node == last {
                hash = node_hash(sibling, &hash);
                // A right edge without sibling on a level moves up unchanged.
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        if last == 0 && hash == *root { Ok(()) } else { Err(ProofError::Root) }
    }
}

/// That the tree of `old_size` leaves is a prefix of the tree of `new_size` leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// Number of leaves of the older tree.
    pub old_size: u64,
    /// Number of leaves of the newer tree.
    pub new_size: u64,
    /// The hashes that complete both roots, as in RFC 6962 §2.1.2.
    pub path: Vec<Sm3Digest>,
}

impl ConsistencyProof {
    /// Verifies that nothing in the older tree was rewritten (RFC 9162 §2.1.4.2).
    ///
    /// # Errors
    /// [`ProofError`], saying which part is wrong.
    pub fn verify(&self, old_root: &Sm3Digest, new_root: &Sm3Digest) -> Result<(), ProofError> {
        if self.old_size > self.new_size {
            return Err(ProofError::OutOfRange { index: self.old_size, size: self.new_size });
        }
        let expected = consistency_path_len(self.old_size, self.new_size);
        if self.path.len() != expected {
            return Err(ProofError::PathLength { expected, found: self.path.len() });
        }
        if self.old_size == 0 {
            // Every tree extends the empty one, whose root is fixed; the new root is free unless
            // the new tree is empty, too.
            let same = self.new_size > 0 || old_root == new_root;
            return if same && *old_root == empty_root() { Ok(()) } else { Err(ProofError::Root) };
        }
        if self.old_size == self.new_size {
            return if old_root == new_root { Ok(()) } else { Err(ProofError::Root) };
        }
        let (old, new) = self.roots(old_root).ok_or(ProofError::Root)?;
        if old == *old_root && new == *new_root { Ok(()) } else { Err(ProofError::Root) }
    }

    /// The two roots that the path computes, for `0 < old_size < new_size`.
    fn roots(&self, old_root: &Sm3Digest) -> Option<(Sm3Digest, Sm3Digest)> {
        let mut path = self.path.iter();
        let seed = if self.old_size.is_power_of_two() { old_root } else { path.next()? };
        let (mut old, mut new) = (*seed, *seed);
        let mut node = self.old_size.saturating_sub(1);
        let mut last = self.new_size.saturating_sub(1);
        while node & 1 == 1 {
            node >>= 1;
            last >>= 1;
        }
        for hash in path {
            if last == 0 {
                return None;
            }
            if node & 1 == 1 || node == last {
                old = node_hash(hash, &old);
                new = node_hash(hash, &new);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                new = node_hash(&new, hash);
            }
            node >>= 1;
            last >>= 1;
        }
        (last == 0).then_some((old, new))
    }
}

/// Number of hashes in the inclusion path of leaf `index` (`index < size`): one for each level on
/// which the leaf's subtree has a sibling.
fn inclusion_path_len(index: u64, size: u64) -> usize {
    let last = size.saturating_sub(1);
    // Below the level where leaf and last leaf meet, every level has a sibling; above it, on the
    // right edge, only those where the path is a right child.
    let inner = u64::BITS.saturating_sub((index ^ last).leading_zeros());
    let edge = index.checked_shr(inner).unwrap_or(0).count_ones();
    usize::try_from(inner.saturating_add(edge)).unwrap_or(usize::MAX)
}

/// Number of hashes in a consistency path (`old_size <= new_size`).
fn consistency_path_len(old_size: u64, new_size: u64) -> usize {
    if old_size == 0 || old_size == new_size {
        return 0;
    }
    // The inclusion path of the old tree's last leaf, from the level of its last complete subtree
    // up, and that subtree itself unless it is the whole old tree.
    let level = old_size.trailing_zeros();
    let shifted = |size: u64| size.saturating_sub(1).checked_shr(level).unwrap_or(0);
    let above = inclusion_path_len(shifted(old_size), shifted(new_size).saturating_add(1));
    above.saturating_add(usize::from(!old_size.is_power_of_two()))
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The leaf is beyond the tree, or the older tree larger than the newer.
    #[error("{index} is beyond the tree of {size} leaves")]
    OutOfRange {
        /// The leaf or the old size claimed.
        index: u64,
        /// Number of leaves.
        size: u64,
    },
    /// Index and sizes dictate another number of hashes.
    #[error("the path has {found} hashes, not {expected}")]
    PathLength {
        /// What index and sizes dictate.
        expected: usize,
        /// What the proof has.
        found: usize,
    },
    /// The path leads to another root.
    #[error("the path does not lead to the root")]
    Root,
}
