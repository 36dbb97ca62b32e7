//! File access behind a trait, so that crashes can be simulated.

use std::fmt::Debug;
use std::io;
use std::path::Path;
use std::sync::Arc;

mod deferred;
#[cfg(any(test, feature = "faults"))]
pub mod faulty;
mod read_only;
mod std_files;

pub use deferred::DeferredSync;
pub use read_only::ReadOnlyFiles;
pub use std_files::StdFiles;

/// A directory tree that the block log and the consensus log live in.
///
/// A name made by [`Files::open`], [`Files::rename`] or [`Files::remove`] is durable only after
/// [`Files::sync_dir`] on its directory.
pub trait Files: Debug + Send + Sync {
    /// Opens a file for reading and writing; with `create`, makes it if it is missing.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] without `create`, or the system's refusal.
    fn open(&self, path: &Path, create: bool) -> io::Result<Arc<dyn File>>;
    /// Creates a directory and those above it; existing ones are fine.
    ///
    /// # Errors
    ///
    /// The system's refusal.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Names of the files directly in `dir`, sorted.
    ///
    /// # Errors
    ///
    /// The system's refusal.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Moves a file over another name, which it replaces.
    ///
    /// # Errors
    ///
    /// The system's refusal.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    ///
    /// The system's refusal.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a directory durable.
    ///
    /// # Errors
    ///
    /// The system's refusal.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that may still be written below `dir`.
    ///
    /// # Errors
    ///
    /// The system's refusal.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
}

/// One open file. Writes are durable after [`File::sync_data`] and in no order before it.
pub trait File: Debug + Send + Sync {
    /// Length in bytes.
    ///
    /// # Errors
    ///
    /// The system's refusal.
    fn size_bytes(&self) -> io::Result<u64>;
    /// Reads at an offset; fewer bytes than asked for only at the end of the file.
    ///
    /// # Errors
    ///
    /// The system's refusal.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize>;
    /// Writes all of `bytes` at an offset.
    ///
    /// # Errors
    ///
    /// The system's refusal; part of the bytes may have been written then.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts or extends the file.
    ///
    /// # Errors
    ///
    /// The system's refusal.
    fn truncate(&self, size_bytes: u64) -> io::Result<()>;
    /// Makes content and length durable.
    ///
    /// # Errors
    ///
    /// The system's refusal; what is on disk is unknown then, and trying again proves nothing.
    fn sync_data(&self) -> io::Result<()>;
}
