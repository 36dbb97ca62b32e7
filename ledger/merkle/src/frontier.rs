//! The right edge of a growing tree.

use smkit::Sm3Digest;
use thiserror::Error;

use crate::{NodeId, empty_root, node_hash, node_hashes};

/// The compact range of a tree: its size and the roots of its maximal complete subtrees.
///
/// Cloning is cheap; a clone is a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One hash per set bit of `size`, largest subtree first.
    peaks: Vec<Sm3Digest>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads [`Frontier::to_bytes`] back.
    ///
    /// # Errors
    /// [`FrontierError::Length`] if the number of hashes does not fit the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(FrontierError::Length)?;
        let size = u64::from_be_bytes(*size);
        let (hashes, []) = rest.as_chunks::<32>() else { return Err(FrontierError::Length) };
        if usize::try_from(size.count_ones()) != Ok(hashes.len()) {
            return Err(FrontierError::Length);
        }
        Ok(Self { size, peaks: hashes.iter().map(|hash| Sm3Digest::new(*hash)).collect() })
    }

    /// Appends a leaf's hash and hands the leaf and every node it completes to `sink`, bottom up.
    ///
    /// # Errors
    /// [`FrontierError::Full`] after 2⁶⁴ − 1 leaves; nothing has changed then.
    pub fn append(
        &mut self,
        leaf: Sm3Digest,
        sink: &mut dyn FnMut(NodeId, Sm3Digest),
    ) -> Result<(), FrontierError> {
        let size = self.size.checked_add(1).ok_or(FrontierError::Full)?;
        let (mut level, mut index, mut hash) = (0u8, self.size, leaf);
        sink(NodeId { level, index }, hash);
        // A right child (odd index) completes its parent together with the last peak.
        while index & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = node_hash(&left, &hash);
            level = level.saturating_add(1);
            index >>= 1;
            sink(NodeId { level, index }, hash);
        }
        self.peaks.push(hash);
        self.size = size;
        Ok(())
    }

    /// Appends the leaves' hashes in order, as [`Frontier::append`] would one by one, but hashes each level's nodes
    /// side by side. `sink` gets every leaf and completed node once, level by level.
    ///
    /// # Errors
    /// [`FrontierError::Full`] beyond 2⁶⁴ − 1 leaves; nothing has changed then.
    pub fn append_many(
        &mut self,
        leaves: &[Sm3Digest],
        sink: &mut dyn FnMut(NodeId, Sm3Digest),
    ) -> Result<(), FrontierError> {
        let count = u64::try_from(leaves.len()).map_err(|_| FrontierError::Full)?;
        let size = self.size.checked_add(count).ok_or(FrontierError::Full)?;
        let mut new_peaks = Vec::new();
        let (mut level, mut start, mut subtrees) = (0u8, self.size, leaves.to_vec());
        while !subtrees.is_empty() {
            for (index, hash) in (start..).zip(&subtrees) {
                sink(NodeId { level, index }, *hash);
            }
            // An odd start: the last peak is of this level and the first subtree's left sibling.
            if start & 1 == 1
                && let Some(left) = self.peaks.pop()
            {
                subtrees.insert(0, left);
            }
            let (pairs, rest) = subtrees.as_chunks::<2>();
            new_peaks.extend(rest);
            subtrees = node_hashes(pairs);
            level = level.saturating_add(1);
            start >>= 1;
        }
        self.peaks.extend(new_peaks.iter().rev());
        self.size = size;
        Ok(())
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The RFC 6962 root of all leaves so far.
    #[must_use]
    pub fn root(&self) -> Sm3Digest {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(empty_root)
    }

    /// The u64 size, big-endian, then one 32-byte hash per set bit of it, largest subtree first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let hashes = self.peaks.iter().flat_map(|peak| peak.as_bytes().iter().copied());
        self.size.to_be_bytes().into_iter().chain(hashes).collect()
    }
}

/// Why a frontier cannot be read or grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrontierError {
    /// The bytes do not hold one hash per set bit of the size.
    #[error("frontier has the wrong length for its size")]
    Length,
    /// The tree has 2⁶⁴ − 1 leaves.
    #[error("the tree is full")]
    Full,
}
