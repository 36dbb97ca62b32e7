//! Every bound of this crate.

/// Most pages of one certificate.
pub const PAGES_MAX: usize = 64;
/// Most bytes of a font that a caller brings.
pub const FONT_BYTES_MAX: usize = 64 << 20;
/// Most characters of each configured text (platform, filing number, address).
pub const ISSUER_CHARS_MAX: usize = 200;
