use std::{
    fs,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use smkit::{OsRandom, Sm3Digest, sm3};
use tempfile::TempDir;

use crate::limits::CHUNK_BYTES;
use crate::{Custody, CustodyError};

fn open(dir: &TempDir) -> Custody {
    Custody::open(dir.path(), &mut OsRandom).unwrap()
}

fn store(custody: &Custody, bytes: &[u8]) -> Sm3Digest {
    let mut ingest = custody.ingest(u64::MAX).unwrap();
    for piece in bytes.chunks(7_919) {
        ingest.write(piece).unwrap();
    }
    let stored = ingest.finish().unwrap();
    assert_eq!(stored.sm3, sm3(bytes));
    assert_eq!(stored.size_bytes, bytes.len() as u64);
    assert_eq!(stored.crc32, crc32fast::hash(bytes));
    stored.sm3
}

fn read(custody: &Custody, sm3: &Sm3Digest) -> Result<Vec<u8>, CustodyError> {
    let mut reader = custody.open_original(sm3)?;
    let mut bytes = Vec::new();
    match reader.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(error.downcast::<CustodyError>().unwrap()),
    }
}

/// The file of an original's object.
fn file(custody: &Custody, sm3: &Sm3Digest) -> PathBuf {
    custody.place(sm3).unwrap().unwrap().into()
}

fn header_bytes(envelope: &[u8]) -> usize {
    crate::envelope::header_bytes(envelope.first_chunk().unwrap()).unwrap()
}

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|n| u8::try_from(n % 251).unwrap()).collect()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

#[test]
fn every_size_around_a_chunk_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let custody = open(&dir);
    for len in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 17] {
        let bytes = content(len);
        let sm3 = store(&custody, &bytes);
        assert!(custody.has(&sm3));
        assert_eq!(read(&custody, &sm3).unwrap(), bytes, "{len}");
        let stored = fs::read(file(&custody, &sm3)).unwrap();
        let window = bytes.get(..16);
        assert!(window.is_none_or(|w| !stored.windows(16).any(|found| found == w)), "in clear");
    }
    assert!(files(&dir.path().join("incoming")).is_empty());
}

#[test]
fn each_changed_cut_or_added_byte_is_refused_by_file_and_offset() {
    let dir = tempfile::tempdir().unwrap();
    let custody = open(&dir);
    let sm3 = store(&custody, &content(300));
    let path = file(&custody, &sm3);
    let intact = fs::read(&path).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        let Err(CustodyError::Damaged { file, offset, .. }) = read(&custody, &sm3) else {
            panic!("{what} went unnoticed");
        };
        assert_eq!(file, path);
        assert!(offset <= bytes.len() as u64);
    };
    for at in 0..intact.len() {
        let mut bytes = intact.clone();
        bytes[at] ^= 1 << (at % 8);
        refused(&bytes, &format!("flip at {at}"));
        refused(&intact[..at], &format!("cut to {at}"));
    }
    refused(&[intact.as_slice(), b"x"].concat(), "an added byte");
    fs::write(&path, &intact).unwrap();
    assert_eq!(read(&custody, &sm3).unwrap(), content(300));
}

#[test]
fn swapped_chunks_and_swapped_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let custody = open(&dir);
    let mut bytes = content(2 * CHUNK_BYTES);
    bytes[0] = 255;
    let (first, second) = (store(&custody, &bytes), store(&custody, b"other"));
    let path = file(&custody, &first);
    let intact = fs::read(&path).unwrap();
    let header = header_bytes(&intact);
    let sealed = CHUNK_BYTES + 16;
    let mut swapped = intact.clone();
    let (head, tail) = swapped.split_at_mut(header + sealed);
    head[header..].swap_with_slice(&mut tail[..sealed]);
    fs::write(&path, swapped).unwrap();
    assert!(matches!(read(&custody, &first), Err(CustodyError::Damaged { .. })));
    // A whole, intact envelope under another address.
    fs::write(file(&custody, &second), &intact).unwrap();
    assert!(matches!(read(&custody, &second), Err(CustodyError::Damaged { .. })));
}

