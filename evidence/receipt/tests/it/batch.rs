//! One digest of a batch: proven by its path, and by nothing else.

use changbai_core::{BatchEntry, BatchLeaf, BatchTree, Record, RecordParts, contract};
use changbai_receipt::{Bundle, BundleParts, Report, Verdict, verify, verify_reader, write_bundle};
use proptest::prelude::*;
use smkit::sm3;

use crate::fixture::{City, hashed};

const SIZE: u64 = 11;

fn content(index: u64) -> Vec<u8> {
    format!("file {index}").into_bytes()
}

fn leaf(index: u64) -> BatchLeaf {
    let bytes = content(index);
    BatchLeaf {
        sm3: sm3(&bytes),
        size_bytes: Some(bytes.len() as u64),
        media_type: Some("text/plain".to_owned()),
        reference: Some(format!("卷宗 {index}")),
    }
}

fn tree() -> BatchTree {
    BatchTree::new(&(0..SIZE).map(|index| leaf(index).hash()).collect::<Vec<_>>()).unwrap()
}

fn entry(index: u64) -> BatchEntry {
    BatchEntry { leaf: leaf(index), inclusion: tree().path(index).unwrap() }
}

/// A city whose record is the batch.
fn city() -> City {
    let mut city = City::new(1);
    let parts = city.record.parts().clone();
    let batch = Some(tree().root());
    city.record = Record::new(RecordParts { batch, originals: Vec::new(), ..parts }).unwrap();
    city.args = vec![contract::CREATE.as_bytes().to_vec(), city.record.to_bytes()];
    city.written = Some(city.record.to_bytes());
    city
}

fn bundle(city: &City, document: Option<Vec<u8>>) -> Bundle {
    let mut bundle = Bundle::from_parts(city.record.to_bytes(), city.receipt(), None);
    bundle.batch = document;
    bundle
}

fn code(report: &Report, element: &str) -> &'static str {
    report.element(element).unwrap().code
}

#[test]
fn each_digest_of_a_batch_is_proven_with_its_file() {
    let city = city();
    for index in 0..SIZE {
        let document = entry(index).to_bytes().unwrap();
        let receipt = city.receipt();
        let parts = BundleParts {
            record: city.record.as_bytes(),
            receipt: &receipt,
            batch: Some(&document),
            ..BundleParts::default()
        };
        let mut file = Vec::new();
        write_bundle(&mut file, &parts, &mut |_| unreachable!("no originals")).unwrap();
        let supplied = [hashed(&content(index))];
        let report = verify_reader(&mut file.as_slice(), &supplied, Some(&city.trust));
        assert_eq!(report.verdict, Verdict::Verified, "{}", report.to_json());
        let said = &report.element("batch").unwrap().reason_zh;
        assert!(said.contains(&format!("第 {} 项（共 {SIZE} 项）", index + 1)), "{said}");
        assert_eq!(report.claims.originals_sm3, [sm3(&content(index)).to_string()]);
    }
}

#[test]
fn without_its_file_or_its_path_nothing_is_said_about_a_digest() {
    let city = city();
    let trust = Some(&city.trust);
    let with = bundle(&city, Some(entry(4).to_bytes().unwrap()));
    let report = verify(&with, &[], trust);
    assert_eq!((report.verdict, code(&report, "original")), (Verdict::Unchecked, "VF-1790"));

    let report = verify(&bundle(&city, None), &[hashed(&content(4))], trust);
    assert_eq!(report.verdict, Verdict::Unchecked);
    assert_eq!((code(&report, "batch"), code(&report, "original")), ("VF-2092", "VF-1792"));
}

#[test]
fn another_file_another_place_and_another_batch_are_refused() {
    let city = city();
    let judge = |entry: &BatchEntry, file: u64| {
        let bundle = bundle(&city, Some(entry.to_bytes().unwrap()));
        let report = verify(&bundle, &[hashed(&content(file))], Some(&city.trust));
        assert_eq!(report.verdict, Verdict::NotVerified, "{}", report.to_json());
        (code(&report, "batch"), code(&report, "original"))
    };
    assert_eq!(judge(&entry(4), 5), ("VF-2000", "VF-1702"));
    let elsewhere = BatchEntry { inclusion: entry(5).inclusion, ..entry(4) };
    assert_eq!(judge(&elsewhere, 4), ("VF-2002", "VF-1792"));
    let renamed = BatchLeaf { reference: Some("卷宗 5".to_owned()), ..leaf(4) };
    assert_eq!(judge(&BatchEntry { leaf: renamed, ..entry(4) }, 4), ("VF-2002", "VF-1792"));
    let mut longer = entry(4);
    longer.inclusion.size += 1;
    assert_eq!(judge(&longer, 4), ("VF-2002", "VF-1792"));
}

#[test]
fn a_path_beside_a_record_of_originals_is_refused() {
    let city = City::new(1);
    let bundle = bundle(&city, Some(entry(0).to_bytes().unwrap()));
    let report = verify(&bundle, &city.supplied(), Some(&city.trust));
    assert_eq!((report.verdict, code(&report, "batch")), (Verdict::NotVerified, "VF-2003"));
}

proptest! {
    #[test]
    fn any_changed_bit_of_the_document_is_named(at in 0_usize..4_096, bit in 0_u8..8) {
        let city = city();
        let mut document = entry(3).to_bytes().unwrap();
        let at = at % document.len();
        document[at] ^= 1 << bit;
        let supplied = [hashed(&content(3))];
        let report = verify(&bundle(&city, Some(document)), &supplied, Some(&city.trust));
        prop_assert_eq!(report.verdict, Verdict::NotVerified);
        let batch = report.element("batch").unwrap().code;
        prop_assert!(matches!(batch, "VF-2001" | "VF-2002"), "{}", batch);
    }
}
