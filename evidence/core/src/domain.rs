//! Domain-separation strings of this crate. Changing one breaks everything recorded under it.

/// Prefix of a salted commitment to a personal field.
pub const COMMITMENT: &[u8] = b"changbai/core/commitment/v1";
/// Prefix of the bytes of one digest in a batch.
pub const BATCH_LEAF: &[u8] = b"changbai/core/batch-leaf/v1";
/// Prefix of the key under which a batch may be recorded once.
pub const BATCH_DUPLICATE: &[u8] = b"changbai/core/batch-duplicate/v1";
/// Prefix of the key under which a submission may be recorded once.
pub const DUPLICATE: &[u8] = b"changbai/core/duplicate/v1";
/// Prefix of the digest of an entry of a process log.
pub const PROCESS_ENTRY: &[u8] = b"changbai/core/process-entry/v1";
/// Prefix of what a node signs for a page of its process log.
pub const PROCESS_PAGE: &[u8] = b"changbai/core/process-page/v1";
/// Prefix of the detail of the step `collected`.
pub const PROCESS_COLLECTED: &[u8] = b"changbai/core/process-collected/v1";
/// Prefix of the detail of the step `hashed`.
pub const PROCESS_HASHED: &[u8] = b"changbai/core/process-hashed/v1";
/// Prefix of the detail of the step `committed`.
pub const PROCESS_COMMITTED: &[u8] = b"changbai/core/process-committed/v1";
/// Prefix of a leaf of the tree of heads that a node anchors.
pub const PROCESS_HEAD: &[u8] = b"changbai/core/process-head/v1";
/// Prefix of what a salt of a case number is derived from.
pub const CASE_SALT: &[u8] = b"changbai/core/case-salt/v1";
