//! A batch in memory: any digest's leaf and path.

use std::collections::HashMap;

use changbai_core::{BatchEntry, BatchLeaf, BatchRoot, BatchTree};
use smkit::sm3::Sm3Digest;

/// All digests of a batch with their tree.
#[derive(Debug)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Where each leaf begins, behind its length.
    starts: Vec<u32>,
    by_digest: HashMap<Sm3Digest, u32>,
    tree: BatchTree,
}

impl Batch {
    /// Reads `u16 length ‖ leaf` until the end; `None` for anything else.
    pub(super) fn read(bytes: Vec<u8>) -> Option<Self> {
        let (mut starts, mut by_digest, mut leaves) = (Vec::new(), HashMap::new(), Vec::new());
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let start = u32::try_from(bytes.len().checked_sub(after.len())?).ok()?;
            let (leaf, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
            let number = u32::try_from(starts.len()).ok()?;
            by_digest.insert(BatchLeaf::from_bytes(leaf)?.sm3, number);
            starts.push(start);
            leaves.push(leaf);
            rest = after;
        }
        let tree = BatchTree::new(&changbai_merkle::leaf_hashes(&leaves))?;
        Some(Self { bytes, starts, by_digest, tree })
    }

    /// Root and number of the digests.
    #[must_use]
    pub const fn root(&self) -> BatchRoot {
        self.tree.root()
    }

    /// The place of a digest.
    #[must_use]
    pub fn index_of(&self, sm3: &Sm3Digest) -> Option<u64> {
        self.by_digest.get(sm3).copied().map(u64::from)
    }

    /// What proves digest `index`; `None` if there is none.
    #[must_use]
    pub fn entry(&self, index: u64) -> Option<BatchEntry> {
        let start = usize::try_from(*self.starts.get(usize::try_from(index).ok()?)?).ok()?;
        let length = self.bytes.get(start.checked_sub(2)?..start)?;
        let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
        let leaf = self.bytes.get(start..start.checked_add(length)?)?;
        let leaf = BatchLeaf::from_bytes(leaf)?;
        Some(BatchEntry { leaf, inclusion: self.tree.path(index)? })
    }
}
