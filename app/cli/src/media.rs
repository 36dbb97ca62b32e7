//! Media types of originals: by extension, confirmed or replaced by the first bytes where the format has a mark.

use std::{ffi::OsStr, path::Path};

/// Bytes [`media_type`] looks at.
pub(crate) const SNIFF_BYTES: usize = 64;

const UNKNOWN: &str = "application/octet-stream";
const OFD: &str = "application/ofd";
const ZIP: &str = "application/zip";

/// Formats an office hands in, by lower-case extension.
const BY_EXTENSION: &[(&str, &str)] = &[
    ("pdf", "application/pdf"),
    ("ofd", OFD),
    ("zip", ZIP),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("bmp", "image/bmp"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("txt", "text/plain"),
    ("csv", "text/csv"),
    ("xml", "application/xml"),
    ("json", "application/json"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("eml", "message/rfc822"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("wps", "application/vnd.ms-works"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav"),
    ("m4a", "audio/mp4"),
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("avi", "video/x-msvideo"),
    ("mkv", "video/x-matroska"),
    ("7z", "application/x-7z-compressed"),
    ("gz", "application/gzip"),
    ("tar", "application/x-tar"),
];

/// Formats with a mark at the start. A ZIP mark says only "a ZIP container": the extension decides which.
const BY_MAGIC: &[(&[u8], &str)] = &[
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"PK\x03\x04", ZIP),
];

/// The media type of a file, from its name and its first bytes (up to [`SNIFF_BYTES`]).
///
/// The bytes win over a name that contradicts them: a PDF named `.png` is recorded as a PDF. A name that claims a
/// marked format without its mark falls back to `application/octet-stream`.
pub(crate) fn media_type(path: &Path, head: &[u8]) -> &'static str {
    let by_name = by_extension(path);
    let by_magic =
        BY_MAGIC.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, kind)| *kind);
    match (by_magic, by_name) {
        (Some(ZIP), Some(name)) if is_zip_container(name) => name,
        (Some(ZIP), _) => {
            if holds_ofd_entry(head) {
                OFD
            } else {
                ZIP
            }
        }
        (Some(magic), _) => magic,
        (None, Some(name)) if !needs_mark(name) => name,
        (None, _) => UNKNOWN,
    }
}

fn by_extension(path: &Path) -> Option<&'static str> {
    let extension = path.extension().and_then(OsStr::to_str)?.to_ascii_lowercase();
    BY_EXTENSION.iter().find(|(known, _)| *known == extension).map(|(_, kind)| *kind)
}

/// GB/T 33190: an OFD package is a ZIP whose main entry is `OFD.xml`; writers put it first.
fn holds_ofd_entry(head: &[u8]) -> bool {
    head.get(30..37) == Some(b"OFD.xml")
}

fn is_zip_container(media_type: &str) -> bool {
    media_type == OFD || media_type.starts_with("application/vnd.openxmlformats-officedocument.")
}

fn needs_mark(media_type: &str) -> bool {
    is_zip_container(media_type) || BY_MAGIC.iter().any(|(_, kind)| *kind == media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, head: &[u8]) -> &'static str {
        media_type(Path::new(name), head)
    }

    #[test]
    fn names_and_marks_agree() {
        assert_eq!(of("a.pdf", b"%PDF-1.7"), "application/pdf");
        assert_eq!(of("A.PDF", b"%PDF-1.7"), "application/pdf");
        assert_eq!(of("a.ofd", b"PK\x03\x04rest"), OFD);
        assert_eq!(of("a.jpg", b"\xff\xd8\xff\xe0"), "image/jpeg");
        assert_eq!(of("a.zip", b"PK\x03\x04"), ZIP);
        assert_eq!(of("a.txt", b"hello"), "text/plain");
        assert!(of("a.docx", b"PK\x03\x04").ends_with("wordprocessingml.document"));
    }

    #[test]
    fn bytes_win_over_a_contradicting_name() {
        assert_eq!(of("a.png", b"%PDF-1.7"), "application/pdf");
        assert_eq!(of("a.pdf", b"not a pdf"), UNKNOWN);
        assert_eq!(of("noname", b"\x89PNG\r\n\x1a\n"), "image/png");
        assert_eq!(of("noname", b""), UNKNOWN);
        assert_eq!(of("a.docx", b""), UNKNOWN);
    }

    #[test]
    fn an_ofd_without_its_extension_is_recognised() {
        let mut head = b"PK\x03\x04".to_vec();
        head.resize(30, 0);
        head.extend_from_slice(b"OFD.xml");
        assert_eq!(of("a.bin", &head), OFD);
    }

    #[test]
    fn extensions_are_lower_case_and_unique() {
        for (i, (extension, _)) in BY_EXTENSION.iter().enumerate() {
            assert_eq!(*extension, extension.to_ascii_lowercase());
            assert!(BY_EXTENSION.iter().skip(i + 1).all(|(other, _)| other != extension));
        }
    }
}
