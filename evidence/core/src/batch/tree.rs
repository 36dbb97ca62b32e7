//! The tree of a batch, kept whole, so that any digest's path can be read from it.

use std::convert::Infallible;

use changbai_merkle::{Frontier, InclusionProof, NodeId, NodeSource, prove_inclusion};
use smkit::sm3::Sm3Digest;

use super::BatchRoot;
use crate::limits::BATCH_DIGESTS_MAX;

/// All nodes of a batch's tree: about 64 bytes a leaf.
#[derive(Clone, Debug)]
pub struct BatchTree {
    root: BatchRoot,
    /// Complete subtrees, level by level, each from the left.
    levels: Vec<Vec<Sm3Digest>>,
}

impl BatchTree {
    /// The tree over the leaves' hashes ([`BatchLeaf::hash`](super::BatchLeaf::hash)), in order; `None` for no leaf
    /// or more than 100,000.
    #[must_use]
    pub fn new(leaves: &[Sm3Digest]) -> Option<Self> {
        if leaves.is_empty() || leaves.len() > BATCH_DIGESTS_MAX {
            return None;
        }
        let mut levels: Vec<Vec<Sm3Digest>> = Vec::new();
        let mut frontier = Frontier::new();
        let mut sink = |id: NodeId, hash: Sm3Digest| {
            let level = usize::from(id.level);
            if levels.len() <= level {
                levels.resize_with(level + 1, Vec::new);
            }
            if let Some(nodes) = levels.get_mut(level) {
                nodes.push(hash);
            }
        };
        frontier.append_many(leaves, &mut sink).ok()?;
        Some(Self { root: BatchRoot { root: frontier.root(), size: frontier.size() }, levels })
    }

    /// What the record carries.
    #[must_use]
    pub const fn root(&self) -> BatchRoot {
        self.root
    }

    /// The path of leaf `index`; `None` if there is none.
    #[must_use]
    pub fn path(&self, index: u64) -> Option<InclusionProof> {
        prove_inclusion(self, index, self.root.size).ok()
    }
}

impl NodeSource for BatchTree {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
        let level = self.levels.get(usize::from(id.level));
        let index = usize::try_from(id.index).ok();
        Ok(level.zip(index).and_then(|(nodes, index)| nodes.get(index).copied()))
    }
}
