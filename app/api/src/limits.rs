//! Every bound of the HTTP surface, in one place.

use std::time::Duration;

use crate::rate::Rate;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The bounds of one running API. Full always means a refusal with `Retry-After`, never growth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest JSON request body, in bytes.
    pub json_bytes_max: u64,
    /// Largest multipart or raw request body (originals, bundles), in bytes.
    pub upload_bytes_max: u64,
    /// Connections open at the same time; further ones wait in the system's backlog.
    pub connections_max: usize,
    /// Longest wait for a request's head, and so of an idle connection for its next request.
    pub head_wait_max: Duration,
    /// Requests being answered at the same time, all endpoints together.
    pub requests_max: usize,
    /// Originals or bundles being received at the same time; each holds one blocking thread.
    pub uploads_max: usize,
    /// Bundles with originals being sent at the same time; each holds one blocking thread.
    pub downloads_max: usize,
    /// Largest body of a batch, in bytes.
    pub batch_bytes_max: u64,
    /// Batches being received at the same time; each holds one blocking thread and some 20 MiB.
    pub batches_max: usize,
    /// Submissions under way that are to be answered later.
    pub operations_max: usize,
    /// Streams of events open at the same time.
    pub event_streams_max: usize,
    /// Verifications being computed at the same time; more wait their turn.
    pub checks_max: usize,
    /// How often one address may ask for a verification.
    pub checks_client: Rate,
    /// How often everybody together may.
    pub checks: Rate,
    /// Longest silence of a client inside a body, in either direction.
    pub body_idle_max: Duration,
    /// Time any body may take before the rate below counts.
    pub body_grace: Duration,
    /// Slowest average rate of a body after the grace time, in bytes a second.
    pub body_bytes_per_second_min: u64,
    /// Longest wait for the ledger before a request is answered with a time-out.
    pub ledger_wait_max: Duration,
    /// Nonces remembered against replays; full means that signed requests are refused.
    pub nonces_max: usize,
    /// Answers kept for `Idempotency-Key`; the oldest goes first.
    pub idempotency_entries_max: usize,
    /// How often one address may ask the time-stamp authority.
    pub time_stamps_client: Rate,
    /// How often all together may.
    pub time_stamps: Rate,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            json_bytes_max: MIB,
            upload_bytes_max: 8 * GIB,
            connections_max: 1_024,
            head_wait_max: Duration::from_secs(30),
            requests_max: 1_024,
            uploads_max: 4,
            downloads_max: 8,
            batch_bytes_max: 64 * MIB,
            batches_max: 2,
            operations_max: 4_096,
            event_streams_max: 128,
            checks_max: 4,
            checks_client: Rate { per_second: 5, burst: 100 },
            checks: Rate { per_second: 500, burst: 500 },
            body_idle_max: Duration::from_secs(30),
            body_grace: Duration::from_secs(30),
            body_bytes_per_second_min: 16 * KIB,
            ledger_wait_max: Duration::from_secs(30),
            nonces_max: 1 << 19,
            idempotency_entries_max: 1 << 16,
            time_stamps_client: Rate { per_second: 50, burst: 100 },
            time_stamps: Rate { per_second: 2_000, burst: 2_000 },
        }
    }
}

/// Most header fields of a request.
pub const HEADERS_MAX: usize = 64;
/// Most bytes of a request's head; certificates travel in it.
pub const HEAD_BYTES_MAX: usize = 128 << 10;
/// Pause after the system could not hand over a connection.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Distance of a signature's `created` from our clock, in seconds, in either direction.
pub const SIGNATURE_WINDOW_S: u64 = 300;
/// Longest life (`expires − created`) of a signature, in seconds.
pub const SIGNATURE_LIFETIME_S_MAX: u64 = 300;
/// How long an answer is kept for its `Idempotency-Key`, in milliseconds.
pub const IDEMPOTENCY_KEPT_MS: u64 = 24 * 60 * 60 * 1_000;
/// Largest page of a list.
pub const PAGE_LIMIT_MAX: u32 = 200;
/// Page of a list when the client names none.
pub const PAGE_LIMIT_DEFAULT: u32 = 50;

/// Largest genesis block that is taken, in bytes.
pub const GENESIS_BYTES_MAX: u64 = 16 * MIB;
/// Largest change of a configuration that is taken, in bytes.
pub const CONFIG_BYTES_MAX: u64 = 16 * MIB;

/// Longest wait for an operation that a request may ask for, in seconds.
pub const OPERATION_WAIT_S_MAX: u64 = 60;
/// A stream of events says after this time that nothing happened.
pub(crate) const EVENTS_PAUSE_MAX: Duration = Duration::from_secs(15);
/// Largest line of a batch's body, in bytes.
pub const BATCH_LINE_BYTES_MAX: usize = 2 << 10;
/// Faulty lines of a batch that are listed.
pub const BATCH_FAULTS_MAX: usize = 100;
/// Batches whose digests stay in memory after they were read; each takes some tens of MiB.
pub const BATCHES_CACHED_MAX: usize = 2;

pub(crate) const SIGNATURE_INPUT_BYTES_MAX: usize = 2 << 10;
pub(crate) const SIGNATURE_BYTES_MAX: usize = 256;
pub(crate) const CERTIFICATE_HEADER_BYTES_MAX: usize = 64 << 10;
pub(crate) const CERTIFICATES_MAX: usize = 4;
pub(crate) const COMPONENTS_MAX: usize = 16;
pub(crate) const NONCE_CHARS_MIN: usize = 16;
pub(crate) const NONCE_CHARS_MAX: usize = 64;
pub(crate) const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;
pub(crate) const TARGET_BYTES_MAX: usize = 8 << 10;
pub(crate) const CURSOR_CHARS_MAX: usize = 512;
pub(crate) const PART_HEADER_BYTES_MAX: usize = 8 << 10;
pub(crate) const PARTS_MAX: usize = 65;
pub(crate) const STREAM_CHUNK_BYTES: usize = 64 << 10;
pub(crate) const STREAM_CHUNKS_MAX: usize = 8;
pub(crate) const COURT_REQUESTERS_MAX: usize = 10_000;
pub(crate) const MATCHES_MAX: u32 = 10;
pub(crate) const METADATA_BYTES_MAX: usize = 1 << 20;
pub(crate) const PROOF_WAIT_MAX: Duration = Duration::from_secs(10);
pub(crate) const PROOF_POLL: Duration = Duration::from_millis(20);
pub(crate) const SELFTEST_INTERVAL_MS: u64 = 5_000;
