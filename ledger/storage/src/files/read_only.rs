//! Files that cannot be changed: for tools that look at a ledger.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{File, Files, StdFiles};

/// [`Files`] on the machine's own file system, opened for reading; everything that would change
/// something is refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOnlyFiles;

impl Files for ReadOnlyFiles {
    fn open(&self, path: &Path, create: bool) -> io::Result<Arc<dyn File>> {
        if create {
            return refused();
        }
        Ok(Arc::new(ReadOnly(StdFiles::reading(path)?)))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        if fs::metadata(path)?.is_dir() { Ok(()) } else { refused() }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        StdFiles.list(dir)
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        StdFiles.free_bytes(dir)
    }
}

#[derive(Debug)]
struct ReadOnly(Arc<dyn File>);

impl File for ReadOnly {
    fn size_bytes(&self) -> io::Result<u64> {
        self.0.size_bytes()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, out)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        refused()
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        refused()
    }

    fn sync_data(&self) -> io::Result<()> {
        refused()
    }
}

fn refused<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "opened for reading only"))
}
