//! Files and folders with the right modes, synced where it matters.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use crate::error::CustodyError;

/// Creates a folder and those above it, mode 0700, and makes the names durable.
pub(crate) fn create_dirs(dir: &Path) -> Result<(), CustodyError> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(CustodyError::io(dir, "create"))?;
    let mut parent = dir.parent();
    // The store is two levels deep below its own folder.
    for _ in 0..3 {
        let Some(above) = parent.filter(|p| !p.as_os_str().is_empty()) else { break };
        sync_dir(above)?;
        parent = above.parent();
    }
    Ok(())
}

/// A new file, mode 0600; an existing one is an error.
pub(crate) fn create_new(path: &Path) -> Result<File, CustodyError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(CustodyError::io(path, "create"))
}

pub(crate) fn sync_dir(dir: &Path) -> Result<(), CustodyError> {
    File::open(dir).and_then(|file| file.sync_all()).map_err(CustodyError::io(dir, "sync"))
}

/// Syncs a finished temporary file and gives it its final name, replacing what was there.
pub(crate) fn publish(file: &File, from: &Path, to: &Path) -> Result<(), CustodyError> {
    file.sync_all().map_err(CustodyError::io(from, "sync"))?;
    let dir = to.parent().unwrap_or_else(|| Path::new("."));
    create_dirs(dir)?;
    std::fs::rename(from, to).map_err(CustodyError::io(to, "rename"))?;
    sync_dir(dir)
}
