//! What is right is verified, packed the same way each time, and told in JSON.

use std::io::{self, Read};

use changbai_receipt::{
    Bundle, BundleError, BundleParts, ELEMENTS, Receipt, Status, Verdict, WriteError, bundle_len,
    fuzz, read_bundle, verify, verify_reader, write_bundle,
};

use crate::fixture::{City, NOW_MS, open, pack, packed};

fn reasons(report: &changbai_receipt::Report) -> String {
    report.elements.iter().map(|e| format!("{} {} {}\n", e.name, e.code, e.reason_zh)).collect()
}

#[test]
fn a_bundle_of_one_or_four_validators_is_verified() {
    for validators in [1, 4] {
        let city = City::new(validators);
        let bundle = city.bundle();
        let report = verify_reader(&mut bundle.as_slice(), &[], Some(&city.trust));
        assert_eq!(report.verdict, Verdict::Verified, "{}", reasons(&report));
        let names = |status| {
            let with = |e: &&changbai_receipt::Element| e.status == status;
            report.elements.iter().filter(with).map(|e| e.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Status::Proven), [&ELEMENTS[..10], &["time_bound"]].concat());
        let optional = [&ELEMENTS[10..14], &ELEMENTS[15..]].concat();
        assert_eq!(names(Status::Absent), optional, "nothing of the kind is packed");
        // Supplying the originals once more changes nothing.
        let report = verify_reader(&mut bundle.as_slice(), &city.supplied(), Some(&city.trust));
        assert_eq!(report.verdict, Verdict::Verified, "{}", reasons(&report));
    }
}

#[test]
fn a_quorum_is_enough() {
    let mut city = City::new(4);
    city.signing.remove(1);
    assert_eq!(city.signing.len(), city.quorum());
    let report = verify_reader(&mut city.bundle().as_slice(), &[], Some(&city.trust));
    assert_eq!(report.verdict, Verdict::Verified, "{}", reasons(&report));
}

#[test]
fn signatures_may_come_in_any_order_from_the_ledger() {
    let mut city = City::new(4);
    city.signing.reverse();
    let report = verify_reader(&mut city.bundle().as_slice(), &[], Some(&city.trust));
    assert_eq!(report.verdict, Verdict::Verified, "{}", reasons(&report));
}

#[test]
fn without_trust_or_originals_nothing_is_verified() {
    let city = City::new(1);
    let report = verify_reader(&mut city.bundle().as_slice(), &[], None);
    assert_eq!(report.verdict, Verdict::Unchecked);
    assert_eq!(report.element("trust").unwrap().code, "VF-1690");
    assert!(report.element("trust").unwrap().reason_zh.contains(&city.anchors[0].to_string()));
    assert_eq!(report.element("certificates").unwrap().code, "VF-1590");
    assert!(report.elements.iter().all(|element| element.status != Status::Failed));

    let bare = Bundle::from_parts(city.record.to_bytes(), city.receipt(), None);
    let report = verify(&bare, &[], Some(&city.trust));
    assert_eq!(report.verdict, Verdict::Unchecked);
    assert_eq!(report.element("original").unwrap().code, "VF-1790");
    let report = verify(&bare, &city.supplied()[..1], Some(&city.trust));
    assert_eq!(report.verdict, Verdict::Unchecked);
    assert!(report.element("original").unwrap().reason_en.contains("Original(s) 2 were"));
    let report = verify(&bare, &city.supplied(), Some(&city.trust));
    assert_eq!(report.verdict, Verdict::Verified, "{}", reasons(&report));
    assert_eq!(report.element("container").unwrap().status, Status::Absent);
    assert_eq!(report.element("disclosures").unwrap().status, Status::Absent);
}

#[test]
fn the_report_reads_as_json() {
    let city = City::new(1);
    let report = verify_reader(&mut city.bundle().as_slice(), &[], Some(&city.trust));
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["verdict"], "verified");
    assert_eq!(json["evidence_id"], city.record.id().as_str());
    assert_eq!(json["recorded_at_ms"], NOW_MS);
    assert_eq!(json["block_number"], 7);
    assert_eq!(json["header_number"], 8);
    assert_eq!(json["tx_id"].as_str().unwrap().len(), 64);
    let names: Vec<_> = json["elements"].as_array().unwrap().iter().map(|e| &e["name"]).collect();
    assert_eq!(names, ELEMENTS);
    assert_eq!(json["elements"][0]["status"], "proven");
    assert_eq!(json["elements"][0]["code"], "VF-1000");
    assert!(json["elements"][0]["reason"].as_str().unwrap().contains("证据包"));

    let report = verify_reader(&mut &b"nothing"[..], &[], None);
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["verdict"], "not_verified");
    assert!(json["evidence_id"].is_null());
}

