#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::io::Read;

use proptest::prelude::*;

use super::{Multipart, MultipartError, PartHead, boundary};

type Parts = Vec<(PartHead, Vec<u8>)>;

fn parse(source: impl Read, boundary: &str) -> Result<Parts, MultipartError> {
    let mut multipart = Multipart::new(source, boundary);
    let mut parts = Vec::new();
    while let Some(head) = multipart.next_part()? {
        let mut data = Vec::new();
        while let Some(bytes) = multipart.read()? {
            assert!(!bytes.is_empty());
            data.extend_from_slice(bytes);
        }
        parts.push((head, data));
    }
    Ok(parts)
}

fn build(parts: &[(&str, Option<&str>, &[u8])], boundary: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, media_type, data) in parts {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(
            format!(
                "Content-Disposition: form-data; name=\"{name}\"; filename=\"a;\\\"b.pdf\"\r\n"
            )
            .as_bytes(),
        );
        if let Some(media_type) = media_type {
            out.extend_from_slice(format!("Content-Type: {media_type}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(data);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

/// A source that gives the bytes in pieces of the given sizes.
struct Pieces<'a>(&'a [u8], Vec<usize>, usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = self.1[self.2 % self.1.len()].min(into.len()).min(self.0.len());
        self.2 += 1;
        into[..size].copy_from_slice(&self.0[..size]);
        self.0 = &self.0[size..];
        Ok(size)
    }
}

proptest! {
    #[test]
    fn every_split_gives_the_same_parts(
        first in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'X'), any::<u8>()], 0..300),
        second in proptest::collection::vec(any::<u8>(), 0..3000),
        sizes in proptest::collection::vec(1_usize..70, 1..8),
    ) {
        prop_assume!(!first.windows(5).any(|w| w == b"\r\n--X"));
        let body = build(&[("metadata", Some("application/json"), &first), ("original", None, &second)], "XX");
        let parts = parse(Pieces(&body, sizes, 0), "XX").unwrap();
        prop_assert_eq!(parts.len(), 2);
        prop_assert_eq!(&parts[0].1, &first);
        prop_assert_eq!(&parts[1].1, &second);
        prop_assert_eq!(parts[0].0.media_type.as_deref(), Some("application/json"));
        prop_assert_eq!(&parts[1].0.name, "original");
    }

    #[test]
    fn any_cut_is_refused(cut in 0_usize..1000) {
        let body = build(&[("metadata", None, b"{}"), ("original", None, &[7; 100])], "XX");
        prop_assume!(cut < body.len() - 2);
        prop_assert!(parse(&body[..cut], "XX").is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..500)) {
        let _ = parse(body.as_slice(), "X");
    }
}

#[test]
fn what_is_not_multipart_is_refused() {
    let cases: [&[u8]; 8] = [
        b"",
        b"preamble\r\n--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--X--",
        b"--X\r\n\r\n\r\n--X--",
        b"--X\r\nContent-Disposition: form-data\r\n\r\n\r\n--X--",
        b"--X\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\r\n--X--",
        b"--X\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n--X--",
        b"--X\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\n\r\n--X--",
        b"--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--X--trailing",
    ];
    for case in cases {
        assert!(parse(case, "X").is_err(), "{}", String::from_utf8_lossy(case));
    }
    let many: Vec<(&str, Option<&str>, &[u8])> = vec![("original", None, b"x"); 66];
    assert!(matches!(parse(build(&many, "X").as_slice(), "X"), Err(MultipartError::TooManyParts)));
}

#[test]
fn boundaries_are_read_from_the_content_type() {
    assert_eq!(boundary("multipart/form-data; boundary=abc"), Some("abc"));
    assert_eq!(boundary("Multipart/Form-Data; charset=x; BOUNDARY=\"a b\""), None);
    assert_eq!(boundary("multipart/form-data; boundary=\"a:b\""), Some("a:b"));
    assert_eq!(boundary("multipart/mixed; boundary=abc"), None);
    assert_eq!(boundary("multipart/form-data"), None);
    assert_eq!(boundary(&format!("multipart/form-data; boundary={}", "a".repeat(71))), None);
}
