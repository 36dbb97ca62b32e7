//! A store with one original in it.

use std::fs;
use std::path::PathBuf;

use changbai_custody::Custody;
use smkit::Sm3Digest;
use tempfile::TempDir;

use crate::Seeded;

/// The original.
pub const ORIGINAL: &[u8] = b"%PDF-1.7 an original of a few bytes";

/// A store whose only original may be replaced on disk.
#[derive(Debug)]
pub struct Store {
    /// The store.
    pub custody: Custody,
    /// The original's address.
    pub sm3: Sm3Digest,
    /// Its envelope's file.
    pub file: PathBuf,
    /// The envelope as it was written.
    pub intact: Vec<u8>,
    _dir: TempDir,
}

impl Store {
    /// The same keys and the same envelope each time. As a static it leaves its few bytes behind when the process ends.
    ///
    /// # Panics
    /// If the folder of temporary files cannot be used.
    pub fn new() -> Self {
        // In memory where that is to be had: the envelope's file is written anew for each input.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let dir = dir.expect("a temporary folder");
        let custody = Custody::open(dir.path(), &mut Seeded(1)).expect("an empty folder");
        let mut ingest = custody.ingest(1 << 20).expect("a new file");
        ingest.write(ORIGINAL).expect("a small original");
        let sm3 = ingest.finish().expect("a small original").sm3;
        let file = PathBuf::from(custody.place(&sm3).expect("an entry").expect("an object"));
        let intact = fs::read(&file).expect("the envelope at its address");
        Self { custody, sm3, file, intact, _dir: dir }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self::new()
    }
}
