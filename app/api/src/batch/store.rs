//! Where a node keeps the digests of its batches: a file per batch, named by the batch's root, written before the record
//! and never changed.
//!
//! File: the line `changbai/api/batch/v1`, then per digest `u16 length ‖ bytes of the leaf`, big endian. It proves
//! itself: whoever reads it computes the root anew and compares it with the record's. Other nodes have the root only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use changbai_core::limits::BATCH_DIGESTS_MAX;
use changbai_core::{BatchLeaf, BatchRoot, BatchTree};
use smkit::sm3::Sm3Digest;

use super::place::Batch;
use crate::limits::BATCHES_CACHED_MAX;

/// The batches of one node, in a directory of their own.
#[derive(Debug)]
pub struct BatchStore {
    dir: PathBuf,
    numbered: AtomicU64,
    /// The batches read last, latest first.
    cached: Mutex<Vec<Arc<Batch>>>,
}

/// Why a batch's digests cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// This node has no file of it.
    #[error("this node does not keep the digests of batch {0}")]
    NotHeld(Sm3Digest),
    /// The file is not what was written, or another batch's.
    #[error("the digests of batch {0} are damaged")]
    Damaged(Sm3Digest),
    /// The disk's own trouble.
    #[error("the digests of a batch cannot be read or written")]
    Io(#[from] io::Error),
}

impl BatchStore {
    /// Opens or creates the directory, and clears away what never became a batch.
    ///
    /// # Errors
    /// When the directory cannot be created or read.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == PART) {
                fs::remove_file(path)?;
            }
        }
        let (numbered, cached) = (AtomicU64::new(0), Mutex::default());
        Ok(Self { dir: dir.to_owned(), numbered, cached })
    }

    /// A new batch. Dropped before [`Incoming::finish`], nothing stays of it.
    ///
    /// # Errors
    /// When its file cannot be created.
    pub fn begin(&self) -> io::Result<Incoming> {
        let number = self.numbered.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(format!("{number}.{PART}"));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        let mut file = BufWriter::with_capacity(BUFFER_BYTES, file);
        file.write_all(MAGIC)?;
        Ok(Incoming { dir: self.dir.clone(), part: Part(path), file, block: Block::default() })
    }

    /// The digests of a batch, checked against its root.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn read(&self, root: &BatchRoot) -> Result<Arc<Batch>, BatchError> {
        if let Some(found) = self.find_cached(root) {
            return Ok(found);
        }
        let file = File::open(self.dir.join(file_name(&root.root)));
        let mut file = file.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => BatchError::NotHeld(root.root),
            _ => BatchError::Io(error),
        })?;
        let mut bytes = Vec::new();
        (&mut file).take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        let leaves = bytes.strip_prefix(MAGIC).ok_or(BatchError::Damaged(root.root))?.to_vec();
        drop(bytes);
        let batch = Batch::read(leaves).filter(|batch| batch.root() == *root);
        let batch = Arc::new(batch.ok_or(BatchError::Damaged(root.root))?);
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        cached.insert(0, Arc::clone(&batch));
        cached.truncate(BATCHES_CACHED_MAX);
        Ok(batch)
    }

    fn find_cached(&self, root: &BatchRoot) -> Option<Arc<Batch>> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let at = cached.iter().position(|batch| batch.root() == *root)?;
        let found = cached.remove(at);
        cached.insert(0, Arc::clone(&found));
        Some(found)
    }
}

/// A batch that is being received.
#[derive(Debug)]
pub struct Incoming {
    dir: PathBuf,
    part: Part,
    file: BufWriter<File>,
    block: Block,
}

impl Incoming {
    /// Adds a digest.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn push(&mut self, leaf: &BatchLeaf) -> io::Result<()> {
        let start = self.block.bytes.len();
        leaf.write(&mut self.block.bytes);
        let end = self.block.bytes.len();
        self.block.ends.push(end);
        let length = u16::try_from(end.saturating_sub(start)).map_err(io::Error::other)?;
        self.file.write_all(&length.to_be_bytes())?;
        self.file.write_all(self.block.bytes.get(start..end).unwrap_or_default())?;
        if self.block.ends.len() >= BLOCK_LEAVES {
            self.block.hash();
        }
        Ok(())
    }

    /// Makes the batch durable under its root; blocking. `None` if it has no digests, or too many.
    ///
    /// # Errors
    /// When the file cannot be written or named.
    pub fn finish(mut self) -> io::Result<Option<BatchRoot>> {
        self.block.hash();
        let Some(tree) = BatchTree::new(&self.block.hashes) else { return Ok(None) };
        let root = tree.root();
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.part.0, self.dir.join(file_name(&root.root)))?;
        File::open(&self.dir)?.sync_all()?;
        Ok(Some(root))
    }
}

/// Leaves that wait to be hashed side by side, and the hashes so far.
#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    hashes: Vec<Sm3Digest>,
}

impl Block {
    fn hash(&mut self) {
        let mut start = 0;
        let mut leaves = Vec::with_capacity(self.ends.len());
        for end in self.ends.drain(..) {
            leaves.push(self.bytes.get(start..end).unwrap_or_default());
            start = end;
        }
        self.hashes.extend(changbai_merkle::leaf_hashes(&leaves));
        self.bytes.clear();
    }
}

/// A file that goes away unless it was given its name.
#[derive(Debug)]
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // After a rename there is nothing of this name.
        drop(fs::remove_file(&self.0));
    }
}

fn file_name(root: &Sm3Digest) -> String {
    format!("{root}.leaves")
}

const MAGIC: &[u8] = b"changbai/api/batch/v1\n";
const PART: &str = "part";
const BUFFER_BYTES: usize = 256 << 10;
/// As many as fill the lanes of every kernel many times over.
const BLOCK_LEAVES: usize = 1_024;
/// More than any batch: 100,000 leaves of at most 720 bytes.
const FILE_BYTES_MAX: u64 = (BATCH_DIGESTS_MAX as u64) * 1_024;