#[test]
fn writing_is_a_function_of_the_parts_and_its_length_is_known() {
    let city = City::new(1);
    let receipt = city.receipt();
    let parts = BundleParts {
        record: city.record.as_bytes(),
        receipt: &receipt,
        disclosures: None,
        originals: packed(&city.originals),
        ..BundleParts::default()
    };
    let first = pack(city.record.as_bytes(), &receipt, None, &city.originals);
    let second = pack(city.record.as_bytes(), &receipt, None, &city.originals);
    assert_eq!(first, second);
    assert_eq!(bundle_len(&parts).unwrap(), first.len() as u64);
    let read = read_bundle(&mut first.as_slice()).unwrap();
    assert_eq!(read.record, city.record.as_bytes());
    assert_eq!(read.receipt, receipt);
    let names: Vec<_> = read.originals.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["originals/01.pdf", "originals/02.jpg"]);
}

#[test]
fn a_receipt_has_one_form() {
    for validators in [1, 4] {
        let bytes = City::new(validators).receipt();
        let receipt = Receipt::from_bytes(&bytes).unwrap();
        assert_eq!(receipt.to_bytes().unwrap(), bytes);
        fuzz::receipt(&bytes);
    }
    let city = City::new(1);
    fuzz::bundle(&city.bundle());
    fuzz::bundle(&pack(city.record.as_bytes(), &city.receipt(), None, &[]));
    fuzz::disclosures(&city.disclosures());
}

#[test]
fn a_writer_notices_that_an_original_changed_and_refuses_disorder() {
    let city = City::new(1);
    let receipt = city.receipt();
    let mut parts = BundleParts {
        record: city.record.as_bytes(),
        receipt: &receipt,
        disclosures: None,
        originals: packed(&city.originals),
        ..BundleParts::default()
    };
    for changed in [&b"%PDF-1.7 deed of the hause"[..], b"", b"%PDF-1.7 deed of the house."] {
        let mut originals = city.originals.clone();
        originals[0] = changed.to_vec();
        let result = write_bundle(&mut io::sink(), &parts, &mut |o| open(&originals, o));
        assert!(matches!(result, Err(WriteError::ContentChanged { .. })), "{result:?}");
    }
    let result =
        write_bundle(&mut io::sink(), &parts, &mut |_| Err(io::ErrorKind::NotFound.into()));
    assert!(matches!(result, Err(WriteError::Content { .. })), "{result:?}");
    parts.originals.reverse();
    assert!(matches!(bundle_len(&parts), Err(WriteError::Part { .. })));
    parts.originals[0].position = 65;
    assert!(matches!(bundle_len(&parts), Err(WriteError::Part { .. })));
    let big = vec![b' '; (64 << 10) + 1];
    parts.record = &big;
    assert!(matches!(bundle_len(&parts), Err(WriteError::Part { .. })));
}

#[test]
fn a_failing_source_says_nothing_about_the_bundle() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    let city = City::new(1);
    let bytes = city.bundle();
    let mut input = bytes[..bytes.len() / 2].chain(Failing);
    assert!(matches!(read_bundle(&mut input), Err(BundleError::Read(_))));
    let mut input = bytes[..bytes.len() / 2].chain(Failing);
    let report = verify_reader(&mut input, &[], Some(&city.trust));
    assert_eq!(report.verdict, Verdict::Unchecked);
    assert_eq!(report.element("container").unwrap().code, "VF-1090");
}

#[test]
fn documents_that_lie_about_their_size_take_no_memory() {
    // A local header that announces a record of 4 GiB − 2, and nothing else.
    let mut header = b"PK\x03\x04\x0a\x00\x00\x00\x00\x00\x00\x00\x21\x00".to_vec();
    header.extend([0; 4]);
    header.extend([0xfe, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 11, 0, 0, 0]);
    header.extend(b"record.json");
    let result = read_bundle(&mut header.as_slice());
    assert!(matches!(result, Err(BundleError::TooLarge { .. })), "{result:?}");
}
