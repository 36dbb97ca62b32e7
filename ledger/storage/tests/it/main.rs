//! The crate from outside, on real files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use changbai_storage::frame::decode_segment;
use changbai_storage::{
    BlockLog, ConsensusWal, Files, Index, IndexState, LogOptions, Position, StdFiles, StorageError,
};

const IDENTITY: [u8; 200] = [b'i'; 200];

fn block(number: u64) -> Vec<u8> {
    [format!("block {number} by ").as_bytes(), &IDENTITY].concat()
}

fn open(dir: &Path) -> Result<(ConsensusWal, BlockLog), StorageError> {
    let files: Arc<dyn Files> = Arc::new(StdFiles);
    let (wal, _) = ConsensusWal::open(Arc::clone(&files), &dir.join("consensus.wal"))?;
    let options = LogOptions { segment_bytes: 2_000 };
    let (log, _) = BlockLog::open(files, &dir.join("blocks"), options, wal.floor())?;
    Ok((wal, log))
}

fn fill(dir: &Path) -> Vec<Position> {
    let (mut wal, mut log) = open(dir).unwrap();
    let mut positions = Vec::new();
    for number in 0..40 {
        wal.append(number, 1, &block(number)).unwrap();
        wal.flush().unwrap();
        positions.push(log.append(number, &block(number), &[&IDENTITY]).unwrap());
        wal.reset(number + 1).unwrap();
    }
    positions
}

#[test]
fn a_directory_is_read_again_as_it_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let positions = fill(dir.path());
    let (wal, log) = open(dir.path()).unwrap();
    assert_eq!((wal.floor(), log.height()), (Some(39), Some(39)));
    for (number, position) in (0..).zip(positions) {
        assert_eq!(log.read(position).unwrap(), block(number));
    }
    log.scrub(&mut |_| {}).unwrap();
}

#[test]
fn segments_are_private_and_decode_on_their_own() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let mut next = 0;
    for name in StdFiles.list(&dir.path().join("blocks")).unwrap() {
        let path = dir.path().join("blocks").join(name);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for (number, bytes) in decode_segment(&std::fs::read(path).unwrap(), 1 << 20).unwrap() {
            assert_eq!((number, bytes), (next, block(next)));
            next += 1;
        }
    }
    assert_eq!(next, 40);
}

#[test]
fn damage_is_named_with_file_and_offset_but_not_the_machine() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let path = dir.path().join("blocks/00000000000000000000.blocks");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[5] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = open(dir.path()).unwrap_err().to_string();
    assert_eq!(
        error,
        "blocks/00000000000000000000.blocks is damaged at offset 0: \
         block 0: the frame's header is not intact"
    );
}

#[test]
fn a_new_index_beside_an_old_log_is_fresh() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path());
    let (index, state) = Index::open(&dir.path().join("index")).unwrap();
    assert_eq!(state, IndexState::Fresh);
    assert_eq!(index.get(b"0").unwrap(), None);
}
