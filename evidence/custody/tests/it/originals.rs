use std::{fs, io::Read, os::unix::fs::PermissionsExt};

use changbai_custody::{Custody, CustodyError, limits::CHUNK_BYTES};
use proptest::prelude::*;
use smkit::{OsRandom, Random, RandomError, sm3};

use crate::support::{Store, content, files};

#[test]
fn every_length_around_a_chunk_round_trips() {
    let store = Store::new();
    for length in [
        0,
        1,
        100,
        CHUNK_BYTES - 1,
        CHUNK_BYTES,
        CHUNK_BYTES + 1,
        3 * CHUNK_BYTES,
        3 * CHUNK_BYTES + 17,
    ] {
        let original = content(length);
        let stored = store.keep(&original);
        assert_eq!(stored.sm3, sm3(&original));
        assert_eq!(stored.size_bytes, length as u64);
        assert_eq!(stored.crc32, crc32fast::hash(&original));
        assert!(store.custody.has(&stored.sm3));
        let reader = store.custody.open_original(&stored.sm3).unwrap();
        assert_eq!((reader.size_bytes(), reader.crc32()), (length as u64, stored.crc32));
        assert_eq!(store.read(&stored.sm3).unwrap(), original, "{length}");
        assert_eq!(store.custody.check_original(&stored.sm3).unwrap(), length as u64);
        // Another process reads it too.
        let again = store.reopen().unwrap();
        assert_eq!(again.check_original(&stored.sm3).unwrap(), length as u64);
    }
    assert!(files(&store.root.join("tmp")).is_empty());
}

#[test]
fn the_content_is_not_on_disk_in_clear() {
    let store = Store::new();
    let original = b"a sentence that nobody else should read".repeat(10);
    let stored = store.keep(&original);
    let envelope = fs::read(store.object(&stored.sm3)).unwrap();
    assert_eq!(envelope.len(), original.len() + 62 + 60 + 16);
    assert!(!envelope.windows(16).any(|window| original.windows(16).any(|part| part == window)));
}

#[test]
fn the_same_original_has_one_envelope_and_a_new_ingest_heals_a_damaged_one() {
    let store = Store::new();
    let original = content(3000);
    let stored = store.keep(&original);
    assert_eq!(store.keep(&original), stored);
    assert_eq!(files(&store.root.join("objects")), [store.object(&stored.sm3)]);
    fs::write(store.object(&stored.sm3), b"bit rot").unwrap();
    assert!(store.read(&stored.sm3).is_err());
    assert_eq!(store.keep(&original), stored);
    assert_eq!(store.read(&stored.sm3).unwrap(), original);
}

#[test]
fn what_is_not_held_is_said_so() {
    let store = Store::new();
    let sm3 = sm3(b"elsewhere");
    assert!(!store.custody.has(&sm3));
    let error = store.custody.open_original(&sm3).unwrap_err();
    assert!(matches!(&error, CustodyError::NotHeld { sm3: of } if *of == sm3));
    assert_eq!(error.code().code, "EV-4042");
}

#[test]
fn an_original_above_the_bound_leaves_nothing() {
    let store = Store::new();
    let mut ingest = store.custody.ingest(1_000).unwrap();
    ingest.write(&content(1_000)).unwrap();
    let error = ingest.write(b"x").unwrap_err();
    assert!(matches!(error, CustodyError::TooLarge { bytes_max: 1_000 }));
    assert_eq!(error.code().code, "EV-4131");
    assert!(matches!(ingest.write(b""), Err(CustodyError::Failed)));
    assert!(matches!(ingest.finish(), Err(CustodyError::Failed)));
    assert!(files(&store.root.join("tmp")).is_empty());
    assert!(files(&store.root.join("objects")).is_empty());
}

#[test]
fn an_abandoned_ingest_leaves_nothing() {
    let store = Store::new();
    for drop_it in [true, false] {
        let mut ingest = store.custody.ingest(u64::MAX).unwrap();
        ingest.write(&content(2 * CHUNK_BYTES)).unwrap();
        assert_eq!(files(&store.root.join("tmp")).len(), 1);
        if drop_it {
            drop(ingest)
        } else {
            ingest.abort()
        }
        assert!(files(&store.root).iter().all(|file| file.ends_with("kek")));
    }
}

#[test]
fn leftovers_of_a_crash_are_removed_at_open() {
    let store = Store::new();
    let mut ingest = store.custody.ingest(u64::MAX).unwrap();
    ingest.write(&content(CHUNK_BYTES + 1)).unwrap();
    // The process ends here without unwinding.
    std::mem::forget(ingest);
    assert_eq!(files(&store.root.join("tmp")).len(), 1);
    let again = store.reopen().unwrap();
    assert!(files(&store.root.join("tmp")).is_empty());
    again.ingest(1).unwrap().finish().unwrap();
}

#[test]
fn only_the_owner_may_read_anything() {
    let store = Store::new();
    store.keep(b"secret");
    let _open = store.custody.ingest(10).unwrap();
    let mut folders = vec![store.root.clone()];
    while let Some(folder) = folders.pop() {
        assert_eq!(
            fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
            0o700,
            "{folder:?}"
        );
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{path:?}");
            }
        }
    }
}

#[test]
fn concurrent_ingests_do_not_mix() {
    let store = Store::new();
    std::thread::scope(|scope| {
        for n in 0..8_u8 {
            let custody = store.custody.clone();
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

#[test]
fn without_randomness_no_store_is_opened() {
    struct NoRandom;
    impl Random for NoRandom {
        fn fill(&mut self, _out: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError { reason: "none".to_owned() })
        }
    }
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Custody::open(dir.path(), &mut NoRandom), Err(CustodyError::Random)));
    // Nothing half-made is left: the next open succeeds.
    Custody::open(dir.path(), &mut OsRandom).unwrap();
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
