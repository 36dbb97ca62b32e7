//! Many writes, one wait: syncs are put off until they are due together.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{File, Files};

/// [`Files`] whose syncs return at once and are made up for by [`DeferredSync::settle`]: for
/// building something that counts only as a whole, such as an imported ledger under a draft name.
/// Never for a ledger in use.
#[derive(Debug)]
pub struct DeferredSync {
    files: Arc<dyn Files>,
    due: Arc<Mutex<Due>>,
}

#[derive(Debug, Default)]
struct Due {
    files: BTreeMap<PathBuf, Arc<dyn File>>,
    dirs: BTreeSet<PathBuf>,
}

impl DeferredSync {
    /// Over other files.
    #[must_use]
    pub fn over(files: Arc<dyn Files>) -> Self {
        Self { files, due: Arc::default() }
    }

    /// Durable when this returns: everything that was to be synced since the last call.
    ///
    /// # Errors
    ///
    /// The system's refusal; what is on disk is unknown then.
    pub fn settle(&self) -> io::Result<()> {
        let due = std::mem::take(&mut *self.due.lock().unwrap_or_else(PoisonError::into_inner));
        due.files.values().try_for_each(|file| file.sync_data())?;
        due.dirs.iter().try_for_each(|dir| self.files.sync_dir(dir))
    }
}

impl Files for DeferredSync {
    fn open(&self, path: &Path, create: bool) -> io::Result<Arc<dyn File>> {
        let file = self.files.open(path, create)?;
        Ok(Arc::new(Deferred { path: path.to_owned(), file, due: Arc::clone(&self.due) }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.files.create_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.files.list(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.files.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.dirs.insert(dir.to_owned());
        Ok(())
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.files.free_bytes(dir)
    }
}

#[derive(Debug)]
struct Deferred {
    path: PathBuf,
    file: Arc<dyn File>,
    due: Arc<Mutex<Due>>,
}

impl File for Deferred {
    fn size_bytes(&self) -> io::Result<u64> {
        self.file.size_bytes()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, out)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)
    }

    fn truncate(&self, size_bytes: u64) -> io::Result<()> {
        self.file.truncate(size_bytes)
    }

    /// Notes that it is due; with many files due, makes up for them, so that few stay open.
    fn sync_data(&self) -> io::Result<()> {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.files.len() >= FILES_DUE_MAX && !due.files.contains_key(&self.path) {
            due.files.values().try_for_each(|file| file.sync_data())?;
            due.files.clear();
        }
        due.files.insert(self.path.clone(), Arc::clone(&self.file));
        Ok(())
    }
}

/// Files that wait for a sync at a time.
const FILES_DUE_MAX: usize = 16;
