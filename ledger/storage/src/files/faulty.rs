//! A file system in memory that crashes: for tests of this crate and of the floors above.
//!
//! What was not synced may be lost, torn at any byte, or kept in pieces; names not synced with
//! their directory may be lost. Everything is deterministic.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{File, Files};

const SECTOR_BYTES: usize = 512;

/// What an operation does instead of working.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The machine dies during this operation: it and all later ones fail.
    Crash,
    /// The operation fails, a write after half of its bytes; later ones work.
    Error(io::ErrorKind),
    /// As [`Fault::Error`] with [`io::ErrorKind::StorageFull`], for every write from here on.
    Full,
}

/// What of the unsynced changes is on the disk after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survive {
    /// Nothing: neither content nor names.
    Nothing,
    /// Everything, as after the death of the process alone.
    Everything,
    /// Everything but the end of each file's last write, of which this many bytes are left.
    Torn(usize),
    /// Single sectors of unsynced writes, chosen by the seed, and zeros between them.
    Sectors(u64),
}

/// An in-memory [`Files`]. Clones share the same disk.
#[derive(Clone, Default)]
pub struct FaultyFiles(Arc<Mutex<Disk>>);

impl std::fmt::Debug for FaultyFiles {
    /// Names only: contents would bury what is told of a failed run.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let disk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_list().entries(disk.names.keys()).finish()
    }
}

#[derive(Debug, Default)]
struct Disk {
    /// Names as the process sees them, and as they are on disk.
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    dirs: BTreeSet<PathBuf>,
    inodes: Vec<Inode>,
    operations: u64,
    fault: Option<(u64, Fault)>,
    free_bytes: Option<u64>,
    crashed: bool,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    current: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl FaultyFiles {
    /// An empty disk without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the changing operation with this number, counted from 0, fail.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.disk().fault = Some((operation, fault));
    }

    /// Ends the fault that was set: the disk has space again.
    pub fn heal(&self) {
        self.disk().fault = None;
    }

    /// Sets what [`Files::free_bytes`] says; writes go on.
    pub fn set_free_bytes(&self, free_bytes: Option<u64>) {
        self.disk().free_bytes = free_bytes;
    }

    /// Changing operations so far: writes, truncations, syncs, renames, removals and creations.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.disk().operations
    }

    /// Whether [`Fault::Crash`] has struck.
    #[must_use]
    pub fn crashed(&self) -> bool {
        self.disk().crashed
    }

    /// The disk as the next start finds it.
    #[must_use]
    pub fn crash(&self, survive: Survive) -> Self {
        let disk = self.disk();
        let names = match survive {
            Survive::Nothing => disk.durable_names.clone(),
            Survive::Everything | Survive::Torn(_) | Survive::Sectors(_) => disk.names.clone(),
        };
        // After the death of the process alone, what was not synced is still in the cache only: the
        // next crash may lose it.
        let alive = survive == Survive::Everything;
        let inodes = disk.inodes.iter();
        let inodes = inodes.map(|inode| match survive {
            Survive::Everything => inode.clone(),
            _ => Inode::settled(inode.after(survive)),
        });
        let inodes = inodes.collect();
        Self(Arc::new(Mutex::new(Disk {
            durable_names: if alive { disk.durable_names.clone() } else { names.clone() },
            names,
            dirs: disk.dirs.clone(),
            inodes,
            ..Disk::default()
        })))
    }

    /// Content of a file as the process sees it.
    #[must_use]
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let disk = self.disk();
        disk.names.get(path).and_then(|id| disk.inodes.get(*id)).map(|inode| inode.current.clone())
    }

    /// Replaces a file behind the process's back, durably; `None` removes it.
    pub fn set_content(&self, path: &Path, content: Option<Vec<u8>>) {
        let mut disk = self.disk();
        let Some(content) = content else {
            disk.names.remove(path);
            disk.durable_names.remove(path);
            return;
        };
        let id = disk.inodes.len();
        disk.inodes.push(Inode::settled(content));
        disk.names.insert(path.to_owned(), id);
        disk.durable_names.insert(path.to_owned(), id);
    }

    /// Paths of all files, sorted.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.disk().names.keys().cloned().collect()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    fn alive(&self) -> io::Result<()> {
        if self.crashed { Err(io::Error::other("the machine has crashed")) } else { Ok(()) }
    }

    /// Counts a changing operation; gives the fault it meets.
    fn step(&mut self, writes: bool) -> io::Result<Option<Fault>> {
        self.alive()?;
        let now = self.operations;
        self.operations += 1;
        let fault = match self.fault {
            Some((at, Fault::Full)) if now >= at && writes => Fault::Full,
            Some((at, fault)) if now == at && fault != Fault::Full => fault,
            _ => return Ok(None),
        };
        self.crashed = fault == Fault::Crash;
        Ok(Some(fault))
    }

    fn inode(&mut self, id: usize) -> io::Result<&mut Inode> {
        self.inodes.get_mut(id).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

impl Inode {
    fn settled(content: Vec<u8>) -> Self {
        Self { durable: content.clone(), current: content, pending: Vec::new() }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.current);
        self.pending.push(change);
    }

    fn after(&self, survive: Survive) -> Vec<u8> {
        let mut content = self.durable.clone();
        let last = self.pending.len().saturating_sub(1);
        for (at, change) in self.pending.iter().enumerate() {
            match (survive, change) {
                (Survive::Nothing, _) => {}
                (Survive::Torn(left), Change::Write { offset, bytes }) if at == last => {
                    let bytes = bytes.get(..left).unwrap_or(bytes).to_vec();
                    Change::Write { offset: *offset, bytes }.apply(&mut content);
                }
                (Survive::Sectors(seed), Change::Write { offset, bytes }) => {
                    change.apply_sectors(&mut content, seed, *offset, bytes);
                }
                _ => change.apply(&mut content),
            }
        }
        content
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Truncate(size) => content.resize(*size, 0),
            Self::Write { offset, bytes } => {
                if bytes.is_empty() {
                    return;
                }
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                if let Some(place) = content.get_mut(*offset..end) {
                    place.copy_from_slice(bytes);
                }
            }
        }
    }

    fn apply_sectors(&self, content: &mut Vec<u8>, seed: u64, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if content.len() < end {
            content.resize(end, 0);
        }
        for (at, byte) in (offset..).zip(bytes) {
            let sector = (at / SECTOR_BYTES) as u64;
            // SplitMix64's finalizer: a fixed, well-mixed choice per sector.
            let mut mixed = seed ^ sector.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            if (mixed ^ (mixed >> 27)) & 1 == 1
                && let Some(place) = content.get_mut(at)
            {
                *place = *byte;
            }
        }
    }
}

