//! The formats of a certificate.

use std::str::FromStr;

/// A format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// PDF/A-3b with record and receipt attached.
    Pdf,
    /// OFD (GB/T 33190-2016) with record and receipt attached.
    Ofd,
    /// SVG 1.1, for screens; nothing attached.
    Svg,
}

/// No format of this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the formats are pdf, ofd and svg")]
pub struct UnknownFormat;

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pdf, Self::Ofd, Self::Svg];

    /// `pdf`, `ofd` or `svg`: name and file extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Ofd => "ofd",
            Self::Svg => "svg",
        }
    }

    /// The media type; OFD's is the one in use, not a registered one.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Ofd => "application/ofd",
            Self::Svg => "image/svg+xml",
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.into_iter().find(|format| format.extension() == name).ok_or(UnknownFormat)
    }
}
