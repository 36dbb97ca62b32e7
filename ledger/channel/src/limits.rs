//! Bounds of the channel: queues, blocks and transactions.

/// Largest serialized `Envelope` accepted, in bytes. Originals never travel through the ledger.
pub const ENVELOPE_BYTES_MAX: usize = 1 << 20;
/// Most transactions waiting for a block; further ones are refused with a retry hint.
pub const MEMPOOL_TRANSACTIONS_MAX: usize = 20_000;
/// Most bytes of transactions waiting for a block.
pub const MEMPOOL_BYTES_MAX: usize = 64 << 20;
/// What a refused submitter is told to wait, in milliseconds.
pub const RETRY_AFTER_MS: u64 = 250;
/// Most signatures handed to one worker at a time while a block is validated.
pub const SIGNATURE_CHUNK: usize = 32;
/// Most blocks that one listing returns.
pub const BLOCK_PAGE_MAX: u64 = 100;
