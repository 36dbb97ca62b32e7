//! Names of a bundle's entries.

use std::fmt;

use crate::limits::{
    BATCH_BYTES_MAX, CERTIFICATE_BYTES_MAX, CHECKPOINT_BYTES_MAX, DISCLOSURES_BYTES_MAX,
    ORIGINALS_MAX, PAGE_BYTES_MAX, PROCESS_BYTES_MAX, RECEIPT_BYTES_MAX, RECORD_BYTES_MAX,
};

/// A name that may stand in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryName {
    Record,
    Receipt,
    Disclosures,
    Batch,
    Checkpoint,
    Process,
    CertificatePdf,
    CertificateOfd,
    Page,
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
        if let Some((document, _)) = DOCUMENTS.iter().find(|(_, known)| *known == name) {
            return Some(document.clone());
        }
        let (number, extension) = name.strip_prefix("originals/")?.split_once('.')?;
        let position = number.parse().ok().filter(|n| (1..=ORIGINALS_MAX).contains(n))?;
        let known = EXTENSIONS.iter().any(|(_, known)| *known == extension);
        let parsed = Self::Original { position, extension: extension.to_owned() };
        ((known || extension == OTHER) && parsed.to_string() == name).then_some(parsed)
    }

    /// Whether an entry of this name may come after one named `last`.
    pub(crate) fn follows(&self, last: &Self) -> bool {
        self.rank() > last.rank()
    }

    /// Most bytes of a document; `None` for an original, which is only hashed.
    pub(crate) const fn bytes_max(&self) -> Option<u64> {
        Some(match self {
            Self::Record => RECORD_BYTES_MAX,
            Self::Receipt => RECEIPT_BYTES_MAX,
            Self::Disclosures => DISCLOSURES_BYTES_MAX,
            Self::Batch => BATCH_BYTES_MAX,
            Self::Checkpoint => CHECKPOINT_BYTES_MAX,
            Self::Process => PROCESS_BYTES_MAX,
            Self::CertificatePdf | Self::CertificateOfd => CERTIFICATE_BYTES_MAX,
            Self::Page => PAGE_BYTES_MAX,
            Self::Original { .. } => return None,
        })
    }

    fn rank(&self) -> usize {
        match self {
            Self::Original { position, .. } => DOCUMENTS.len().saturating_add(*position),
            document => {
                DOCUMENTS.iter().position(|(known, _)| known == document).unwrap_or_default()
            }
        }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Original { position, extension } => {
                write!(f, "originals/{position:02}.{extension}")
            }
            document => f.write_str(
                DOCUMENTS.iter().find(|(known, _)| known == document).map_or("", |(_, name)| name),
            ),
        }
    }
}

/// Everything but originals, in the order of a bundle (`FORMAT.md` §1.2).
const DOCUMENTS: [(EntryName, &str); 9] = [
    (EntryName::Record, "record.json"),
    (EntryName::Receipt, "receipt.json"),
    (EntryName::Disclosures, "disclosures.json"),
    (EntryName::Batch, "batch.json"),
    (EntryName::Checkpoint, "checkpoint.json"),
    (EntryName::Process, "process.json"),
    (EntryName::CertificatePdf, "certificate.pdf"),
    (EntryName::CertificateOfd, "certificate.ofd"),
    (EntryName::Page, "verify.html"),
];

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
