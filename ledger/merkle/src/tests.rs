#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::{collections::BTreeMap, convert::Infallible, fmt::Write as _};

use proptest::prelude::*;
use smkit::Sm3Digest;

use super::*;

struct Nodes(BTreeMap<NodeId, Sm3Digest>);

impl NodeSource for Nodes {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
        Ok(self.0.get(&id).copied())
    }
}

fn leaves(count: u64) -> Vec<Sm3Digest> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn grow(count: u64) -> (Frontier, Nodes) {
    let (mut tree, mut nodes) = (Frontier::new(), Nodes(BTreeMap::new()));
    for leaf in leaves(count) {
        tree.append(leaf, &mut |id, hash| {
            assert!(nodes.0.insert(id, hash).is_none(), "a node is emitted once");
        })
        .unwrap();
    }
    (tree, nodes)
}

/// MTH of RFC 6962 §2.1, as written there.
fn naive_root(leaves: &[Sm3Digest]) -> Sm3Digest {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(naive_split(leaves.len()));
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962 §2.1.1, as written there.
fn naive_path(index: usize, leaves: &[Sm3Digest]) -> Vec<Sm3Digest> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let k = naive_split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if index < k {
        (naive_path(index, left), naive_root(right))
    } else {
        (naive_path(index - k, right), naive_root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 6962 §2.1.2, as written there.
fn naive_subproof(old: usize, leaves: &[Sm3Digest], whole: bool) -> Vec<Sm3Digest> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let k = naive_split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if old <= k {
        (naive_subproof(old, left, whole), naive_root(right))
    } else {
        (naive_subproof(old - k, right, false), naive_root(left))
    };
    path.push(sibling);
    path
}

fn naive_split(len: usize) -> usize {
    let mut k = 1;
    while k * 2 < len {
        k *= 2;
    }
    k
}

fn flip(digest: &Sm3Digest, bit: usize) -> Sm3Digest {
    let mut bytes = *digest.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Sm3Digest::new(bytes)
}

#[test]
fn many_leaves_at_once_make_the_same_tree() {
    let entries: Vec<_> = (0..70u64).map(u64::to_be_bytes).collect();
    assert_eq!(leaf_hashes(&entries), leaves(70));
    for first in 0..=35u64 {
        for count in 0..=35u64 {
            let (mut tree, mut nodes) = grow(first);
            let all = leaves(first + count);
            let added = &all[usize::try_from(first).unwrap()..];
            let sink = &mut |id, hash| assert_eq!(nodes.0.insert(id, hash), None);
            tree.append_many(added, sink).unwrap();
            let (expected, expected_nodes) = grow(first + count);
            assert_eq!(tree, expected, "{first} + {count}");
            assert_eq!(nodes.0, expected_nodes.0, "{first} + {count}");
        }
    }
}

#[test]
fn agrees_with_the_naive_model() {
    for size in 0..=64 {
        let all = leaves(size);
        let (tree, nodes) = grow(size);
        let root = naive_root(&all);
        assert_eq!(tree.root(), root, "size {size}");
        assert_eq!(tree_root(&nodes, size).unwrap(), root);
        assert_eq!(Frontier::from_bytes(&tree.to_bytes()).unwrap(), tree);
        // The 64-leaf tree's nodes prove every smaller tree as well.
        for index in 0..size {
            let proof = prove_inclusion(&nodes, index, size).unwrap();
            let at = usize::try_from(index).unwrap();
            assert_eq!(proof.path, naive_path(at, &all), "{index} of {size}");
            proof.verify(&all[at], &root).unwrap();
            for (other, leaf) in all.iter().enumerate() {
                assert_eq!(proof.verify(leaf, &root).is_ok(), other == at);
            }
        }
    }
}

#[test]
fn inclusion_claims_other_than_the_proven_one_fail() {
    let (_, nodes) = grow(64);
    let all = leaves(64);
    for size in 1..=33u64 {
        let root = naive_root(&all[..usize::try_from(size).unwrap()]);
        for index in 0..size {
            let proof = prove_inclusion(&nodes, index, size).unwrap();
            let leaf = all[usize::try_from(index).unwrap()];
            for (i, s) in (0..40).flat_map(|i| (0..40).map(move |s| (i, s))) {
                let claim = InclusionProof { index: i, size: s, path: proof.path.clone() };
                let verdict = claim.verify(&leaf, &root);
                if i != index && size.is_power_of_two() && s == size {
                    assert!(verdict.is_err(), "{index}/{size} passes as {i}/{s}");
                }
                if i >= s {
                    assert_eq!(verdict, Err(ProofError::OutOfRange { index: i, size: s }));
                }
                if (i, s) == (index, size) {
                    verdict.unwrap();
                }
            }
        }
    }
}

#[test]
fn consistency_holds_for_all_pairs() {
    let (_, nodes) = grow(32);
    let all = leaves(32);
    let roots: Vec<_> = (0..=32).map(|n| naive_root(&all[..n])).collect();
    for new in 0..=32usize {
        for old in 0..=new {
            let proof = prove_consistency(&nodes, old as u64, new as u64).unwrap();
            if old > 0 {
                assert_eq!(proof.path, naive_subproof(old, &all[..new], true), "{old} to {new}");
            }
            proof.verify(&roots[old], &roots[new]).unwrap();
            for other in (0..=32).filter(|other| *other != old) {
                assert!(proof.verify(&roots[other], &roots[new]).is_err());
            }
            if old > 0 {
                for other in (0..=32).filter(|other| *other != new) {
                    assert!(proof.verify(&roots[old], &roots[other]).is_err());
                }
            }
        }
    }
}

#[test]
fn changed_and_resized_paths_are_refused() {
    let (tree, nodes) = grow(27);
    let root = tree.root();
    let old_root = naive_root(&leaves(11));
    for index in 0..27 {
        let proof = prove_inclusion(&nodes, index, 27).unwrap();
        let leaf = leaf_hash(&index.to_be_bytes());
        for at in 0..proof.path.len() {
            for bit in 0..256 {
                let mut bad = proof.clone();
                bad.path[at] = flip(&bad.path[at], bit);
                assert_eq!(bad.verify(&leaf, &root), Err(ProofError::Root));
            }
        }
        for path in resized(&proof.path) {
            let verdict = InclusionProof { path, ..proof }.verify(&leaf, &root);
            assert!(matches!(verdict, Err(ProofError::PathLength { .. })));
        }
    }
    let proof = prove_consistency(&nodes, 11, 27).unwrap();
    for at in 0..proof.path.len() {
        for bit in 0..256 {
            let mut bad = proof.clone();
            bad.path[at] = flip(&bad.path[at], bit);
            assert_eq!(bad.verify(&old_root, &root), Err(ProofError::Root));
        }
    }
    for path in resized(&proof.path) {
        let verdict = ConsistencyProof { path, ..proof }.verify(&old_root, &root);
        assert!(matches!(verdict, Err(ProofError::PathLength { .. })));
    }
}

fn resized(path: &[Sm3Digest]) -> [Vec<Sm3Digest>; 3] {
    let longer = [path, &[empty_root()]].concat();
    [path[1..].to_vec(), longer, vec![empty_root(); 65]]
}

#[test]
fn proofs_that_cannot_be_built_say_why() {
    let (_, mut nodes) = grow(5);
    assert_eq!(prove_inclusion(&nodes, 5, 5), Err(ProveError::OutOfRange { index: 5, size: 5 }));
    assert!(matches!(prove_consistency(&nodes, 6, 5), Err(ProveError::OutOfRange { .. })));
    let missing = NodeId { level: 1, index: 0 };
    nodes.0.remove(&missing);
    assert_eq!(prove_inclusion(&nodes, 2, 4), Err(ProveError::Missing(missing)));
    assert!(matches!(prove_inclusion(&nodes, 0, 9), Err(ProveError::Missing(_))));
    assert!(prove_inclusion(&nodes, 0, u64::MAX).is_err());
}

#[test]
fn extreme_sizes_do_not_panic() {
    for (index, size) in [(0, u64::MAX), (u64::MAX - 1, u64::MAX), (1 << 63, u64::MAX)] {
        for len in [0, 1, 63, 64, 65] {
            let path = vec![empty_root(); len];
            let proof = InclusionProof { index, size, path: path.clone() };
            assert!(proof.verify(&empty_root(), &empty_root()).is_err());
            let proof = ConsistencyProof { old_size: index, new_size: size, path };
            let verdict = proof.verify(&empty_root(), &leaf_hash(b"another root"));
            assert!(verdict.is_err() || index == 0);
        }
    }
}

#[test]
fn frontier_bytes_are_strict() {
    let bytes = grow(11).0.to_bytes();
    assert_eq!(bytes.len(), 8 + 3 * 32);
    for len in 0..bytes.len() {
        assert_eq!(Frontier::from_bytes(&bytes[..len]), Err(FrontierError::Length));
    }
    let longer = [bytes.as_slice(), &[0; 32]].concat();
    assert_eq!(Frontier::from_bytes(&longer), Err(FrontierError::Length));
    let full = [[0xff; 8].as_slice(), &[0; 64 * 32]].concat();
    let mut full = Frontier::from_bytes(&full).unwrap();
    let before = full.clone();
    assert_eq!(full.append(empty_root(), &mut |_, _| ()), Err(FrontierError::Full));
    assert_eq!(full.append_many(&[empty_root()], &mut |_, _| ()), Err(FrontierError::Full));
    assert_eq!(full, before);
}

#[test]
fn published_vectors() {
    let mut text = String::new();
    writeln!(text, "empty {}", empty_root()).unwrap();
    for size in 1..=8u64 {
        let (tree, nodes) = grow(size);
        writeln!(text, "root {size} {}", tree.root()).unwrap();
        for index in 0..size {
            let path: Vec<_> = prove_inclusion(&nodes, index, size)
                .unwrap()
                .path
                .iter()
                .map(ToString::to_string)
                .collect();
            writeln!(text, "inclusion {index} {size} {}", path.join(" ")).unwrap();
        }
    }
    assert_eq!(
        text.lines().map(str::trim_end).collect::<Vec<_>>(),
        VECTORS.lines().collect::<Vec<_>>()
    );
}

const VECTORS: &str = include_str!("../testdata/rfc6962-sm3.txt");

proptest! {
    #[test]
    fn proofs_hold_in_larger_trees(size in 1u64..2_000, pick in any::<u64>(), old in any::<u64>()) {
        let (tree, nodes) = grow(size);
        let index = pick % size;
        let proof = prove_inclusion(&nodes, index, size).unwrap();
        prop_assert!(proof.verify(&leaf_hash(&index.to_be_bytes()), &tree.root()).is_ok());
        let old = old % (size + 1);
        let proof = prove_consistency(&nodes, old, size).unwrap();
        prop_assert!(proof.verify(&grow(old).0.root(), &tree.root()).is_ok());
    }

    #[test]
    fn hostile_proofs_never_panic(
        index in any::<u64>(),
        size in any::<u64>(),
        hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let path: Vec<_> = hashes.into_iter().map(Sm3Digest::new).collect();
        let proof = InclusionProof { index, size, path: path.clone() };
        prop_assert!(proof.verify(&empty_root(), &empty_root()).is_err());
        let proof = ConsistencyProof { old_size: index, new_size: size, path };
        let _ = proof.verify(&empty_root(), &empty_root());
    }

    #[test]
    fn frontier_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_200)) {
        if let Ok(tree) = Frontier::from_bytes(&bytes) {
            prop_assert_eq!(tree.to_bytes(), bytes);
        }
    }
}
