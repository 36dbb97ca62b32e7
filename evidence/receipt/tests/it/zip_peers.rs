//! Others read what we write, and we refuse what others write.

use std::{
    io::{Cursor, Read, Write},
    process::Command,
};

use changbai_receipt::{BundleError, Verdict, read_bundle, verify_reader};

use crate::fixture::City;

#[test]
fn the_zip_crate_reads_our_container() {
    let city = City::new(1);
    let mut archive = zip::ZipArchive::new(Cursor::new(city.bundle())).unwrap();
    let names: Vec<_> = archive.file_names().map(str::to_owned).collect();
    assert_eq!(
        names,
        ["record.json", "receipt.json", "disclosures.json", "originals/01.pdf", "originals/02.jpg"]
    );
    let expected = [
        city.record.to_bytes(),
        city.receipt(),
        city.disclosures(),
        city.originals[0].clone(),
        city.originals[1].clone(),
    ];
    for (at, expected) in expected.iter().enumerate() {
        let mut entry = archive.by_index(at).unwrap();
        assert_eq!(entry.compression(), zip::CompressionMethod::Stored);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!(content, *expected);
    }
}

#[test]
fn unzip_and_python_find_no_fault() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bundle.zip");
    std::fs::write(&file, City::new(1).bundle()).unwrap();
    let python =
        "import sys, zipfile; sys.exit(zipfile.ZipFile(sys.argv[1]).testzip() is not None)";
    for (tool, arguments) in [("unzip", &["-tqq"][..]), ("python3", &["-c", python])] {
        match Command::new(tool).args(arguments).arg(&file).output() {
            Ok(output) => assert!(output.status.success(), "{tool}: {output:?}"),
            Err(_) => eprintln!("SKIPPED: {tool} is not installed"),
        }
    }
}

#[test]
fn what_others_pack_from_the_same_parts_is_refused() {
    let city = City::new(1);
    let parts = [
        ("record.json", city.record.to_bytes()),
        ("receipt.json", city.receipt()),
        ("originals/01.pdf", city.originals[0].clone()),
        ("originals/02.jpg", city.originals[1].clone()),
    ];
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, content) in &parts {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    assert!(matches!(read_bundle(&mut bytes.as_slice()), Err(BundleError::NotCanonical { .. })));
    let report = verify_reader(&mut bytes.as_slice(), &[], Some(&city.trust));
    assert_eq!(report.verdict, Verdict::NotVerified);
    assert_eq!(report.element("container").unwrap().code, "VF-1002");
}
