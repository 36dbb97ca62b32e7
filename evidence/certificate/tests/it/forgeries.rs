//! Each prepared forgery is noticed, by the element that it belongs to; and whatever byte of a document in a bundle is
//! changed, the verdict names it.

use changbai_certificate::{Format, Grounds, verify_bundle_reader};
use changbai_receipt::{BundleParts, PAGE, Report, Status, Verdict, write_bundle};
use proptest::prelude::*;

use crate::{
    fixture::{City, NOW_MS, hashed},
    forge::{Forgery, forgeries},
    sample::certificate_of,
};

struct Sample {
    city: City,
    pdf: Vec<u8>,
    ofd: Vec<u8>,
    bundle: Vec<u8>,
}

fn sample() -> &'static Sample {
    static SAMPLE: std::sync::LazyLock<Sample> = std::sync::LazyLock::new(|| {
        let city = City::new(4);
        let certificate = certificate_of(&city);
        let pdf = certificate.write(Format::Pdf).unwrap();
        let ofd = certificate.write(Format::Ofd).unwrap();
        let bundle = pack(&city, &pdf, &ofd, PAGE.as_bytes());
        Sample { city, pdf, ofd, bundle }
    });
    &SAMPLE
}

fn pack(city: &City, pdf: &[u8], ofd: &[u8], page: &[u8]) -> Vec<u8> {
    let receipt = city.receipt();
    let parts = BundleParts {
        record: city.record.as_bytes(),
        receipt: &receipt,
        certificate_pdf: Some(pdf),
        certificate_ofd: Some(ofd),
        page: Some(page),
        ..BundleParts::default()
    };
    let mut out = Vec::new();
    write_bundle(&mut out, &parts, &mut |_| Err(std::io::ErrorKind::NotFound.into())).unwrap();
    out
}

/// The verdict of a reader who has one original, right or wrong, and the right other one.
fn judged(bundle: &[u8], original: &[u8]) -> Report {
    let grounds = Grounds {
        trust: Some(&sample().city.trust),
        now_unix_seconds: i64::try_from(NOW_MS / 1_000).unwrap() + 60,
        lists: &[],
        originals: &[hashed(original), hashed(&sample().city.originals[1])],
    };
    verify_bundle_reader(&mut &*bundle, &grounds)
}

#[test]
fn every_forgery_is_named_and_the_honest_bundle_is_verified() {
    let Sample { city, bundle, .. } = sample();
    let honest = judged(bundle, &city.originals[0]);
    assert_eq!(honest.verdict, Verdict::Verified, "{}", honest.to_json());
    let all = forgeries(bundle, &city.originals[0]).unwrap();
    assert!(all.len() >= 10, "{}", all.len());
    for Forgery { name, element, bundle, original, .. } in all {
        let report = judged(&bundle, &original);
        assert_eq!(report.verdict, Verdict::NotVerified, "{name}: {}", report.to_json());
        let named = report.element(element).unwrap();
        assert_eq!(named.status, Status::Failed, "{name}: {}", report.to_json());
    }
}

#[test]
fn a_certificate_of_other_evidence_is_none() {
    let Sample { city, pdf, ofd, .. } = sample();
    let mut other = city.clone();
    other.log = (9, 4);
    other.header_number = 20;
    let theirs = certificate_of(&City::new(1)).write(Format::Pdf).unwrap();
    let report = judged(&pack(city, &theirs, ofd, PAGE.as_bytes()), &city.originals[0]);
    assert_eq!(report.element("seal").unwrap().status, Status::Failed, "{}", report.to_json());
    // Another receipt of the same record: the document holds as well.
    let report = judged(&pack(&other, pdf, ofd, PAGE.as_bytes()), &city.originals[0]);
    assert_ne!(report.element("seal").unwrap().status, Status::Failed, "{}", report.to_json());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_changed_byte_of_a_document_is_named(
        place in any::<prop::sample::Index>(),
        bit in 0_u8..8,
        which in 0_usize..3,
    ) {
        let Sample { city, pdf, ofd, .. } = sample();
        let mut documents = [pdf.clone(), ofd.clone(), PAGE.as_bytes().to_vec()];
        *place.get_mut(&mut documents[which][..]) ^= 1 << bit;
        let [pdf, ofd, page] = &documents;
        let report = judged(&pack(city, pdf, ofd, page), &city.originals[0]);
        let element = report.element(["seal", "seal", "container"][which]).unwrap();
        prop_assert_eq!(element.status, Status::Failed, "{}", report.to_json());
    }
}
