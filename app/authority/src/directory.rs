//! The files of an authority.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use crate::AuthorityStoreError;
use crate::limits::SMALL_FILE_BYTES_MAX;

/// Names of files below one directory.
#[derive(Debug, Clone)]
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.join("ca.cert.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.join("ca.key.pem")
    }

    pub(crate) fn chain(&self) -> PathBuf {
        self.0.join("ca.chain.pem")
    }

    pub(crate) fn register(&self) -> PathBuf {
        self.0.join("register.log")
    }

    pub(crate) fn list(&self) -> PathBuf {
        self.0.join("ca.crl.pem")
    }

    /// Takes the directory for this process until the lock is dropped.
    pub(crate) fn lock(&self) -> Result<Lock, AuthorityStoreError> {
        std::fs::create_dir_all(&self.0).map_err(|e| AuthorityStoreError::file(&self.0, e))?;
        let path = self.0.join("LOCK");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| AuthorityStoreError::file(&path, e))?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| AuthorityStoreError::InUse { dir: self.0.clone() })?;
        Ok(Lock(file))
    }
}

/// The directory is this process's while this lives; the kernel frees it when the process dies.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

/// Writes a file that is there whole after a crash, or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), AuthorityStoreError> {
    let wrong = |e| AuthorityStoreError::file(path, e);
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(mode)
        .open(&temporary)
        .map_err(wrong)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(wrong)?;
    std::fs::rename(&temporary, path).map_err(wrong)?;
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(wrong)
}

/// Reads a small text, `None` when the file does not exist; it may be a private key.
pub(crate) fn read_text(path: &Path) -> Result<Option<Zeroizing<String>>, AuthorityStoreError> {
    let wrong = |e| AuthorityStoreError::file(path, e);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error)),
    };
    let mut text = Zeroizing::new(String::new());
    file.take(SMALL_FILE_BYTES_MAX).read_to_string(&mut text).map_err(wrong)?;
    Ok(Some(text))
}