#[test]
fn a_damaged_original_is_replaced_when_it_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    let custody = open(&dir);
    let sm3 = store(&custody, b"an original");
    let path = file(&custody, &sm3);
    let intact = fs::read(&path).unwrap();
    store(&custody, b"an original");
    assert_eq!(fs::read(&path).unwrap(), intact, "what is whole stays");
    fs::write(&path, b"damage").unwrap();
    store(&custody, b"an original");
    assert_eq!(read(&custody, &sm3).unwrap(), b"an original");
    assert!(!path.exists(), "the new one has a name of its own");
    fs::remove_file(file(&custody, &sm3)).unwrap();
    assert!(matches!(read(&custody, &sm3), Err(CustodyError::Missing { .. })));
    store(&custody, b"an original");
    assert_eq!(read(&custody, &sm3).unwrap(), b"an original");
}

#[test]
fn what_is_not_finished_disappears() {
    let dir = tempfile::tempdir().unwrap();
    let custody = open(&dir);
    let mut ingest = custody.ingest(10).unwrap();
    ingest.write(b"12345").unwrap();
    assert_eq!(files(&dir.path().join("incoming")).len(), 1);
    assert!(matches!(ingest.write(b"678901"), Err(CustodyError::TooLarge { bytes_max: 10 })));
    drop(ingest);
    assert!(files(&dir.path().join("incoming")).is_empty());
    // As a crash leaves it.
    fs::write(dir.path().join("incoming/left"), b"half").unwrap();
    let custody = open(&dir);
    assert!(files(&dir.path().join("incoming")).is_empty());
    assert!(matches!(custody.open_original(&sm3(b"12345")), Err(CustodyError::NotHeld(_))));
}

#[test]
fn a_damaged_or_missing_key_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    store(&open(&dir), b"an original");
    for key in ["kek", "owner"] {
        key_is_needed(&dir, &dir.path().join(key));
    }
}

fn key_is_needed(dir: &TempDir, path: &Path) {
    let intact = fs::read(path).unwrap();
    for at in 0..intact.len() {
        let mut bytes = intact.clone();
        bytes[at] ^= 0x02;
        fs::write(path, bytes).unwrap();
        let Err(CustodyError::Damaged { file, .. }) = Custody::open(dir.path(), &mut OsRandom)
        else {
            panic!("byte {at} went unnoticed");
        };
        assert_eq!(file, path);
    }
    fs::write(path, &intact[..50]).unwrap();
    assert!(Custody::open(dir.path(), &mut OsRandom).is_err());
    fs::remove_file(path).unwrap();
    assert!(
        Custody::open(dir.path(), &mut OsRandom).is_err(),
        "never a new key over old originals"
    );
    fs::write(path, intact).unwrap();
    assert_eq!(read(&open(dir), &sm3(b"an original")).unwrap(), b"an original");
}

