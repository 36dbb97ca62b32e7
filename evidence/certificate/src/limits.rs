//! Every bound of this crate.

/// Most pages of one certificate.
pub const PAGES_MAX: usize = 64;
/// Most bytes of a font that a caller brings.
pub const FONT_BYTES_MAX: usize = 64 << 20;
/// Most characters of each configured text (platform, filing number, address).
pub const ISSUER_CHARS_MAX: usize = 200;
/// Most bytes of `issuance.json`.
pub const ISSUANCE_BYTES_MAX: usize = 64 << 10;
/// Most steps of a process log that are printed.
pub const PROCESS_STEPS_MAX: usize = 64;
/// Most bytes of a PDF to be judged.
pub const PDF_BYTES_MAX: usize = 32 << 20;
/// Most bytes of the files attached to a PDF, inflated.
pub const PDF_ATTACHED_BYTES_MAX: u64 = 16 << 20;
/// Most pixels of each side of a seal's picture.
pub const SEAL_PIXELS_MAX: u32 = 1_024;
