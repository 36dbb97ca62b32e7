//! Bounds of the store.

/// Plaintext bytes of a chunk: what one open original keeps in memory.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Largest envelope of openings, in plaintext bytes.
pub const OPENINGS_BYTES_MAX: usize = 1 << 20;
/// Most openings of one record.
pub const OPENINGS_MAX: u32 = 1_000;
