#![allow(clippy::unwrap_used, reason = "tests")]

use der::{Tag, asn1::Any};
use x509_cert::{attr::AttributeTypeAndValue, name::RelativeDistinguishedName};

use super::*;
use crate::testing::{forge_tbs, leaf, root};

fn attribute(short: &str, tag: Tag, value: &[u8]) -> AttributeTypeAndValue {
    let oid = name::by_short_name(short).unwrap().oid;
    AttributeTypeAndValue { oid, value: Any::new(tag, value).unwrap() }
}

/// A certificate whose subject has these RDNs.
fn certificate(rdns: &[&[(&str, &str)]]) -> Certificate {
    let rdns = rdns.iter().map(|rdn| {
        rdn.iter()
            .map(|(short, value)| attribute(short, Tag::Utf8String, value.as_bytes()))
            .collect::<Vec<_>>()
    });
    with_subject(rdns.collect())
}

fn with_subject(rdns: Vec<Vec<AttributeTypeAndValue>>) -> Certificate {
    let root = root(1);
    forge_tbs(&leaf(&root), &root, |tbs| {
        tbs.subject = RdnSequence::default();
        for rdn in rdns {
            tbs.subject.push(RelativeDistinguishedName::try_from(rdn).unwrap());
        }
    })
}

fn rule(text: &str) -> SubjectRule {
    text.parse().unwrap()
}

fn code(rule: &SubjectRule, certificate: &Certificate) -> &'static str {
    rule.check(certificate).map_or_else(|refusal| refusal.code(), |()| "")
}

#[test]
fn values_match_character_by_character() {
    let ndrc = certificate(&[&[("O", "CCG")], &[("OU", "NDRC")], &[("CN", "node")]]);
    assert_eq!(rule("OU=NDRC, O=CCG").check(&ndrc), Ok(()));
    for other in
        ["OU=ndrc,O=CCG", "OU=NDRC,O=CCG2", "OU=NDR", "OU=NDRC\\ ", "OU=HRSS,O=CCG", "O=NDRC"]
    {
        assert_eq!(code(&rule(other), &ndrc), "PK-1802", "{other}");
    }
    let bureau = certificate(&[&[("O", "长春市人民政府")], &[("OU", "长春市大数据局")]]);
    assert_eq!(rule("OU=长春市大数据局").check(&bureau), Ok(()));
    assert_eq!(code(&rule("OU=长春市大数据"), &bureau), "PK-1802");
    // U+7701 against its compatibility form U+F96D: alike to the eye, not the same.
    let lookalike = certificate(&[&[("OU", "\u{f96d}")]]);
    assert_eq!(code(&rule("OU=\u{7701}"), &lookalike), "PK-1802");
}

#[test]
fn several_units_must_all_be_there_and_each_once() {
    let both = certificate(&[&[("OU", "NDRC")], &[("OU", "peer")], &[("O", "CCG")]]);
    assert_eq!(rule("OU=peer,OU=NDRC,O=CCG").check(&both), Ok(()));
    assert_eq!(rule("OU=NDRC").check(&both), Ok(()));
    assert_eq!(code(&rule("OU=NDRC").exactly(), &both), "PK-1802");
    assert_eq!(rule("OU=NDRC,OU=peer").exactly().check(&both), Ok(()));
    assert_eq!(code(&rule("OU=NDRC,OU=orderer"), &both), "PK-1802");
    let twice = certificate(&[&[("OU", "NDRC")], &[("OU", "NDRC")]]);
    assert_eq!(code(&rule("OU=NDRC"), &twice), "PK-1802");
    let two_organisations = certificate(&[&[("OU", "NDRC")], &[("O", "CCG")], &[("O", "Other")]]);
    assert_eq!(code(&rule("OU=NDRC,O=CCG"), &two_organisations), "PK-1802");
    assert_eq!(code(&rule("OU=NDRC"), &certificate(&[&[("CN", "OU=NDRC")]])), "PK-1802");
}

#[test]
fn a_joined_component_matches_nothing() {
    let joined = certificate(&[&[("OU", "NDRC"), ("CN", "x")], &[("O", "CCG")]]);
    assert_eq!(code(&rule("OU=NDRC,O=CCG"), &joined), "PK-1803");
    let elsewhere = certificate(&[&[("L", "a"), ("CN", "x")], &[("OU", "NDRC")]]);
    assert_eq!(rule("OU=NDRC").check(&elsewhere), Ok(()));
    // Also beside a proper one.
    let beside = certificate(&[&[("OU", "NDRC")], &[("OU", "x"), ("CN", "x")]]);
    assert_eq!(code(&rule("OU=NDRC"), &beside), "PK-1803");
}

#[test]
fn string_types_of_doubtful_meaning_match_nothing() {
    for (tag, value, expected) in [
        (Tag::PrintableString, b"NDRC".as_slice(), ""),
        (Tag::Utf8String, b"NDRC", ""),
        (Tag::TeletexString, b"NDRC", "PK-1802"),
        (Tag::BmpString, b"\0N\0D\0R\0C", "PK-1802"),
    ] {
        let found = with_subject(vec![vec![attribute("OU", tag, value)]]);
        assert_eq!(code(&rule("OU=NDRC"), &found), expected, "{tag:?}");
    }
}

#[test]
fn rules_are_read_and_written_alike() {
    for text in ["OU=NDRC,O=CCG", "OU=长春市大数据局", "O=a\\,b\\\\c\\ d\\ ", "CN=x=y"] {
        assert_eq!(rule(text).to_string(), text);
        assert_eq!(rule(&rule(text).to_string()), rule(text));
    }
    assert_eq!(rule(" ou = NDRC , O=CCG "), rule("OU=NDRC,O=CCG"));
    let parse = |text: &str| text.parse::<SubjectRule>();
    assert_eq!(parse(""), Err(SubjectRuleError::NoValue));
    assert_eq!(parse("OU=NDRC,"), Err(SubjectRuleError::NoValue));
    assert_eq!(parse("OU="), Err(SubjectRuleError::NoValue));
    assert_eq!(parse("OU=a,OU=a"), Err(SubjectRuleError::Repeated));
    assert_eq!(parse("X=a"), Err(SubjectRuleError::UnknownType { name: "X".into() }));
    let many = (0..17).map(|index| format!("OU={index}")).collect::<Vec<_>>().join(",");
    assert_eq!(parse(&many), Err(SubjectRuleError::TooMany));
}