#[test]
fn nobody_else_may_read_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("custody");
    let custody = Custody::open(&inner, &mut OsRandom).unwrap();
    store(&custody, b"an original");
    for file in files(&inner) {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    for folder in ["", "objects", "entries", "incoming", "openings"] {
        let mode = fs::metadata(inner.join(folder)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
}

/// As earlier versions stored it: an envelope whose key is wrapped in its header, under the original's digest.
fn store_1(custody: &Custody, bytes: &[u8]) -> Sm3Digest {
    use crate::envelope::{Kind, Sealer, Trailer};
    let digest = sm3(bytes);
    let (header, sealer) = Sealer::create(custody.keys(), Kind::Original, &[0; 32]).unwrap();
    let mut envelope = header;
    for (index, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
        sealer.append_chunk(index as u64, chunk, &mut envelope).unwrap();
    }
    let crc32 = crc32fast::hash(bytes);
    let trailer = Trailer { size_bytes: bytes.len() as u64, crc32, sm3: digest };
    envelope.extend(sealer.seal_trailer(&trailer).unwrap());
    let path = custody.object_1(&digest);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, envelope).unwrap();
    digest
}

#[test]
fn envelopes_of_version_1_are_read_kept_and_replaced_when_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let custody = open(&dir);
    let bytes = content(CHUNK_BYTES + 5);
    let sm3 = store_1(&custody, &bytes);
    assert!(custody.has(&sm3) && custody.entry(&sm3).unwrap().is_none());
    assert_eq!(read(&custody, &sm3).unwrap(), bytes);
    store(&custody, &bytes);
    assert_eq!(custody.place(&sm3).unwrap().unwrap(), custody.object_1(&sm3).to_str().unwrap());
    let mut envelope = fs::read(custody.object_1(&sm3)).unwrap();
    envelope[500] ^= 1;
    fs::write(custody.object_1(&sm3), envelope).unwrap();
    assert!(matches!(read(&custody, &sm3), Err(CustodyError::Damaged { .. })));
    store(&custody, &bytes);
    assert_eq!(read(&custody, &sm3).unwrap(), bytes);
    assert!(custody.entry(&sm3).unwrap().unwrap().object.is_some());
}

#[test]
fn a_store_of_version_1_is_taken_over_with_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let sm3 = store_1(&open(&dir), b"an original");
    // What the earlier version did not have.
    fs::remove_dir_all(dir.path().join("entries")).unwrap();
    fs::remove_file(dir.path().join("owner")).unwrap();
    assert_eq!(read(&open(&dir), &sm3).unwrap(), b"an original");
}

#[test]
fn a_large_original_streams() {
    let dir = tempfile::tempdir().unwrap();
    let custody = open(&dir);
    let mut ingest = custody.ingest(u64::MAX).unwrap();
    let piece = content(100_000);
    for _ in 0..100 {
        ingest.write(&piece).unwrap();
    }
    let stored = ingest.finish().unwrap();
    let mut reader = custody.open_original(&stored.sm3).unwrap();
    assert_eq!(io::copy(&mut reader, &mut io::sink()).unwrap(), 10_000_000);
}

mod openings {
    use changbai_core::Opening;
    use smkit::sm3;

    use super::{CustodyError, fs, open};

    fn some() -> Vec<Opening> {
        vec![
            Opening { name: "party".to_owned(), value: "某某".to_owned(), salt: [1; 32] },
            Opening { name: "party_id".to_owned(), value: String::new(), salt: [2; 32] },
        ]
    }

    #[test]
    fn openings_come_back_until_they_are_erased() {
        let dir = tempfile::tempdir().unwrap();
        let custody = open(&dir);
        let record = sm3(b"record");
        assert!(custody.read_openings(&record).unwrap().is_none());
        custody.put_openings(&record, &[]).unwrap();
        custody.put_openings(&record, &some()).unwrap();
        assert_eq!(custody.read_openings(&record).unwrap().unwrap(), some());
        custody.erase_openings(&record).unwrap();
        custody.erase_openings(&record).unwrap();
        assert!(custody.read_openings(&record).unwrap().is_none());
    }

    #[test]
    fn openings_of_another_record_or_changed_ones_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let custody = open(&dir);
        let (record, other) = (sm3(b"record"), sm3(b"other"));
        custody.put_openings(&record, &some()).unwrap();
        custody.put_openings(&other, &[]).unwrap();
        let path = custody.openings_file(&record);
        let intact = fs::read(&path).unwrap();
        fs::write(custody.openings_file(&other), &intact).unwrap();
        assert!(matches!(custody.read_openings(&other), Err(CustodyError::Damaged { .. })));
        for at in 0..intact.len() {
            let mut bytes = intact.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, bytes).unwrap();
            assert!(
                matches!(custody.read_openings(&record), Err(CustodyError::Damaged { .. })),
                "{at}"
            );
        }
    }
}
