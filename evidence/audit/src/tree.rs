//! Paths in small trees that are built when they are needed.

use std::collections::BTreeMap;
use std::convert::Infallible;

use changbai_merkle::{Frontier, InclusionProof, NodeId, NodeSource, prove_inclusion};
use smkit::sm3::Sm3Digest;

struct Nodes(BTreeMap<NodeId, Sm3Digest>);

impl NodeSource for Nodes {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
        Ok(self.0.get(&id).copied())
    }
}

/// Root over `leaves` and the path of one of them; `None` if there is no such leaf.
pub(crate) fn path_in(leaves: &[Sm3Digest], index: u64) -> Option<(Sm3Digest, InclusionProof)> {
    let (mut tree, mut nodes) = (Frontier::new(), Nodes(BTreeMap::new()));
    let mut keep = |id, hash| {
        nodes.0.insert(id, hash);
    };
    tree.append_many(leaves, &mut keep).ok()?;
    let proof = prove_inclusion(&nodes, index, tree.size()).ok()?;
    Some((tree.root(), proof))
}

/// Root over `leaves`.
pub(crate) fn root_of(leaves: &[Sm3Digest]) -> Option<Sm3Digest> {
    let mut tree = Frontier::new();
    tree.append_many(leaves, &mut |_, _| {}).ok()?;
    Some(tree.root())
}
