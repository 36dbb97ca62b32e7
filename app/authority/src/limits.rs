//! The bounds of an authority's directory.

/// Most bytes of the register: some 200,000 certificates.
pub const REGISTER_BYTES_MAX: u64 = 256 << 20;
/// Most bytes of any other file.
pub const SMALL_FILE_BYTES_MAX: u64 = 1 << 20;
/// Certificates between the authority and its root.
pub const CHAIN_CERTIFICATES_MAX: usize = 4;
/// Certificates begin a little in the past: the clock of whoever checks them may be behind.
pub const LEEWAY_S: i64 = 300;
