use proptest::prelude::*;
use smkit::sm3::sm3;

use super::*;

fn leaf(number: u64) -> BatchLeaf {
    let mut leaf = BatchLeaf::of(sm3(&number.to_be_bytes()));
    if number.is_multiple_of(2) {
        leaf.size_bytes = Some(number);
    }
    if number.is_multiple_of(3) {
        leaf.media_type = Some("application/pdf".to_owned());
    }
    if number.is_multiple_of(5) {
        leaf.reference = Some(format!("卷宗 {number}"));
    }
    leaf
}

fn tree(size: u64) -> BatchTree {
    BatchTree::new(&(0..size).map(|n| leaf(n).hash()).collect::<Vec<_>>()).unwrap()
}

fn entry(tree: &BatchTree, index: u64) -> BatchEntry {
    BatchEntry { leaf: leaf(index), inclusion: tree.path(index).unwrap() }
}

#[test]
fn every_digest_of_every_small_batch_has_its_path() {
    for size in 1..40 {
        let tree = tree(size);
        for index in 0..size {
            let entry = entry(&tree, index);
            let bytes = entry.to_bytes().unwrap();
            assert_eq!(BatchEntry::from_bytes(&bytes).unwrap(), entry);
            entry.verify(&tree.root()).unwrap();
        }
        assert_eq!(tree.path(size), None);
    }
}

#[test]
fn the_leaf_is_these_bytes() {
    let leaf = BatchLeaf {
        sm3: sm3(b"abc"),
        size_bytes: Some(3),
        media_type: Some("text/plain".to_owned()),
        reference: None,
    };
    let mut expected = b"changbai/core/batch-leaf/v1".to_vec();
    expected.extend(sm3(b"abc").as_bytes());
    expected.extend([1, 0, 0, 0, 0, 0, 0, 0, 3, 1, 0, 10]);
    expected.extend(b"text/plain\0");
    assert_eq!(leaf.to_bytes(), expected);
    assert_eq!(BatchLeaf::from_bytes(&expected), Some(leaf));
}

/// Leaves and root as OpenSSL's SM3 gives them, put together by hand from FORMAT.md §2.1.
#[test]
fn the_root_is_what_another_implementation_computes() {
    let leaf = |number: u64| BatchLeaf {
        sm3: sm3(&number.to_be_bytes()),
        size_bytes: Some(number),
        media_type: Some("application/pdf".to_owned()),
        reference: Some(format!("A-{number}")),
    };
    let hashes = [1, 2, 3].map(|number| leaf(number).hash());
    assert_eq!(
        hashes[0].to_string(),
        "0f2c1b428f910cbe717eadadc728a39c11b8f1a2bd7855ffb272e24c08c93be5"
    );
    assert_eq!(
        BatchTree::new(&hashes).unwrap().root().root.to_string(),
        "7f29ebff767a2a65966597705e2d66cf06ae82b5e7f42bf3b6a54abb1318ea9a"
    );
}

#[test]
fn a_batch_has_1_to_100_000_digests() {
    assert!(BatchTree::new(&[]).is_none());
    let hash = leaf(1).hash();
    assert!(BatchTree::new(&vec![hash; crate::limits::BATCH_DIGESTS_MAX]).is_some());
    assert!(BatchTree::new(&vec![hash; crate::limits::BATCH_DIGESTS_MAX + 1]).is_none());
}

#[test]
fn what_is_said_about_a_digest_has_a_form() {
    let with = |change: fn(&mut BatchLeaf)| {
        let mut leaf = leaf(1);
        change(&mut leaf);
        leaf.check()
    };
    assert_eq!(with(|l| l.size_bytes = Some(1 << 53)), Err(LeafError::Size));
    assert_eq!(with(|l| l.media_type = Some("PDF".to_owned())), Err(LeafError::MediaType));
    assert_eq!(with(|l| l.reference = Some(String::new())), Err(LeafError::Reference));
    assert_eq!(with(|l| l.reference = Some("件".repeat(129))), Err(LeafError::Reference));
    assert_eq!(with(|l| l.reference = Some("件".repeat(128))), Ok(()));
    assert!(!format!("{:?}", leaf(15)).contains("卷宗"));
}

#[test]
fn a_path_of_another_size_is_refused() {
    let (small, large) = (tree(4), tree(8));
    let mut entry = entry(&small, 1);
    entry.verify(&small.root()).unwrap();
    assert!(entry.verify(&large.root()).is_err());
    entry.inclusion.size = 8;
    assert!(entry.verify(&small.root()).is_err());
    let foreign = BatchRoot { size: 5, ..small.root() };
    assert!(entry.verify(&foreign).is_err());
}

proptest! {
    #[test]
    fn any_flipped_bit_of_an_entry_is_rejected(
        size in 1_u64..50, index in 0_u64..50, at in 0_usize..10_000, bit in 0_u8..8,
    ) {
        let tree = tree(size);
        let entry = entry(&tree, index % size);
        let mut bytes = entry.to_bytes().unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let verdict = BatchEntry::from_bytes(&bytes).map(|changed| changed.verify(&tree.root()));
        prop_assert!(!matches!(verdict, Ok(Ok(()))));
    }

    #[test]
    fn a_leaf_has_one_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let whole = [crate::domain::BATCH_LEAF, &bytes].concat();
        if let Some(leaf) = BatchLeaf::from_bytes(&whole) {
            prop_assert_eq!(leaf.to_bytes(), whole);
        }
    }
}
