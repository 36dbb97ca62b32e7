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
/// Most bytes of an OFD to be judged, and of its members together.
pub const OFD_BYTES_MAX: usize = 64 << 20;
/// Most bytes of one member of an OFD.
pub const OFD_MEMBER_BYTES_MAX: usize = 32 << 20;
/// Most members of an OFD.
pub const OFD_MEMBERS_MAX: usize = 1_000;
/// Most bytes of the name of a member.
pub const OFD_NAME_BYTES_MAX: usize = 256;
/// Most bytes of `Signatures.xml` and `Signature.xml` each.
pub const SIGNATURE_XML_BYTES_MAX: usize = 1 << 20;
/// Most bytes of a picture for a seal.
pub const SEAL_PICTURE_BYTES_MAX: usize = 1 << 20;
/// Most characters of the name on the arc of a drawn seal.
pub const SEAL_NAME_CHARS_MAX: usize = 30;
