//! Where sealed bytes lie: a directory, an S3-compatible service, or an IPFS node.
//!
//! A store knows names and bytes. It never sees a key, and nothing that it answers is believed: names are digests of the
//! sealed bytes, and every chunk authenticates.

mod http;
mod ipfs;
pub(crate) mod local;
mod location;
mod s3;
mod sha256;

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

pub use self::http::{Patience, Secure, Securing, Stream};
pub use self::ipfs::IpfsStore;
pub use self::local::LocalStore;
pub use self::location::{Endpoint, IpfsLocation, Location, LocationError, S3Location};
pub use self::s3::{Credentials, S3Store};
use crate::cid::Cid;
use crate::error::CustodyError;

/// A store of immutable objects. Calls block; they must not run on the threads of an async runtime.
pub trait Store: fmt::Debug + Send + Sync {
    /// Puts `draft` under `name`, never over something else. Durable when this returns; the same object again is no
    /// error.
    ///
    /// # Errors
    /// [`StoreError`]; whether the object is there is then unknown.
    fn put(&self, name: &Cid, draft: &SealedDraft<'_>) -> Result<(), StoreError>;

    /// Opens an object; `None` when there is none of this name.
    ///
    /// # Errors
    /// [`StoreError`].
    fn open(&self, name: &Cid) -> Result<Option<Box<dyn Object>>, StoreError>;

    /// Removes an object; none of this name is no error.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remove(&self, name: &Cid) -> Result<(), StoreError>;

    /// Where an object lies, for people: a path or an address.
    fn place(&self, name: &Cid) -> String;
}

/// A stored object, open for reading.
pub trait Object: Send {
    /// Its length in bytes.
    fn size_bytes(&self) -> u64;

    /// Fills `into` from `offset` on.
    ///
    /// # Errors
    /// [`StoreError`], also beyond the end.
    fn read_at(&mut self, offset: u64, into: &mut [u8]) -> Result<(), StoreError>;
}

impl Location {
    /// The store there; `None` for custody's own directory, which is opened with it.
    ///
    /// # Errors
    /// [`CustodyError`], when an S3-compatible service is given no `credentials`, or the system refuses.
    pub fn open(
        self,
        credentials: Option<&Credentials>,
        secure: Option<Arc<dyn Secure>>,
        patience: Patience,
    ) -> Result<Option<Arc<dyn Store>>, CustodyError> {
        let wrong = || CustodyError::store("custody.store".to_owned());
        Ok(match self {
            Self::Own => None,
            Self::Folder(dir) => Some(Arc::new(LocalStore::open(dir)?)),
            Self::S3(location) => {
                let missing = || StoreError::Refused("no credentials are given".to_owned());
                let credentials = credentials.ok_or_else(missing).map_err(wrong())?;
                let store = S3Store::new(location, credentials, secure, patience);
                Some(Arc::new(store.map_err(wrong())?))
            }
            Self::Ipfs(location) => {
                Some(Arc::new(IpfsStore::new(location, secure, patience).map_err(wrong())?))
            }
        })
    }
}

/// A complete, synced temporary file.
#[derive(Debug)]
pub struct SealedDraft<'a> {
    pub(crate) path: &'a Path,
    pub(crate) file: &'a File,
    pub(crate) size_bytes: u64,
}

/// A finished file that is to be put into a store.
#[derive(Debug)]
pub struct SealedFile {
    path: std::path::PathBuf,
    file: File,
    size_bytes: u64,
}

impl SealedFile {
    /// Opens it.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = File::open(path)?;
        let size_bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size_bytes })
    }

    /// As [`Store::put`] takes it.
    #[must_use]
    pub fn draft(&self) -> SealedDraft<'_> {
        SealedDraft { path: &self.path, file: &self.file, size_bytes: self.size_bytes }
    }
}

/// Why a store did not do what was asked. Never holds credentials.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The system refused.
    #[error("cannot {operation}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A remote store did not answer, or not in time: trying again later may help.
    #[error("the store does not answer: {0}")]
    Unreachable(String),
    /// A remote store refused.
    #[error("the store refuses: {0}")]
    Refused(String),
    /// Under this name lies something else.
    #[error("something else lies under this name")]
    Occupied,
    /// The object ends before it should.
    #[error("the object ends early")]
    Short,
}

impl StoreError {
    pub(crate) fn io(operation: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { operation, source }
    }
}
