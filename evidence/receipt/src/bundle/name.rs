//! Names of a bundle's entries.

use std::fmt;

use crate::limits::ORIGINALS_MAX;

/// A name that may stand in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryName {
    Record,
    Receipt,
    Disclosures,
    /// `originals/NN.ext`
    Original {
        position: usize,
        extension: String,
    },
}

impl EntryName {
    /// The name for the original at `position` (from 1).
    pub(crate) fn original(position: usize, media_type: &str) -> Self {
        Self::Original { position, extension: extension(media_type).to_owned() }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "record.json" => Some(Self::Record),
            "receipt.json" => Some(Self::Receipt),
            "disclosures.json" => Some(Self::Disclosures),
            _ => {
                let (number, extension) = name.strip_prefix("originals/")?.split_once('.')?;
                let position = number.parse().ok().filter(|n| (1..=ORIGINALS_MAX).contains(n))?;
                let known = EXTENSIONS.iter().any(|(_, known)| *known == extension);
                let parsed = Self::Original { position, extension: extension.to_owned() };
                ((known || extension == OTHER) && parsed.to_string() == name).then_some(parsed)
            }
        }
    }

    /// Whether an entry of this name may come after one named `last`.
    pub(crate) fn follows(&self, last: &Self) -> bool {
        self.rank() > last.rank()
    }

    fn rank(&self) -> usize {
        match self {
            Self::Record => 0,
            Self::Receipt => 1,
            Self::Disclosures => 2,
            Self::Original { position, .. } => position.saturating_add(2),
        }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record => f.write_str("record.json"),
            Self::Receipt => f.write_str("receipt.json"),
            Self::Disclosures => f.write_str("disclosures.json"),
            Self::Original { position, extension } => {
                write!(f, "originals/{position:02}.{extension}")
            }
        }
    }
}

/// The file extension for a media type: a fixed table, `bin` for everything else. Parameters and case are ignored.
pub fn extension(media_type: &str) -> &'static str {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    EXTENSIONS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(essence))
        .map_or(OTHER, |(_, extension)| extension)
}

const OTHER: &str = "bin";

/// Part of the format (`FORMAT.md` §1.2): an addition needs a new format number, since it renames entries.
const EXTENSIONS: [(&str, &str); 28] = [
    ("application/gzip", "gz"),
    ("application/json", "json"),
    ("application/msword", "doc"),
    ("application/ofd", "ofd"),
    ("application/pdf", "pdf"),
    ("application/vnd.ms-excel", "xls"),
    ("application/vnd.ms-powerpoint", "ppt"),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    ("application/xml", "xml"),
    ("application/zip", "zip"),
    ("audio/mp4", "m4a"),
    ("audio/mpeg", "mp3"),
    ("audio/wav", "wav"),
    ("image/bmp", "bmp"),
    ("image/gif", "gif"),
    ("image/jpeg", "jpg"),
    ("image/png", "png"),
    ("image/tiff", "tif"),
    ("image/webp", "webp"),
    ("message/rfc822", "eml"),
    ("text/csv", "csv"),
    ("text/html", "html"),
    ("text/plain", "txt"),
    ("video/mp4", "mp4"),
    ("video/quicktime", "mov"),
    ("video/x-msvideo", "avi"),
];
