//! Domain-separation strings of this crate. Changing one breaks everything recorded under it.

/// Prefix of a salted commitment to a personal field.
pub const COMMITMENT: &[u8] = b"changbai/core/commitment/v1";
/// Prefix of the key under which a submission may be recorded once.
pub const DUPLICATE: &[u8] = b"changbai/core/duplicate/v1";
