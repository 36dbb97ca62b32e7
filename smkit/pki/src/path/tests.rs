#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use der::asn1::{ObjectIdentifier, OctetString};
use x509_cert::ext::Extension;

use super::*;
use crate::{
    Authority, Validity,
    testing::{Counter, NOW, VALIDITY, below, forge_tbs, leaf, root, subject},
};

fn anchors(of: &[&Authority]) -> TrustAnchors {
    TrustAnchors::from_certificates(of.iter().map(|ca| ca.certificate().clone()).collect())
}

fn check(
    leaf: &Certificate,
    intermediates: &[&Authority],
    anchors: &TrustAnchors,
) -> Result<Certificate, PathError> {
    let intermediates: Vec<_> = intermediates.iter().map(|ca| ca.certificate().clone()).collect();
    verify_chain(leaf, &intermediates, anchors, NOW, Purpose::Signing)
}

#[test]
fn leaf_below_two_intermediates() {
    let root = root(1);
    let upper = below(&root, "upper", Some(1));
    let lower = below(&upper, "lower", None);
    let leaf = leaf(&lower);
    let anchors = anchors(&[&root]);
    assert_eq!(lower.certificate().path_length(), Some(0));
    for order in [[&upper, &lower], [&lower, &upper]] {
        assert_eq!(check(&leaf, &order, &anchors), Ok(root.certificate().clone()));
    }
    assert_eq!(
        check(&leaf, &[&lower], &anchors),
        Err(PathError::UnknownIssuer { issuer: "CN=upper,C=CN".into() })
    );
    assert!(
        verify_chain(
            lower.certificate(),
            &[upper.certificate().clone()],
            &anchors,
            NOW,
            Purpose::CertificateSign
        )
        .is_ok()
    );
}

#[test]
fn an_intermediate_may_be_the_anchor() {
    let root = root(1);
    let upper = below(&root, "upper", None);
    assert_eq!(check(&leaf(&upper), &[], &anchors(&[&upper])), Ok(upper.certificate().clone()));
}

#[test]
fn nothing_vouches_for_itself() {
    let root = root(1);
    let leaf = leaf(&root);
    let none = TrustAnchors::default();
    assert!(matches!(check(&leaf, &[&root], &none), Err(PathError::UnknownIssuer { .. })));
    assert!(matches!(
        verify_chain(root.certificate(), &[], &none, NOW, Purpose::CertificateSign),
        Err(PathError::UnknownIssuer { .. })
    ));
}

#[test]
fn a_root_of_the_same_name_is_another_root() {
    let (root, impostor) = (root(1), root(2));
    assert_eq!(root.certificate().subject(), impostor.certificate().subject());
    let leaf = leaf(&impostor);
    assert!(matches!(check(&leaf, &[], &anchors(&[&root])), Err(PathError::UnknownIssuer { .. })));

    // Without key identifiers the name alone matches, and the signature decides.
    let bare = forge_tbs(&leaf, &impostor, |tbs| {
        let id = const_oid::db::rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER;
        tbs.extensions.as_mut().unwrap().retain(|extension| extension.extn_id != id);
    });
    let expected = PathError::BadSignature { subject: "CN=leaf,C=CN".into() };
    assert_eq!(check(&bare, &[], &anchors(&[&root])), Err(expected));
    assert_eq!(
        check(&bare, &[], &anchors(&[&root, &impostor])),
        Ok(impostor.certificate().clone())
    );
}

#[test]
fn validity_is_inclusive_at_both_ends_and_checked_for_every_certificate() {
    let root = root(1);
    let leaf = leaf(&root);
    let anchors = anchors(&[&root]);
    let at = |second| verify_chain(&leaf, &[], &anchors, second, Purpose::Signing);
    let Validity { not_before, not_after } = VALIDITY;
    assert!(at(not_before).is_ok() && at(not_after).is_ok());
    assert!(matches!(at(not_before - 1), Err(PathError::NotYetValid { .. })));
    assert!(matches!(at(not_after + 1), Err(PathError::Expired { .. })));
    assert!(matches!(at(i64::MIN), Err(PathError::NotYetValid { .. })));
    assert!(matches!(at(i64::MAX), Err(PathError::Expired { .. })));

    let short = Validity { not_before: NOW - 10, not_after: NOW - 5 };
    let old = Authority::create_root(&subject("old"), short, &mut Counter(1 << 50)).unwrap();
    let leaf = self::leaf(&old);
    let anchors = self::anchors(&[&old]);
    let expected = PathError::Expired { subject: "CN=old,C=CN".into(), not_after: NOW - 5 };
    assert_eq!(check(&leaf, &[], &anchors), Err(expected));
}

