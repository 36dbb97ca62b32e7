//! Why a node does not start, or not stop in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use changbai_channel::{Halted, OpenError};
use changbai_custody::CustodyError;
use changbai_storage::StorageError;

use crate::config::ConfigError;

/// Why a node does not start. Each text names the file or setting that is the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another process runs on the same directory.
    #[error("{dir} is in use by process {pid}", dir = .dir.display())]
    InUse {
        /// The data directory.
        dir: PathBuf,
        /// Process id of the other one.
        pid: String,
    },
    /// A file cannot be read or written.
    #[error("{file}: {source}", file = .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate or key is missing, damaged or does not fit.
    #[error("{file}: {reason}", file = .file.display())]
    Identity {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A certificate is not valid at the time that the machine's clock shows.
    #[error(
        "{file} is valid from {not_before_s} to {not_after_s}, and the clock shows {now_s} (Unix seconds)",
        file = .file.display()
    )]
    Validity {
        /// The certificate.
        file: PathBuf,
        /// Its first valid second, Unix time.
        not_before_s: i64,
        /// Its last valid second, Unix time.
        not_after_s: i64,
        /// What the clock shows, Unix seconds.
        now_s: i64,
    },
    /// The genesis block is missing or damaged while a ledger exists.
    #[error("{file}: {reason}", file = .file.display())]
    Genesis {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The node has a channel of that id already.
    #[error("the node has channel {channel} already")]
    Joined {
        /// Which.
        channel: String,
    },
    /// A file does not describe a channel.
    #[error("{file}: {reason}", file = .file.display())]
    ChannelFile {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it, with its key.
        reason: String,
    },
    /// The node has no such channel.
    #[error("{dir} holds no channel {channel:?}: join it with its genesis block", dir = .dir.display())]
    NoChannel {
        /// Which.
        channel: String,
        /// Where it would lie.
        dir: PathBuf,
    },
    /// This node's certificate is not what the channel's configuration asks for.
    #[error("{file} does not belong to channel {channel}: {reason}", file = .file.display())]
    Foreign {
        /// The certificate.
        file: PathBuf,
        /// The channel.
        channel: String,
        /// Why, with its `MS-` code.
        reason: String,
    },
    /// The machine's clock is behind what the ledger has recorded.
    #[error(
        "the clock shows {now_ms} ms, but block {block} of channel {channel} is of {block_ms} ms (Unix): \
             set the clock"
    )]
    Clock {
        /// The channel.
        channel: String,
        /// Its last block.
        block: u64,
        /// That block's time, Unix milliseconds.
        block_ms: u64,
        /// What the clock shows, Unix milliseconds.
        now_ms: u64,
    },
    /// The ledger does not open.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// The store of originals does not open.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// The cryptographic self-test failed: nothing that this process signs could be relied on.
    #[error("the cryptographic self-test failed (SM2 {sm2}, SM3 {sm3}, SM4 {sm4})")]
    SelfTest {
        /// Result for SM2.
        sm2: bool,
        /// Result for SM3.
        sm3: bool,
        /// Result for SM4.
        sm4: bool,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A part refuses its settings.
    #[error("{0}")]
    Wiring(String),
}

impl StartError {
    /// The file that is damaged, the offset (0 where only the whole can be judged) and what is
    /// wrong there, when damage is what keeps the node from starting.
    #[must_use]
    pub fn damage(&self) -> Option<(&Path, u64, String)> {
        match self {
            Self::Identity { file, reason } | Self::Genesis { file, reason } => {
                Some((file, 0, reason.clone()))
            }
            Self::Ledger(OpenError::Storage(StorageError::Corrupt { file, offset, reason })) => {
                Some((file, *offset, reason.clone()))
            }
            Self::Custody(CustodyError::Damaged { file, offset, reason }) => {
                Some((file, *offset, (*reason).to_owned()))
            }
            _ => None,
        }
    }

    pub(crate) fn file(file: &Path, source: std::io::Error) -> Self {
        Self::File { file: file.to_owned(), source }
    }
}

/// Why a node did not stop in order. Nothing acknowledged is lost; the next start repairs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// Ordering had halted before.
    #[error(transparent)]
    Halted(#[from] Halted),
    /// The index could not be written out.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A task of the node panicked.
    #[error("a task of the node ended abnormally")]
    Task,
}
