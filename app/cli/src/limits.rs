//! The bounds of the command line, each with its reason.

use std::time::Duration;

/// Attempts for one request, the first included.
pub(crate) const ATTEMPTS_MAX: u32 = 6;
/// Pause before the second attempt; it doubles with each further one.
pub(crate) const BACKOFF_FIRST: Duration = Duration::from_millis(200);
/// Longest pause between two attempts, also when the node asks for more.
pub(crate) const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Time to establish a connection on the loopback interface.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time the node has to answer once a request was sent; a large original is sealed and fsynced in it.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(300);
/// Time to wait for `100 Continue`: the node checks the signature before it reads a body.
pub(crate) const CONTINUE_TIMEOUT: Duration = Duration::from_secs(10);
/// JSON answers are bounded by the node's page size; more is not an answer of a Changbai node.
pub(crate) const ANSWER_BYTES_MAX: u64 = 16 << 20;
/// `node.json`, keys and certificates are small; a larger file is something else.
pub(crate) const SMALL_FILE_BYTES_MAX: u64 = 1 << 20;
/// Originals in one record (changbai-core refuses more as well).
pub(crate) const ORIGINALS_MAX: usize = 64;
/// One read of a stream.
pub(crate) const CHUNK_BYTES: usize = 256 << 10;
/// Smaller inputs are done before a bar could be seen.
pub(crate) const PROGRESS_BYTES_MIN: u64 = 32 << 20;
/// Time that blocking work may take to end after the node stopped.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// Validity of a request signature; the node refuses more than 300 s.
pub(crate) const SIGNATURE_SECONDS: u64 = 240;
/// Time a node of a consortium has to get ready.
pub(crate) const READY_MAX: Duration = Duration::from_secs(60);
/// Pause between two looks at a process.
pub(crate) const READY_POLL: Duration = Duration::from_millis(10);
/// Time a node has to end after it was asked to.
pub(crate) const END_MAX: Duration = Duration::from_secs(60);
/// Time a node has to answer somebody who only looks.
pub(crate) const GLANCE_TIMEOUT: Duration = Duration::from_secs(3);
/// A channel's configuration, or a genesis block, is not larger.
pub(crate) const CONFIG_BYTES_MAX: u64 = 16 << 20;
/// Largest body of a batch, in bytes: what a node takes by default.
pub(crate) const BATCH_BYTES_MAX: u64 = 64 << 20;
/// Largest bundle without originals, in bytes.
pub(crate) const BUNDLE_BYTES_MAX: u64 = 64 << 20;
