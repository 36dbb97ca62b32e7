//! Builds RFC 6962 Merkle trees over SM3 and proves what is in them.
//!
//! It does not store nodes, know what a leaf means, or decide which root to sign: nodes go to a sink and come from
//! a [`NodeSource`], and a root is worth what the header or the signed [`Checkpoint`] that carries it is worth.
//!
//! # Model
//! - Leaves are numbered from 0. Node `(level, index)` covers the leaves
//!   `[index·2^level, (index+1)·2^level)`; only nodes that are complete are stored, and never change.
//! - [`Frontier`] is the right edge of a growing tree: at most 64 hashes, enough to append and to
//!   give the root. Appending emits the leaf and every node it completes.
//! - [`prove_inclusion`] and [`prove_consistency`] read stored nodes; verification needs nothing but
//!   the proof, so a court can do it offline.
//! - A log in the open conventions of transparency logs: [`Checkpoint`]s as signed [`Note`]s, cosignatures of
//!   witnesses, [`Tile`]s, [`TlogProof`] files and [`AddCheckpoint`] requests, byte for byte in `docs/transparency.md`.
//!
//! **Invariants**
//! - Leaves and inner nodes are hashed in different domains (`0x00`, `0x01`), so neither can pass
//!   for the other.
//! - A path has exactly the length that index and sizes dictate (at most 64); anything else is
//!   refused.
//! - No input makes this crate panic.
//!
//! # Standards
//! RFC 6962 §2.1 (tree and proofs), verification as in RFC 9162 §2.1.3.2 and §2.1.4.2, with SM3
//! (GB/T 32905-2016) for SHA-256. The text formats have the shape of C2SP signed-note, tlog-checkpoint, tlog-cosignature,
//! tlog-tiles, tlog-proof and tlog-witness; since the hash is another one, none of their identifiers is used.
//!
//! ```
//! use std::{collections::BTreeMap, convert::Infallible};
//! use changbai_merkle::{Frontier, NodeId, NodeSource, leaf_hash, prove_inclusion};
//! use smkit::Sm3Digest;
//!
//! struct Nodes(BTreeMap<NodeId, Sm3Digest>);
//! impl NodeSource for Nodes {
//!     type Error = Infallible;
//!     fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
//!         Ok(self.0.get(&id).copied())
//!     }
//! }
//!
//! let (mut tree, mut nodes) = (Frontier::new(), Nodes(BTreeMap::new()));
//! for entry in ["one", "two", "three"] {
//!     tree.append(leaf_hash(entry.as_bytes()), &mut |id, hash| { nodes.0.insert(id, hash); })?;
//! }
//! let proof = prove_inclusion(&nodes, 1, tree.size())?;
//! proof.verify(&leaf_hash(b"two"), &tree.root())?;
//! assert!(proof.verify(&leaf_hash(b"2"), &tree.root()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(clippy::arithmetic_side_effects)]

mod add_checkpoint;
mod checkpoint;
mod frontier;
mod note;
mod proof;
mod prove;
#[cfg(test)]
mod tests;
mod text;
mod tile;
mod tlog_proof;

pub use add_checkpoint::{AddCheckpoint, REQUEST_BYTES_MAX, REQUEST_PATH_MAX};
pub use checkpoint::Checkpoint;
pub use frontier::{Frontier, FrontierError};
pub use note::{
    CosignerKey, LogKey, NOTE_BYTES_MAX, Note, NoteKeyError, NoteSignature, SIGNATURES_MAX, Signed,
    VerifierKey, is_key_name,
};
pub use proof::{ConsistencyProof, InclusionProof, PATH_LEN_MAX, ProofError};
pub use prove::{NodeSource, ProveError, prove_consistency, prove_inclusion, tree_root};
pub use text::TextError;
pub use tile::{TILE_WIDTH, Tile, TileContent, read_entries, write_entries};
pub use tlog_proof::{EXTRA_BYTES_MAX, TLOG_PROOF_VERSION, TlogProof, TlogProofError};

use smkit::{Sm3Digest, sm3, sm3_many_joined, sm3_pairs, sm3_parts};

/// A complete subtree: `level` 0 is a leaf, `index` counts the subtrees of that level from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// Height of the subtree: it covers 2^level leaves.
    pub level: u8,
    /// Position among the subtrees of that level, from 0.
    pub index: u64,
}

/// Hash of a leaf: SM3(0x00 ‖ data), RFC 6962 §2.1.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Sm3Digest {
    sm3_parts(&[LEAF, data])
}

/// [`leaf_hash`] of each entry, in order, computed side by side.
#[must_use]
pub fn leaf_hashes<D: AsRef<[u8]>>(entries: &[D]) -> Vec<Sm3Digest> {
    sm3_many_joined(&entries.iter().map(|entry| [LEAF, entry.as_ref()]).collect::<Vec<_>>())
}

/// Hash of an inner node: SM3(0x01 ‖ left ‖ right), RFC 6962 §2.1.
#[must_use]
pub fn node_hash(left: &Sm3Digest, right: &Sm3Digest) -> Sm3Digest {
    sm3_parts(&[NODE, left.as_bytes(), right.as_bytes()])
}

/// [`node_hash`] of each pair of children, in order, computed side by side.
pub(crate) fn node_hashes(children: &[[Sm3Digest; 2]]) -> Vec<Sm3Digest> {
    sm3_pairs(NODE, children)
}

/// Root of the tree without leaves: SM3 of the empty string.
#[must_use]
pub fn empty_root() -> Sm3Digest {
    sm3(b"")
}

/// RFC 6962 §2.1: the prefixes keep a leaf from passing for a node.
const LEAF: &[u8] = &[0x00];
const NODE: &[u8] = &[0x01];
