use std::{fs, io::Read};

use changbai_custody::{CustodyError, limits::CHUNK_BYTES};
use proptest::prelude::*;
use smkit::sm3;

use crate::support::{Store, content, files};

#[test]
fn an_original_above_the_bound_leaves_nothing() {
    let store = Store::new();
    let mut ingest = store.custody.ingest(1_000).unwrap();
    ingest.write(&content(1_000)).unwrap();
    let error = ingest.write(b"x").unwrap_err();
    assert!(matches!(error, CustodyError::TooLarge { bytes_max: 1_000 }));
    assert!(matches!(ingest.write(b""), Err(CustodyError::Seal(_))));
    assert!(matches!(ingest.finish(), Err(CustodyError::Seal(_))));
    assert!(files(&store.root.join("incoming")).is_empty());
    assert!(files(&store.root.join("objects")).is_empty());
}

#[test]
fn an_abandoned_ingest_leaves_nothing() {
    let store = Store::new();
    let mut ingest = store.custody.ingest(u64::MAX).unwrap();
    ingest.write(&content(2 * CHUNK_BYTES)).unwrap();
    assert_eq!(files(&store.root.join("incoming")).len(), 1);
    drop(ingest);
    let is_key = |file: &std::path::PathBuf| file.ends_with("kek") || file.ends_with("owner");
    assert!(files(&store.root).iter().all(is_key));
}

#[test]
fn leftovers_of_a_crash_are_removed_at_open() {
    let store = Store::new();
    let mut ingest = store.custody.ingest(u64::MAX).unwrap();
    ingest.write(&content(CHUNK_BYTES + 1)).unwrap();
    // The process ends here without unwinding.
    std::mem::forget(ingest);
    assert_eq!(files(&store.root.join("incoming")).len(), 1);
    let again = store.reopen().unwrap();
    assert!(files(&store.root.join("incoming")).is_empty());
    again.ingest(1).unwrap().finish().unwrap();
}

#[test]
fn concurrent_ingests_do_not_mix() {
    let store = Store::new();
    std::thread::scope(|scope| {
        for n in 0..8_u8 {
            let custody = &store.custody;
            scope.spawn(move || {
                let original = vec![n % 4; CHUNK_BYTES + usize::from(n % 4)];
                let mut ingest = custody.ingest(u64::MAX).unwrap();
                for part in original.chunks(100_000) {
                    ingest.write(part).unwrap();
                }
                let stored = ingest.finish().unwrap();
                assert_eq!(stored.sm3, sm3(&original));
            });
        }
    });
    let objects = files(&store.root.join("objects"));
    assert_eq!(objects.len(), 4);
    for n in 0..4_u8 {
        let original = vec![n; CHUNK_BYTES + usize::from(n)];
        assert_eq!(store.read(&sm3(&original)).unwrap(), original);
    }
}

#[test]
fn a_large_original_takes_no_more_memory_than_a_chunk_or_two() {
    let store = Store::new();
    let piece = content(1 << 16);
    let mut ingest = store.custody.ingest(u64::MAX).unwrap();
    ingest.write(&content(3 * CHUNK_BYTES)).unwrap();
    let before = resident_bytes();
    for _ in 0..1_024 {
        ingest.write(&piece).unwrap();
    }
    let while_writing = resident_bytes();
    let stored = ingest.finish().unwrap();
    assert_eq!(stored.size_bytes, (67 << 20));
    let mut reader = store.custody.open_original(&stored.sm3).unwrap();
    let mut out = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        match reader.read(&mut out).unwrap() {
            0 => break,
            count => total += count as u64,
        }
    }
    assert_eq!(total, stored.size_bytes);
    let after = resident_bytes();
    for now in [while_writing, after] {
        assert!(now.saturating_sub(before) < 16 << 20, "{before} bytes grew to {now}");
    }
}

fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// How the bytes arrive and how they are read makes no difference.
    #[test]
    fn pieces_do_not_matter(
        length in 0..3 * CHUNK_BYTES,
        pieces in prop::collection::vec(1..700_000_usize, 1..8),
        read in 1..2_000_000_usize,
    ) {
        let store = Store::new();
        let original = content(length);
        let mut ingest = store.custody.ingest(length as u64).unwrap();
        let mut rest = original.as_slice();
        for piece in pieces.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at((*piece).min(rest.len()));
            ingest.write(now).unwrap();
            rest = later;
        }
        let stored = ingest.finish().unwrap();
        prop_assert_eq!(stored.sm3, sm3(&original));
        let mut reader = store.custody.open_original(&stored.sm3).unwrap();
        let (mut got, mut out) = (Vec::new(), vec![0; read]);
        loop {
            match reader.read(&mut out).unwrap() {
                0 => break,
                count => got.extend_from_slice(&out[..count]),
            }
        }
        prop_assert!(got == original);
    }
}
