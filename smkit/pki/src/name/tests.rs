#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

fn name(attributes: &[(&str, Tag, &[u8])]) -> RdnSequence {
    let mut out = RdnSequence::default();
    for (oid, tag, value) in attributes {
        let attribute = AttributeTypeAndValue {
            oid: ObjectIdentifier::new_unwrap(oid),
            value: Any::new(*tag, *value).unwrap(),
        };
        out.push(RelativeDistinguishedName::try_from(vec![attribute]).unwrap());
    }
    out
}

/// Examples of RFC 4514 §4 and what a hostile name could try on a terminal.
#[test]
fn text_is_escaped() {
    let cases: [(&[u8], &str); 6] = [
        (b"James \"Jim\" Smith, III", r#"CN=James \"Jim\" Smith\, III"#),
        (b"Before\rAfter", r"CN=Before\0dAfter"),
        (b" #x ", r"CN=\ #x\ "),
        (b"#x", r"CN=\#x"),
        (b"a+b;c<d>e\\f=g", r"CN=a\+b\;c\<d\>e\\f=g"),
        ("\u{9b}31m".as_bytes(), r"CN=\c2\9b31m"),
    ];
    for (value, expected) in cases {
        assert_eq!(to_text(&name(&[("2.5.4.3", Tag::Utf8String, value)])), expected);
    }
}

#[test]
fn every_string_type_is_read() {
    let bmp = [0x95, 0x7f, 0x66, 0x25];
    let read = name(&[
        ("2.5.4.6", Tag::PrintableString, b"CN"),
        ("0.9.2342.19200300.100.1.25", Tag::Ia5String, b"example"),
        ("2.5.4.7", Tag::BmpString, &bmp),
        ("2.5.4.3", Tag::Utf8String, "长春".as_bytes()),
    ]);
    assert!(check(&read).is_ok());
    assert_eq!(to_text(&read), "CN=长春,L=长春,DC=example,C=CN");
    assert_eq!(values(&read, COMMON_NAME), ["长春"]);
}

#[test]
fn unknown_attributes_are_hexadecimal() {
    let read = name(&[("1.2.3", Tag::Utf8String, b"x"), ("2.5.4.3", Tag::OctetString, b"y")]);
    assert!(check(&read).is_ok());
    assert_eq!(to_text(&read), "2.5.4.3=#040179,1.2.3=#0c0178");
    assert!(values(&read, COMMON_NAME).is_empty());
}

#[test]
fn broken_text_is_refused() {
    assert!(check(&name(&[("2.5.4.3", Tag::Utf8String, &[0xff])])).is_err());
    assert!(check(&name(&[("2.5.4.3", Tag::PrintableString, b"a@b")])).is_err());
    assert!(check(&name(&[("2.5.4.3", Tag::BmpString, &[0])])).is_err());
}
