//! Objects as files: `<last two characters>/<name>` below one folder.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::{Object, SealedDraft, Store, StoreError};
use crate::cid::Cid;
use crate::error::CustodyError;
use crate::files;

/// A directory of this machine, or one that is mounted.
#[derive(Debug)]
pub struct LocalStore {
    dir: PathBuf,
}

impl LocalStore {
    pub(crate) fn open(dir: PathBuf) -> Result<Self, CustodyError> {
        files::create_dirs(&dir)?;
        Ok(Self { dir })
    }

    fn path(&self, name: &Cid) -> PathBuf {
        let text = name.to_string();
        // The first characters are the same in every name.
        let shard = text.get(text.len().saturating_sub(2)..).unwrap_or_default().to_owned();
        self.dir.join(shard).join(text)
    }

    /// Across file systems: a copy beside its final place.
    fn copy(&self, name: &Cid, from: &Path) -> Result<PathBuf, StoreError> {
        let part = self.dir.join(format!(".{name}.part"));
        std::fs::copy(from, &part).map_err(StoreError::io("copy the object"))?;
        File::open(&part)
            .and_then(|file| file.sync_all())
            .map_err(StoreError::io("sync the object"))?;
        Ok(part)
    }
}

impl Store for LocalStore {
    fn put(&self, name: &Cid, draft: &SealedDraft<'_>) -> Result<(), StoreError> {
        let path = self.path(name);
        let dir = path.parent().unwrap_or(&self.dir);
        files::create_dirs(dir).map_err(own)?;
        // A link is made or refused in one step: nothing is ever replaced, nothing half there.
        let linked = match std::fs::hard_link(draft.path, &path) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let part = self.copy(name, draft.path)?;
                let linked = std::fs::hard_link(&part, &path);
                drop(std::fs::remove_file(part));
                linked
            }
            other => other,
        };
        match linked {
            Ok(()) => files::sync_dir(dir).map_err(own),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found =
                    std::fs::metadata(&path).map_err(StoreError::io("look at the object"))?;
                if found.len() == draft.size_bytes { Ok(()) } else { Err(StoreError::Occupied) }
            }
            Err(error) => Err(StoreError::io("link the object")(error)),
        }
    }

    fn open(&self, name: &Cid) -> Result<Option<Box<dyn Object>>, StoreError> {
        match LocalObject::open(&self.path(name)) {
            Ok(object) => Ok(Some(Box::new(object))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::io("open the object")(error)),
        }
    }

    fn remove(&self, name: &Cid) -> Result<(), StoreError> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Ok(()) => path.parent().map_or(Ok(()), |dir| files::sync_dir(dir).map_err(own)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::io("remove the object")(error)),
        }
    }

    fn place(&self, name: &Cid) -> String {
        self.path(name).display().to_string()
    }
}

/// A file, open for reading.
pub(crate) struct LocalObject {
    file: File,
    size_bytes: u64,
}

impl LocalObject {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let size_bytes = file.metadata()?.len();
        Ok(Self { file, size_bytes })
    }
}

impl Object for LocalObject {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<(), StoreError> {
        self.file.read_exact_at(into, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => StoreError::Short,
            _ => StoreError::io("read")(error),
        })
    }
}

fn own(error: CustodyError) -> StoreError {
    match error {
        CustodyError::Io { operation, source, .. } => StoreError::Io { operation, source },
        other => StoreError::Refused(other.to_string()),
    }
}
