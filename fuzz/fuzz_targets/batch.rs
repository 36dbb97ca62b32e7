//! Batches: lines, a digest's place and a leaf; what is accepted is within its bounds and has one form.
#![no_main]

use std::collections::BTreeSet;
use std::io::{self, Read};

use changbai_api::batch::parse_batch;
use changbai_core::{BatchEntry, BatchLeaf};

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("batch"), |data: &[u8]| {
    let whole = lines(data);
    assert_eq!(whole, lines(Slow(data)), "lines depend on how the bytes arrive");
    if let Some((leaves, faults)) = whole {
        let digests: BTreeSet<_> = leaves.iter().map(|leaf| leaf.sm3).collect();
        assert_eq!(digests.len(), leaves.len(), "a digest twice");
        assert!(faults <= 100 && leaves.iter().all(|leaf| leaf.check().is_ok()));
        for leaf in &leaves {
            assert_eq!(BatchLeaf::from_bytes(&leaf.to_bytes()).as_ref(), Some(leaf));
        }
    }
    if let Ok(entry) = BatchEntry::from_bytes(data) {
        assert_eq!(entry.to_bytes().expect("an entry can be written"), data, "an entry has two forms");
    }
    if let Some(leaf) = BatchLeaf::from_bytes(data) {
        assert_eq!(leaf.to_bytes(), data, "a leaf has two forms");
    }
});

fn lines(source: impl Read) -> Option<(Vec<BatchLeaf>, usize)> {
    let mut leaves = Vec::new();
    let lines = parse_batch(source, &mut |leaf| {
        leaves.push(leaf.clone());
        Ok(())
    });
    Some((leaves, lines.ok()?.faults.len()))
}

/// Gives three bytes at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(3);
        self.0.read(&mut into[..count])
    }
}
