//! Why a certificate could not be made.

use smkit_pki::SealError;

use crate::{font::FontError, limits::PAGES_MAX};

/// Why a certificate could not be laid out or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// The font has no glyph for a character. Nothing is printed rather than an empty box.
    #[error(
        "the font has no glyph for {character:?} (U+{:04X}): use a font that has it",
        u32::from(*character)
    )]
    MissingGlyph {
        /// The character.
        character: char,
    },
    /// More pages than [`PAGES_MAX`].
    #[error("the certificate would have more than {PAGES_MAX} pages")]
    TooLong,
    /// The text for the QR code is too long for one.
    #[error("the address for the QR code is too long")]
    QrCode,
    /// The time in the record is none that a document can carry.
    #[error("the time {at_ms} ms cannot be printed")]
    Time {
        /// Unix milliseconds.
        at_ms: u64,
    },
    /// The font cannot be used.
    #[error("the font cannot be used")]
    Font(#[from] FontError),
    /// The document cannot be sealed.
    #[error("the document cannot be sealed: {0}")]
    Seal(#[from] SealError),
    /// No time stamp for the signature.
    #[error("there is no time stamp for the signature: {reason}")]
    TimeStamp {
        /// What the source of time stamps reported.
        reason: String,
    },
    /// A seal's picture cannot be used or drawn.
    #[error("the picture of the seal: {reason}")]
    Picture {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A writer failed.
    #[error("{format} could not be written: {reason}")]
    Write {
        /// `PDF`, `OFD` or `SVG`.
        format: &'static str,
        /// What it reported.
        reason: String,
    },
}

impl CertificateError {
    pub(crate) fn write(format: &'static str, reason: impl ToString) -> Self {
        Self::Write { format, reason: reason.to_string() }
    }
}
