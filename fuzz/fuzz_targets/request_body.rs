//! Bodies of a submission: what is accepted is within its bounds, and multipart framing does not depend on how the
//! bytes arrive.
#![no_main]

use std::collections::BTreeSet;
use std::io::{self, Read};

use changbai_api::multipart::{Multipart, PartHead, boundary};
use changbai_api::parse_multipart_submission;
use changbai_api::submission::{Metadata, parse_metadata, parse_submission};
use changbai_core::CustodyMode;

libfuzzer_sys::fuzz_target!(init: changbai_fuzz::plant("request_body"), |data: &[u8]| {
    if let Ok((metadata, originals)) = parse_submission(data) {
        check(&metadata);
        let digests: BTreeSet<_> = originals.iter().map(|original| original.sm3).collect();
        assert!((1..=64).contains(&originals.len()) && digests.len() == originals.len());
        let submitters = originals.iter().all(|one| one.custody == CustodyMode::Submitter);
        assert!(submitters && originals.iter().all(|one| one.check().is_ok()));
    }
    if let Ok(metadata) = parse_metadata(data) {
        check(&metadata);
    }
    check_multipart(data);
    if let Some(boundary) = std::str::from_utf8(data).ok().and_then(boundary) {
        assert!((1..=70).contains(&boundary.len()) && boundary.is_ascii());
    }
});

fn check(metadata: &Metadata) {
    assert!(metadata.business_type.check(&metadata.fields).is_ok());
    let collection = &metadata.collection;
    assert!(changbai_core::Collection::new(&collection.method, &collection.source).is_ok());
}

fn check_multipart(data: &[u8]) {
    let whole = parts(data);
    assert_eq!(whole, parts(Slow(data)), "framing depends on how the bytes arrive");
    if let Some(parts) = &whole {
        let content: usize = parts.iter().map(|(_, content)| content.len()).sum();
        assert!(parts.len() <= 65 && content <= data.len());
    }
    if let Ok((metadata, bytes)) = parse_multipart_submission(data, "X") {
        check(&metadata);
        let parts = whole.expect("a submission is a multipart body");
        assert_eq!(parts[0].0.name, "metadata");
        let content: usize = parts[1..].iter().map(|(_, content)| content.len()).sum();
        assert_eq!(content as u64, bytes);
    }
}

fn parts(source: impl Read) -> Option<Vec<(PartHead, Vec<u8>)>> {
    let mut multipart = Multipart::new(source, "X");
    let mut parts = Vec::new();
    while let Some(head) = multipart.next_part().ok()? {
        let mut content = Vec::new();
        while let Some(bytes) = multipart.read().ok()? {
            assert!(!bytes.is_empty(), "an empty read before the end");
            content.extend_from_slice(bytes);
        }
        parts.push((head, content));
    }
    Some(parts)
}

/// Gives three bytes at a time.
struct Slow<'a>(&'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(3);
        self.0.read(&mut into[..count])
    }
}
