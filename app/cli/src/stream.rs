//! Files as streams: opened with errors that name them, counted into a progress bar, written atomically.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use crate::{error::CliError, limits, progress::Progress};

/// Opens a file for reading and gives its length (0 for pipes).
pub(crate) fn open(path: &Path) -> Result<(File, u64), CliError> {
    let file = File::open(path).map_err(CliError::read(path))?;
    let metadata = file.metadata().map_err(CliError::read(path))?;
    if metadata.is_dir() {
        return Err(CliError::read(path)(io::ErrorKind::IsADirectory.into()));
    }
    Ok((file, metadata.len()))
}

/// Reads a small text file whole.
///
/// # Errors
/// Also when it is larger than [`limits::SMALL_FILE_BYTES_MAX`] or not UTF-8.
pub(crate) fn read_small(path: &Path) -> Result<String, CliError> {
    let (file, _) = open(path)?;
    let mut text = String::new();
    let read = file.take(limits::SMALL_FILE_BYTES_MAX + 1).read_to_string(&mut text);
    match read {
        Ok(bytes) if bytes as u64 > limits::SMALL_FILE_BYTES_MAX => {
            Err(CliError::read(path)(io::ErrorKind::FileTooLarge.into()))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(CliError::read(path)(error)),
    }
}

/// Reads a block or a transaction whole.
///
/// # Errors
/// Also when it is larger than [`limits::CONFIG_BYTES_MAX`].
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, CliError> {
    let (file, _) = open(path)?;
    let mut bytes = Vec::new();
    let read = file.take(limits::CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes);
    match read {
        Ok(length) if length as u64 > limits::CONFIG_BYTES_MAX => {
            Err(CliError::read(path)(io::ErrorKind::FileTooLarge.into()))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(CliError::read(path)(error)),
    }
}

/// Writes a file whole, or not at all; an older one of that name is replaced.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes).map_err(CliError::write(path))?;
    file.keep()
}

/// A reader that counts into a progress bar and removes it when dropped.
#[derive(Debug)]
pub(crate) struct Metered<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Metered<BufReader<R>> {
    /// Wraps `inner` with a buffer and a bar labelled `label` over `total_bytes`.
    pub(crate) fn new(inner: R, label: &str, total_bytes: u64) -> Self {
        let inner = BufReader::with_capacity(limits::CHUNK_BYTES, inner);
        Self { inner, progress: Progress::bytes(label, total_bytes) }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.progress.advance(count);
        Ok(count)
    }
}

impl<R> Drop for Metered<R> {
    fn drop(&mut self) {
        self.progress.finish();
    }
}

/// A file that appears under its name only when it is complete: written beside it, synced, then renamed over it.
/// Dropped without [`AtomicFile::keep`], it leaves nothing.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    file: File,
    target: PathBuf,
    temporary: Option<PathBuf>,
}

impl AtomicFile {
    /// Creates the temporary file beside `target`, so that a wrong directory is noticed before any work.
    pub(crate) fn create(target: &Path) -> Result<Self, CliError> {
        let name = target
            .file_name()
            .filter(|_| !target.is_dir())
            .ok_or_else(|| CliError::write(target)(io::ErrorKind::IsADirectory.into()))?;
        let hidden = format!(".{}.{}.part", name.to_string_lossy(), std::process::id());
        let temporary = target.with_file_name(hidden);
        let file = File::create(&temporary).map_err(CliError::write(target))?;
        Ok(Self { file, target: target.to_owned(), temporary: Some(temporary) })
    }

    /// Where the file will appear.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Empties the file, for another attempt.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        io::Seek::rewind(&mut self.file)
    }

    /// Makes the file durable under its name; an older file of that name is replaced.
    pub(crate) fn keep(mut self) -> Result<(), CliError> {
        self.file.sync_all().map_err(CliError::write(&self.target))?;
        if let Some(temporary) = &self.temporary {
            fs::rename(temporary, &self.target).map_err(CliError::write(&self.target))?;
        }
        self.temporary = None;
        let parent = self.target.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory =
            File::open(parent.unwrap_or_else(|| Path::new("."))).and_then(|dir| dir.sync_all());
        directory.map_err(CliError::write(&self.target))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atomic_file_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out.zip");
        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

        let mut file = AtomicFile::create(&target).unwrap();
        file.write_all(b"first attempt").unwrap();
        file.restart().unwrap();
        file.write_all(b"whole").unwrap();
        assert!(!target.exists());
        file.keep().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"whole");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn directories_and_large_texts_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(open(dir.path()), Err(CliError::Read { .. })));
        assert!(matches!(AtomicFile::create(dir.path()), Err(CliError::Write { .. })));
        let large = dir.path().join("large");
        fs::write(&large, "a".repeat(1 << 21)).unwrap();
        assert!(matches!(read_small(&large), Err(CliError::Read { .. })));
    }
}
