//! Folders, names, and what makes a file durable.

use std::{
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use changbai_core::Record;
use smkit::Sm3Digest;

use crate::error::CustodyError;

pub(crate) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(crate) fn open(root: &Path) -> Result<Self, CustodyError> {
        let directory = Self { root: root.to_owned() };
        for folder in ["", "objects", "openings", "tmp"] {
            directory.create_folder(&root.join(folder))?;
        }
        directory.sync(root)?;
        directory.remove_leftovers()?;
        Ok(directory)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.root.join("kek")
    }

    pub(crate) fn temporary(&self, serial: u64) -> PathBuf {
        self.root.join("tmp").join(format!("{serial:016x}.part"))
    }

    pub(crate) fn object(&self, sm3: &Sm3Digest) -> PathBuf {
        let name = sm3.to_string();
        let folder = |from, to| name.get(from..to).unwrap_or_default();
        let parent = self.root.join("objects").join(folder(0, 2)).join(folder(2, 4));
        parent.join(format!("{name}.env"))
    }

    pub(crate) fn openings(&self, record: &Record) -> PathBuf {
        let digest = record.digest().to_string();
        let folder = self.root.join("openings").join(digest.get(..2).unwrap_or_default());
        folder.join(format!("{}-{digest}.env", record.id()))
    }

    /// Whether anything was ever sealed here.
    pub(crate) fn has_envelopes(&self) -> Result<bool, CustodyError> {
        for folder in ["objects", "openings"] {
            let folder = self.root.join(folder);
            let mut entries = fs::read_dir(&folder).map_err(|e| self.io("list", &folder, e))?;
            if entries.next().is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Creates `file`, which must not exist.
    pub(crate) fn create(&self, file: &Path) -> Result<File, CustodyError> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file)
            .map_err(|e| self.io("create", file, e))
    }

    /// Opens `file`; `None` if there is none.
    pub(crate) fn open_file(&self, file: &Path) -> Result<Option<File>, CustodyError> {
        match File::open(file) {
            Ok(opened) => Ok(Some(opened)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("open", file, error)),
        }
    }

    /// Syncs `temporary` and gives it its final name, replacing an earlier file of that name. Durable on return.
    pub(crate) fn publish(
        &self,
        file: &File,
        temporary: &Path,
        target: &Path,
    ) -> Result<(), CustodyError> {
        file.sync_all().map_err(|e| self.io("sync", temporary, e))?;
        let parent = target.parent().unwrap_or(&self.root);
        self.create_folder(parent)?;
        fs::rename(temporary, target).map_err(|e| self.io("rename", temporary, e))?;
        self.sync(parent)
    }

    /// Writes a small file in one go, under its final name only once it is durable.
    pub(crate) fn write(
        &self,
        temporary: &Path,
        target: &Path,
        bytes: &[u8],
    ) -> Result<(), CustodyError> {
        let mut file = self.create(temporary)?;
        let written = file
            .write_all(bytes)
            .map_err(|e| self.io("write", temporary, e))
            .and_then(|()| self.publish(&file, temporary, target));
        if written.is_err() {
            // It is removed at the next open otherwise.
            let _ = fs::remove_file(temporary);
        }
        written
    }

    /// Overwrites `file` with zeros and removes it. On file systems that copy on write the zeros go elsewhere.
    pub(crate) fn erase(&self, file: &Path) -> Result<(), CustodyError> {
        let length = match fs::metadata(file) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.io("read", file, error)),
        };
        let mut opened =
            OpenOptions::new().write(true).open(file).map_err(|e| self.io("open", file, e))?;
        io::copy(&mut io::Read::take(io::repeat(0), length), &mut opened)
            .and_then(|_| opened.sync_all())
            .map_err(|e| self.io("overwrite", file, e))?;
        fs::remove_file(file).map_err(|e| self.io("remove", file, e))?;
        self.sync(file.parent().unwrap_or(&self.root))
    }

    pub(crate) fn io(
        &self,
        operation: &'static str,
        file: &Path,
        source: io::Error,
    ) -> CustodyError {
        CustodyError::Io { operation, file: self.shown(file), source }
    }

    pub(crate) fn corrupt(&self, file: &Path, offset: u64, reason: &'static str) -> CustodyError {
        CustodyError::Corrupt { file: self.shown(file), offset, reason }
    }

    /// `file` as people know it: from the store's folder on.
    pub(crate) fn shown(&self, file: &Path) -> PathBuf {
        let inside = file.strip_prefix(&self.root).unwrap_or(file);
        Path::new(self.root.file_name().unwrap_or_else(|| OsStr::new("custody"))).join(inside)
    }

    /// Creates a folder with its parents inside the store; every new name is durable on return.
    fn create_folder(&self, folder: &Path) -> Result<(), CustodyError> {
        if folder.is_dir() {
            return Ok(());
        }
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent {
            self.create_folder(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(self.io("create", folder, error))
            }
            _ => self.sync(parent.unwrap_or_else(|| Path::new("."))),
        }
    }

    fn sync(&self, folder: &Path) -> Result<(), CustodyError> {
        File::open(folder).and_then(|f| f.sync_all()).map_err(|e| self.io("sync", folder, e))
    }

    fn remove_leftovers(&self) -> Result<(), CustodyError> {
        let folder = self.root.join("tmp");
        for entry in fs::read_dir(&folder).map_err(|e| self.io("list", &folder, e))? {
            let file = entry.map_err(|e| self.io("list", &folder, e))?.path();
            fs::remove_file(&file).map_err(|e| self.io("remove", &file, e))?;
        }
        Ok(())
    }
}
