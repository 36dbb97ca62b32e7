//! No certificate says what is not proven.

use changbai_certificate::{
    Certificate, CertificateError, CertificateFacts, FontSource, Issuer, NotProven, Originals,
};
use changbai_receipt::{Bundle, Trust, Verdict};
use proptest::prelude::*;
use smkit_pki::TrustAnchors;

use crate::{
    fixture::{City, Seed, root},
    sample::{bundle, certificate, facts, issuer},
};

#[test]
fn what_is_printed_is_what_was_proven() {
    let city = City::new(4);
    let lines = certificate().lines();
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    let parts = city.record.parts();
    assert!(has(parts.id.as_str()) && has(&parts.agency.name));
    for text in [
        "不动产登记",
        "2026年11月22日 10:00:00.000（北京时间）",
        "4 个验证节点中的 4 个签名确认（至少需要 3 个）",
        "长春市不动产登记中心（node1）",
        "ChangchunMSP",
        "changchun",
        "误差上限 1.200 毫秒",
        "吉网信备22010024273626860016号",
        "application/pdf",
        "出证时已比对，一致",
        "SF/T 0076-2020",
    ] {
        assert!(has(text), "{text}");
    }
    let digits: String =
        lines.iter().flat_map(|line| line.chars()).filter(char::is_ascii_hexdigit).collect();
    for original in city.record.originals() {
        assert!(digits.contains(&original.sm3.to_string()), "{}", original.sm3);
    }
    let proof = city.proof();
    assert!(digits.contains(&proof.header.hash().to_string()));
    assert!(digits.contains(&proof.header.log_root.to_string()));
    assert!(digits.contains(&city.record.digest().to_string()));
    assert!(!has("张三") && !has("220102\u{3000}"), "personal values are not printed");
}

#[test]
fn an_original_that_is_not_at_hand_is_said_or_refused() {
    let city = City::new(4);
    let bare = Bundle::from_parts(city.record.to_bytes(), city.receipt(), None);
    let establish = |originals| CertificateFacts::establish(&bare, &[], &city.trust, originals);
    assert!(matches!(
        establish(Originals::Compared),
        Err(NotProven::Verdict { report }) if report.verdict == Verdict::Unchecked
    ));
    let facts = establish(Originals::MayBeAbsent).unwrap();
    let made = Certificate::new(facts, issuer(), FontSource::built_in().unwrap()).unwrap();
    let text = made.lines().concat();
    assert!(text.contains("出证时未比对") && text.contains("未比对原件"));
    assert!(!text.contains("出证时已比对"));
}

#[test]
fn a_trust_file_without_the_channel_is_not_enough() {
    let mut city = City::new(4);
    // Nothing then says how the validators came about: verified, but by roots alone.
    city.configurations = Some(Vec::new());
    // The city's root: the same seed makes the same one.
    let root = root(&mut Seed(4 << 32)).certificate().clone();
    let roots = Trust::new(TrustAnchors::from_certificates(vec![root]), Vec::new()).unwrap();
    let refused = CertificateFacts::establish(&bundle(&city), &[], &roots, Originals::Compared);
    assert!(matches!(refused, Err(NotProven::ChannelUnnamed)));
}

#[test]
fn a_forged_or_foreign_original_makes_none() {
    let city = City::new(4);
    let other = [crate::fixture::hashed(b"something else")];
    for originals in [Originals::Compared, Originals::MayBeAbsent] {
        let refused = CertificateFacts::establish(&bundle(&city), &other, &city.trust, originals);
        assert!(matches!(
            refused,
            Err(NotProven::Verdict { report }) if report.verdict == Verdict::NotVerified
        ));
    }
}

#[test]
fn too_few_signatures_make_none() {
    let mut city = City::new(4);
    city.signing = vec![0, 1];
    let refused =
        CertificateFacts::establish(&bundle(&city), &[], &city.trust, Originals::MayBeAbsent);
    let error = refused.unwrap_err();
    assert!(error.to_string().contains("fewer than the 3 needed"), "{error}");
}

#[test]
fn a_character_that_the_font_lacks_is_named() {
    let city = City::new(4);
    let issuer = Issuer::new("龘平台").unwrap();
    let error = Certificate::new(facts(&city), issuer, FontSource::built_in().unwrap());
    assert!(matches!(error, Err(CertificateError::MissingGlyph { character: '龘' })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any flipped bit in record or receipt: no certificate.
    #[test]
    fn any_flipped_bit_makes_none(at in any::<prop::sample::Index>(), bit in 0..8_u8, receipt: bool) {
        let city = City::new(1);
        let (mut record, mut proof) = (city.record.to_bytes(), city.receipt());
        let bytes = if receipt { &mut proof } else { &mut record };
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let bundle = Bundle::from_parts(record, proof, None);
        let made = CertificateFacts::establish(&bundle, &[], &city.trust, Originals::MayBeAbsent);
        prop_assert!(made.is_err());
    }
}
