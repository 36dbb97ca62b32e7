//! The data directory: its layout, its lock, and small files written whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::error::StartError;

/// The files and folders of a node, all below one directory.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    pub(crate) root: PathBuf,
}

impl Directory {
    pub(crate) fn identity(&self) -> PathBuf {
        self.root.join("identity")
    }

    /// Where the channels lie, a folder each.
    pub(crate) fn channels(&self) -> PathBuf {
        self.root.join("channels")
    }

    /// Block 0 of a channel.
    pub(crate) fn genesis(&self, channel: &str) -> PathBuf {
        self.channel(channel).join("genesis.block")
    }

    pub(crate) fn trust(&self) -> PathBuf {
        self.root.join("trust.pem")
    }

    pub(crate) fn channel(&self, id: &str) -> PathBuf {
        self.channels().join(id)
    }

    /// A channel's block log.
    pub(crate) fn blocks(&self, id: &str) -> PathBuf {
        self.channel(id).join("blocks")
    }

    /// That the node's key has signed nothing on a channel yet.
    pub(crate) fn unsigned(&self, id: &str) -> PathBuf {
        self.channel(id).join("consensus.unsigned")
    }

    pub(crate) fn custody(&self) -> PathBuf {
        self.root.join("custody")
    }

    /// The process log of a channel.
    pub(crate) fn process_log(&self, channel: &str) -> PathBuf {
        self.root.join("process").join(channel)
    }

    /// What salts of case numbers are derived from.
    pub(crate) fn court_secret(&self) -> PathBuf {
        self.root.join("court.secret")
    }

    /// The digests of batches; no other node has them.
    pub(crate) fn batches(&self) -> PathBuf {
        self.root.join("batches")
    }

    pub(crate) fn idempotency(&self) -> PathBuf {
        self.root.join("idempotency")
    }

    /// Where client commands find the running node.
    pub(crate) fn running(&self) -> PathBuf {
        self.root.join("node.json")
    }

    /// Creates the directory and takes it for this process until the lock is dropped.
    pub(crate) fn take(root: &Path) -> Result<(Self, Lock), StartError> {
        std::fs::create_dir_all(root).map_err(|e| StartError::file(root, e))?;
        let path = root.join("LOCK");
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|e| StartError::file(&path, e))?;
        let lock = || flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        // Whoever looks whether a node runs here holds the lock for a moment.
        let mut taken = lock();
        for _ in 0..LOOKS_MAX {
            if taken {
                break;
            }
            std::thread::sleep(LOOK);
            taken = lock();
        }
        if !taken {
            let mut pid = String::new();
            drop(file.read_to_string(&mut pid));
            return Err(StartError::InUse { dir: root.to_owned(), pid: pid.trim().to_owned() });
        }
        file.set_len(0).map_err(|e| StartError::file(&path, e))?;
        writeln!(file, "{}", std::process::id()).map_err(|e| StartError::file(&path, e))?;
        Ok((Self { root: root.to_owned() }, Lock(file)))
    }
}

/// The directory is this process's while this lives; the kernel frees it when the process dies.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

/// The process that runs on a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its id, as it wrote it.
    pub pid: u32,
    /// Whether that process has the directory's lock file open: it is the node, not one that got its id later.
    pub holds_lock: bool,
}

/// The process that runs on a data directory; `None` when none does.
///
/// # Errors
/// When the lock file cannot be read.
pub fn process_of(root: &Path) -> std::io::Result<Option<Process>> {
    let path = root.join("LOCK");
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
        return Ok(None);
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let Ok(pid) = text.trim().parse() else {
        // Taken this very moment: its id comes next.
        return Ok(None);
    };
    let lock = path.canonicalize()?;
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let holds_lock = open.filter_map(|fd| fd.path().read_link().ok()).any(|to| to == lock);
    Ok(Some(Process { pid, holds_lock }))
}

/// Writes a file that is there whole after a crash, or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StartError> {
    let wrong = |e| StartError::file(path, e);
    std::fs::create_dir_all(folder(path)).map_err(wrong)?;
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(mode)
        .open(&temporary)
        .map_err(wrong)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(wrong)?;
    std::fs::rename(&temporary, path).map_err(wrong)?;
    sync_parent(path).map_err(wrong)
}

/// Makes the name of a file, or that it is gone, durable.
pub(crate) fn sync_parent(path: &Path) -> std::io::Result<()> {
    File::open(folder(path)).and_then(|dir| dir.sync_all())
}

/// A name alone has an empty parent.
fn folder(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new("."))
}

/// Reads a small file; `None` when it does not exist.
pub(crate) fn read_small(path: &Path) -> Result<Option<Vec<u8>>, StartError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StartError::file(path, error)),
    }
}

/// How often a lock that is held is tried again before it counts as held for good.
const LOOKS_MAX: u32 = 3;
const LOOK: std::time::Duration = std::time::Duration::from_millis(20);