#[test]
fn a_leaf_issues_nothing() {
    let root = root(1);
    let random = &mut Counter(11);
    let key = smkit::sm2::PrivateKey::generate(random).unwrap();
    let profile = crate::Profile::RootCa { path_length: None };
    let middle =
        root.issue(&subject("middle"), key.public_key(), profile, VALIDITY, None, random).unwrap();
    let middle = Authority::new(middle, key).unwrap();
    let leaf = leaf(&middle);
    // The same key and name, but certified as a signer only.
    let signer = root
        .issue(
            &subject("middle"),
            middle.certificate().public_key(),
            crate::Profile::Signing,
            VALIDITY,
            None,
            random,
        )
        .unwrap();
    let expected = PathError::NotACa { subject: "CN=middle,C=CN".into() };
    let result = verify_chain(
        &leaf,
        std::slice::from_ref(&signer),
        &anchors(&[&root]),
        NOW,
        Purpose::Signing,
    );
    assert_eq!(result, Err(expected.clone()));
    // One valid path suffices, whatever else is offered.
    let both = [signer.clone(), middle.certificate().clone()];
    assert!(verify_chain(&leaf, &both, &anchors(&[&root]), NOW, Purpose::Signing).is_ok());
    let result = verify_chain(&signer, &[], &anchors(&[&root]), NOW, Purpose::CertificateSign);
    assert_eq!(result, Err(expected));
}

#[test]
fn path_length_is_enforced() {
    let root = root(1);
    let upper = below(&root, "upper", Some(5));
    let lower = below(&upper, "lower", None);
    let leaf = leaf(&lower);
    let strict = forge_tbs(upper.certificate(), &root, |tbs| {
        let zero =
            x509_cert::ext::pkix::BasicConstraints { ca: true, path_len_constraint: Some(0) };
        let value = der::Encode::to_der(&zero).unwrap();
        tbs.extensions.as_mut().unwrap()[0].extn_value = OctetString::new(value).unwrap();
    });
    let intermediates = [strict, lower.certificate().clone()];
    assert_eq!(
        verify_chain(&leaf, &intermediates, &anchors(&[&root]), NOW, Purpose::Signing),
        Err(PathError::PathLength { subject: "CN=upper,C=CN".into(), path_length: 0 })
    );
}

#[test]
fn key_usage_is_enforced_and_absent_means_none() {
    let root = root(1);
    let anchors = anchors(&[&root]);
    let ca = below(&root, "ca", None);
    assert_eq!(
        verify_chain(ca.certificate(), &[], &anchors, NOW, Purpose::Signing),
        Err(PathError::KeyUsage {
            subject: "CN=ca,C=CN".into(),
            required: KeyUsage::DIGITAL_SIGNATURE
        })
    );
    let without = forge_tbs(&leaf(&root), &root, |tbs| {
        let id = const_oid::db::rfc5280::ID_CE_KEY_USAGE;
        tbs.extensions.as_mut().unwrap().retain(|extension| extension.extn_id != id);
    });
    assert!(matches!(check(&without, &[], &anchors), Err(PathError::KeyUsage { .. })));
}

#[test]
fn unknown_extensions_are_refused_when_critical_only() {
    let root = root(1);
    let anchors = anchors(&[&root]);
    let with = |critical| {
        forge_tbs(&leaf(&root), &root, |tbs| {
            tbs.extensions.as_mut().unwrap().push(Extension {
                extn_id: ObjectIdentifier::new_unwrap("1.2.3.4"),
                critical,
                extn_value: OctetString::new([5, 0]).unwrap(),
            });
        })
    };
    assert!(check(&with(false), &[], &anchors).is_ok());
    assert_eq!(
        check(&with(true), &[], &anchors),
        Err(PathError::UnknownCriticalExtension {
            subject: "CN=leaf,C=CN".into(),
            oid: "1.2.3.4".into()
        })
    );
}

#[test]
fn depth_and_work_are_bounded() {
    let root = root(1);
    let mut cas = vec![below(&root, "a", None)];
    for name in ["b", "c", "d", "e", "f", "g"] {
        cas.push(below(cas.last().unwrap(), name, None));
    }
    let anchors = anchors(&[&root]);
    let all: Vec<&Authority> = cas.iter().collect();
    assert!(check(&leaf(&cas[5]), &all, &anchors).is_ok(), "eight certificates");
    assert_eq!(check(&leaf(&cas[6]), &all, &anchors), Err(PathError::TooDeep));

    let many = vec![root.certificate().clone(); INTERMEDIATES_MAX + 1];
    assert_eq!(
        verify_chain(&leaf(&root), &many, &anchors, NOW, Purpose::Signing),
        Err(PathError::TooManyIntermediates { count: 17 })
    );
    // Sixteen roots that all name each other as issuer: the search ends.
    let looped: Vec<_> = (0..16)
        .map(|index| {
            forge_tbs(root.certificate(), &root, |tbs| {
                tbs.serial_number = der::asn1::Uint::new(&[1, index]).unwrap();
            })
        })
        .collect();
    let none = TrustAnchors::default();
    assert!(verify_chain(&leaf(&root), &looped, &none, NOW, Purpose::Signing).is_err());
}

#[test]
fn a_damaged_anchor_is_noticed() {
    let root = root(1);
    let other = self::root(3);
    let resigned = forge_tbs(root.certificate(), &other, |_| {});
    let anchors = TrustAnchors::from_certificates(vec![resigned]);
    assert_eq!(
        check(&leaf(&root), &[], &anchors),
        Err(PathError::BadSignature { subject: "CN=root,C=CN".into() })
    );
}
