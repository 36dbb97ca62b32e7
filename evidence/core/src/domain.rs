//! Domain-separation strings of this crate. Changing one breaks everything recorded under it.

/// Prefix of a salted commitment to a personal field.
pub const COMMITMENT: &[u8] = b"changbai/core/commitment/v1";
/// Prefix of the bytes of one digest in a batch.
pub const BATCH_LEAF: &[u8] = b"changbai/core/batch-leaf/v1";
/// Prefix of the key under which a batch may be recorded once.
pub const BATCH_DUPLICATE: &[u8] = b"changbai/core/batch-duplicate/v1";
/// Prefix of the key under which a submission may be recorded once.
pub const DUPLICATE: &[u8] = b"changbai/core/duplicate/v1";
