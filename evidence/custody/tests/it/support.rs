use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use changbai_custody::{Custody, CustodyError, StoredOriginal};
use smkit::{OsRandom, Sm3Digest};
use tempfile::TempDir;

pub(crate) struct Store {
    _dir: TempDir,
    pub(crate) root: PathBuf,
    pub(crate) custody: Custody,
}

impl Store {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("custody");
        let custody = Custody::open(&root, &mut OsRandom).unwrap();
        Self { _dir: dir, root, custody }
    }

    pub(crate) fn reopen(&self) -> Result<Custody, CustodyError> {
        Custody::open(&self.root, &mut OsRandom)
    }

    /// Reads the whole original and throws it away.
    pub(crate) fn check(&self, sm3: &Sm3Digest) -> Result<u64, CustodyError> {
        let mut reader = self.reopen()?.open_original(sm3)?;
        io::copy(&mut reader, &mut io::sink())
            .map_err(|error| *error.into_inner().unwrap().downcast::<CustodyError>().unwrap())
    }

    pub(crate) fn keep(&self, content: &[u8]) -> StoredOriginal {
        let mut ingest = self.custody.ingest(u64::MAX).unwrap();
        ingest.write(content).unwrap();
        ingest.finish().unwrap()
    }

    pub(crate) fn object(&self, sm3: &Sm3Digest) -> PathBuf {
        self.custody.place(sm3).unwrap().unwrap().into()
    }

    /// The original, or the error that ended reading it with the number of bytes handed out before.
    pub(crate) fn read(&self, sm3: &Sm3Digest) -> Result<Vec<u8>, (CustodyError, Vec<u8>)> {
        let mut reader = self.custody.open_original(sm3).map_err(|error| (error, Vec::new()))?;
        let mut content = Vec::new();
        match reader.read_to_end(&mut content) {
            Ok(_) => Ok(content),
            Err(error) => {
                let inner = error.into_inner().unwrap().downcast::<CustodyError>().unwrap();
                assert!(reader.read(&mut [0]).is_err(), "an error stays");
                Err((*inner, content))
            }
        }
    }
}

/// Every file below `folder`.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Bytes that differ from chunk to chunk.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n ^ (n >> 8) ^ (n >> 20)) as u8).collect()
}