impl Files for FaultyFiles {
    fn open(&self, path: &Path, create: bool) -> io::Result<Arc<dyn File>> {
        let mut disk = self.disk();
        disk.alive()?;
        let id = match disk.names.get(path) {
            Some(id) => *id,
            None if create => {
                if let Some(fault) = disk.step(true)? {
                    return Err(fault.into());
                }
                let id = disk.inodes.len();
                disk.inodes.push(Inode::default());
                disk.names.insert(path.to_owned(), id);
                id
            }
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Arc::new(FaultyFile { disk: self.clone(), id }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.alive()?;
        disk.dirs.insert(path.to_owned());
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let disk = self.disk();
        disk.alive()?;
        let names = disk.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(names.filter_map(|p| Some(p.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        if let Some(fault) = disk.step(false)? {
            return Err(fault.into());
        }
        let id = disk.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.names.insert(to.to_owned(), id);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        if let Some(fault) = disk.step(false)? {
            return Err(fault.into());
        }
        disk.names.remove(path).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        let disk = self.disk();
        disk.alive()?;
        Ok(disk.free_bytes.unwrap_or(u64::MAX))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        if let Some(fault) = disk.step(false)? {
            return Err(fault.into());
        }
        let inside = |path: &Path| path.parent() == Some(dir);
        let Disk { names, durable_names, .. } = &mut *disk;
        durable_names.retain(|path, _| !inside(path));
        durable_names.extend(
            names.iter().filter(|(path, _)| inside(path)).map(|(path, id)| (path.clone(), *id)),
        );
        Ok(())
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Crash => Self::other("the machine has crashed"),
            Fault::Error(kind) => kind.into(),
            Fault::Full => io::ErrorKind::StorageFull.into(),
        }
    }
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyFiles,
    id: usize,
}

impl File for FaultyFile {
    fn size_bytes(&self) -> io::Result<u64> {
        let mut disk = self.disk.disk();
        disk.alive()?;
        Ok(disk.inode(self.id)?.current.len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut disk = self.disk.disk();
        disk.alive()?;
        let content = &disk.inode(self.id)?.current;
        let from = content.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
        let bytes = content.get(from..).unwrap_or_default();
        let n = bytes.len().min(out.len());
        for (place, byte) in out.iter_mut().zip(bytes) {
            *place = *byte;
        }
        Ok(n)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut disk = self.disk.disk();
        let fault = disk.step(true)?;
        let bytes = match fault {
            None | Some(Fault::Crash) => bytes,
            Some(_) => bytes.get(..bytes.len() / 2).unwrap_or_default(),
        };
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        disk.inode(self.id)?.change(Change::Write { offset, bytes: bytes.to_vec() });
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn truncate(&self, size_bytes: u64) -> io::Result<()> {
        let mut disk = self.disk.disk();
        let fault = disk.step(true)?;
        let size = usize::try_from(size_bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
        disk.inode(self.id)?.change(Change::Truncate(size));
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.disk.disk();
        if let Some(fault) = disk.step(false)? {
            return Err(fault.into());
        }
        let inode = disk.inode(self.id)?;
        let Inode { durable, pending, .. } = inode;
        pending.drain(..).for_each(|change| change.apply(durable));
        Ok(())
    }
}
