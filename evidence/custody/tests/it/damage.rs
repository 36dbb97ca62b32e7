use std::fs;

use changbai_custody::{CustodyError, limits::CHUNK_BYTES};
use smkit::sm3;

use crate::support::{Store, content};

/// The fixed part, and the sealed metadata, whose length is its last field.
fn header_bytes(envelope: &[u8]) -> usize {
    36 + u32::from_be_bytes(envelope[32..36].try_into().unwrap()) as usize
}

const TRAILER: usize = 60;
const SEALED: usize = CHUNK_BYTES + 16;

/// Puts `bytes` in place of the envelope; reading must fail, name the file and hand out a true beginning at most.
fn refused(store: &Store, original: &[u8], bytes: &[u8]) -> u64 {
    let sm3 = sm3(original);
    fs::write(store.object(&sm3), bytes).unwrap();
    let (error, before) = store.read(&sm3).expect_err("damage is noticed");
    assert!(original.starts_with(&before) && before.len() < original.len().max(1));
    match error {
        CustodyError::Damaged { file, offset, .. } => {
            assert_eq!(file, store.object(&sm3));
            offset
        }
        other => panic!("{other}"),
    }
}

#[test]
fn every_flipped_byte_of_small_envelopes_is_refused() {
    let store = Store::new();
    for length in [0, 1, 100] {
        let original = content(length);
        let stored = store.keep(&original);
        let envelope = fs::read(store.object(&stored.sm3)).unwrap();
        for position in 0..envelope.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut changed = envelope.clone();
                changed[position] ^= flip;
                let offset = refused(&store, &original, &changed) as usize;
                // The part that is named begins at or before the changed byte.
                assert!(offset <= position, "byte {position}: {offset}");
                let parts = [header_bytes(&envelope), envelope.len() - TRAILER];
                let part = parts.into_iter().filter(|at| *at <= position).max().unwrap_or(0);
                assert!(offset >= part, "byte {position}: {offset}");
            }
        }
    }
}

#[test]
fn every_truncation_and_extension_of_a_small_envelope_is_refused() {
    let store = Store::new();
    let original = content(100);
    let stored = store.keep(&original);
    let envelope = fs::read(store.object(&stored.sm3)).unwrap();
    for length in 0..envelope.len() {
        refused(&store, &original, &envelope[..length]);
    }
    for extra in [&[0][..], &envelope[envelope.len() - TRAILER..], &envelope] {
        refused(&store, &original, &[&envelope, extra].concat());
    }
}

#[test]
fn chunks_cannot_be_moved_dropped_or_repeated() {
    let store = Store::new();
    let original = content(3 * CHUNK_BYTES);
    let stored = store.keep(&original);
    let envelope = fs::read(store.object(&stored.sm3)).unwrap();
    let header_bytes = header_bytes(&envelope);
    let chunk = |n: usize| &envelope[header_bytes + n * SEALED..header_bytes + (n + 1) * SEALED];
    let (header, trailer) = (&envelope[..header_bytes], &envelope[envelope.len() - TRAILER..]);
    let with = |order: &[usize]| {
        let chunks: Vec<&[u8]> = order.iter().map(|n| chunk(*n)).collect();
        [header, &chunks.concat(), trailer].concat()
    };
    assert!(with(&[0, 1, 2]) == envelope);
    assert_eq!(refused(&store, &original, &with(&[1, 0, 2])), header_bytes as u64);
    assert_eq!(refused(&store, &original, &with(&[0, 2, 1])), (header_bytes + SEALED) as u64);
    assert_eq!(refused(&store, &original, &with(&[0, 1, 1])), (header_bytes + 2 * SEALED) as u64);
    for order in [&[0, 1][..], &[0, 1, 2, 2], &[0], &[]] {
        refused(&store, &original, &with(order));
    }
    // A flipped byte deep inside names its chunk, and the chunks before it were handed out.
    let mut changed = envelope.clone();
    changed[header_bytes + SEALED + 77] ^= 1;
    assert_eq!(refused(&store, &original, &changed), (header_bytes + SEALED) as u64);
}

#[test]
fn an_envelope_under_another_name_is_refused() {
    let store = Store::new();
    let (one, other) = (store.keep(b"one"), store.keep(b"other"));
    let envelope = fs::read(store.object(&one.sm3)).unwrap();
    fs::write(store.object(&other.sm3), envelope).unwrap();
    let (error, _) = store.read(&other.sm3).unwrap_err();
    assert!(matches!(error, CustodyError::Damaged { .. }), "{error}");
    // Header of one, body of another.
    let original = b"three".to_vec();
    let three = store.keep(&original);
    let own = fs::read(store.object(&three.sm3)).unwrap();
    let foreign = fs::read(store.object(&one.sm3)).unwrap();
    refused(
        &store,
        &original,
        &[&foreign[..header_bytes(&foreign)], &own[header_bytes(&own)..]].concat(),
    );
}

#[test]
fn a_damaged_key_is_refused_and_never_replaced() {
    let store = Store::new();
    let original = content(10);
    let stored = store.keep(&original);
    let kek = store.root.join("kek");
    let key = fs::read(&kek).unwrap();
    for position in 0..key.len() {
        for flip in [0x01, 0x20] {
            let mut changed = key.clone();
            changed[position] ^= flip;
            fs::write(&kek, &changed).unwrap();
            let error = store.reopen().expect_err("a damaged key is noticed");
            let CustodyError::Damaged { file, offset, .. } = &error else { panic!("{error}") };
            assert_eq!(*file, kek);
            assert!(*offset <= key.len() as u64);
            assert_eq!(fs::read(&kek).unwrap(), changed, "it is left as it was found");
        }
    }
    for length in 0..key.len() {
        fs::write(&kek, &key[..length]).unwrap();
        assert!(matches!(store.reopen(), Err(CustodyError::Damaged { .. })));
    }
    fs::write(&kek, [&key[..], b"\n"].concat()).unwrap();
    assert!(matches!(store.reopen(), Err(CustodyError::Damaged { .. })));

    fs::remove_file(&kek).unwrap();
    let error = store.reopen().unwrap_err();
    assert!(matches!(&error, CustodyError::Damaged { file, .. } if *file == kek));
    assert!(!kek.exists());
    fs::write(&kek, &key).unwrap();

    // Another store's keys open nothing here.
    let other = Store::new();
    for name in ["kek", "owner"] {
        let own = fs::read(store.root.join(name)).unwrap();
        fs::copy(other.root.join(name), store.root.join(name)).unwrap();
        let error = store.reopen().unwrap().open_original(&stored.sm3).unwrap_err();
        assert!(matches!(error, CustodyError::Damaged { .. }), "{error}");
        fs::write(store.root.join(name), own).unwrap();
        assert_eq!(store.check(&stored.sm3).unwrap(), 10);
    }
}

#[test]
fn errors_and_debug_show_no_key() {
    let store = Store::new();
    let key = fs::read_to_string(store.root.join("kek")).unwrap();
    let digits = key.lines().next().unwrap();
    let stored = store.keep(b"x");
    let shown = format!("{:?} {:?}", store.custody, store.custody.open_original(&stored.sm3));
    assert!(!shown.contains(digits));
    fs::write(
        store.root.join("kek"),
        key.replace(digits, &digits.replace('0', "1").replace('a', "b")),
    )
    .unwrap();
    if let Err(error) = store.reopen() {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(&digits[4..12]), "{shown}");
    }
}
