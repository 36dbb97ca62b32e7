use std::{cell::RefCell, fs, path::PathBuf};

use smkit::sm3::sm3;

use super::*;
use crate::{client::Upload, lang::Lang};

fn body(dir: &Path) -> (Multipart, Vec<PathBuf>) {
    let paths = vec![dir.join("deed of Zhang San.pdf"), dir.join("empty")];
    fs::write(&paths[0], b"%PDF-1.7 content").unwrap();
    fs::write(&paths[1], b"").unwrap();
    let mut parts = vec![Part::Json { name: "metadata", bytes: b"{}".to_vec() }];
    parts.extend(paths.iter().map(|path| Part::File {
        name: "original",
        path: path.clone(),
        media_type: "application/pdf",
    }));
    (Multipart::new("b", parts).unwrap(), paths)
}

fn read(multipart: &Multipart, chunk: usize) -> (Vec<u8>, Vec<Sm3Digest>) {
    let digests = RefCell::new(Vec::new());
    let mut out = Vec::new();
    let mut reader = multipart.reader(Box::new(|sm3| digests.borrow_mut().push(sm3)));
    let mut room = vec![0; chunk];
    loop {
        let count = reader.read_named(&mut room).unwrap();
        if count == 0 {
            break;
        }
        out.extend_from_slice(&room[..count]);
    }
    drop(reader);
    (out, digests.into_inner())
}

#[test]
fn the_body_is_what_the_rfc_says_and_holds_no_file_name() {
    let dir = tempfile::tempdir().unwrap();
    let (multipart, _) = body(dir.path());
    let (bytes, digests) = read(&multipart, 7);
    let expected = "--b\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\
        Content-Type: application/json\r\n\r\n{}\r\n\
        --b\r\nContent-Disposition: form-data; name=\"original\"; filename=\"01\"\r\n\
        Content-Type: application/pdf\r\n\r\n%PDF-1.7 content\r\n\
        --b\r\nContent-Disposition: form-data; name=\"original\"; filename=\"02\"\r\n\
        Content-Type: application/pdf\r\n\r\n\r\n--b--\r\n";
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    assert_eq!(multipart.len_bytes(), expected.len() as u64);
    assert_eq!(digests, [sm3(b"%PDF-1.7 content"), sm3(b"")]);
}

#[test]
fn every_reading_gives_the_same_digest() {
    let dir = tempfile::tempdir().unwrap();
    let (multipart, _) = body(dir.path());
    let whole = read(&multipart, 1 << 20).0;
    for chunk in [1, 3, 64] {
        assert_eq!(read(&multipart, chunk).0, whole);
    }
    let upload = Upload::prepare(multipart, Lang::En).unwrap();
    assert_eq!(upload.sm3(), sm3(&whole));
    assert_eq!(upload.len_bytes(), whole.len() as u64);
    assert_eq!(upload.sent_files(), None);
    for _ in 0..2 {
        let mut sent = Vec::new();
        upload.start().read_to_end(&mut sent).unwrap();
        assert_eq!(sent, whole);
        assert_eq!(upload.sent_files().unwrap(), [sm3(b"%PDF-1.7 content"), sm3(b"")]);
    }
}

#[test]
fn a_file_that_changes_length_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    for content in [&b"%PDF-1.7 content, longer"[..], b"%PDF"] {
        let (multipart, paths) = body(dir.path());
        fs::write(&paths[0], content).unwrap();
        let error = Upload::prepare(multipart, Lang::En).unwrap_err();
        assert!(matches!(error, CliError::FileChanged { path } if path == paths[0]));
    }
}

#[test]
fn an_error_during_sending_is_kept_for_the_caller() {
    let dir = tempfile::tempdir().unwrap();
    let (multipart, paths) = body(dir.path());
    let upload = Upload::prepare(multipart, Lang::En).unwrap();
    fs::remove_file(&paths[1]).unwrap();
    assert!(upload.start().read_to_end(&mut Vec::new()).is_err());
    assert!(matches!(upload.take_error(), Some(CliError::Read { path, .. }) if path == paths[1]));
    assert!(upload.take_error().is_none());
}
