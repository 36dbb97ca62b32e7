//! Bounds of the store.

/// Plaintext bytes of a chunk: what one open original keeps in memory.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Largest envelope of openings, in plaintext bytes.
pub const OPENINGS_BYTES_MAX: usize = 1 << 20;
/// Most openings of one record.
pub const OPENINGS_MAX: u32 = 1_000;
/// Plaintext bytes that are hashed and sealed side by side: an original on its way in keeps three times as many.
pub const BATCH_BYTES: usize = 4 * CHUNK_BYTES;
/// Most recipients of an original, the owner included.
pub const RECIPIENTS_MAX: usize = 64;
/// Largest entry of an original, in bytes.
pub const ENTRY_BYTES_MAX: usize = 64 << 10;
/// Largest metadata in an envelope, in bytes.
pub const METADATA_BYTES_MAX: usize = 4 << 10;
/// One part of an upload to an S3-compatible store; two are under way at a time.
pub const PART_BYTES: usize = 8 << 20;
/// Most parts of an upload (the protocol's own bound is 10,000).
pub const PARTS_MAX: u64 = 9_000;
/// What one request to a remote store reads ahead.
pub const READ_AHEAD_BYTES: usize = 4 << 20;
/// Longest line of the custody log, in bytes.
pub const LOG_LINE_BYTES_MAX: usize = 4 << 10;
/// A file of the custody log is followed by another beyond this, in bytes.
pub const LOG_FILE_BYTES: u64 = 16 << 20;
/// Results of an audit between two syncs; damage is synced at once.
pub const AUDIT_SYNC_EVERY: u32 = 64;
/// Most originals that the state of an audit names.
pub const AUDIT_LOST_MAX: usize = 100;
