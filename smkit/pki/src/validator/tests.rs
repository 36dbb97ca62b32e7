#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use der::asn1::OctetString;
use x509_cert::ext::Extension;

use super::*;
use crate::{
    AlternativeNames, Authority, ExtendedKeyUsage, KeyPurpose, KeyUsage, RefusalKind,
    extensions::{self, Extensions},
    testing::{NOW, below, forge_tbs, leaf, root},
};

/// A leaf below `authority` with these extensions and no others.
fn with(authority: &Authority, extensions: Extensions) -> Certificate {
    forge_tbs(&leaf(authority), authority, |tbs| {
        tbs.extensions = Some(extensions::write(&extensions).unwrap());
    })
}

fn usage(key_usage: KeyUsage, purposes: &[KeyPurpose], critical: bool) -> Extensions {
    let oids: Vec<_> = purposes.iter().map(|purpose| purpose.oid()).collect();
    let extended_key_usage = (!oids.is_empty()).then_some(ExtendedKeyUsage { critical, oids });
    Extensions { key_usage, extended_key_usage, ..Extensions::default() }
}

fn names(names: &[&str]) -> Extensions {
    let alternative_names = AlternativeNames::parse(names.iter().copied());
    Extensions {
        key_usage: KeyUsage::DIGITAL_SIGNATURE,
        alternative_names,
        ..Extensions::default()
    }
}

fn all_under(root: &Authority) -> Validator {
    let anchors = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
    Validator::admitting_all(anchors)
}

fn code(result: Result<VerifiedPath, PathError>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "")
}

#[test]
fn extended_key_usage_decides_by_purpose() {
    use KeyPurpose::{Any, ClientAuth, OcspSigning, ServerAuth, TimeStamping};
    let root = root(1);
    let validator = all_under(&root);
    let signs = KeyUsage::DIGITAL_SIGNATURE;
    let purposes = [
        Purpose::Signing,
        Purpose::TlsServer,
        Purpose::TlsClient,
        Purpose::TimeStamping,
        Purpose::OcspSigning,
    ];
    let (ok, no, form) = ("", "PK-1501", "PK-1502");
    for (present, critical, expected) in [
        (vec![], false, [ok, ok, ok, no, no]),
        (vec![ServerAuth], false, [ok, ok, no, no, no]),
        (vec![ClientAuth], false, [ok, no, ok, no, no]),
        (vec![ServerAuth, ClientAuth], true, [ok, ok, ok, no, no]),
        (vec![Any], false, [ok, ok, ok, no, no]),
        (vec![TimeStamping], true, [no, no, no, ok, no]),
        (vec![TimeStamping], false, [no, no, no, form, no]),
        (vec![TimeStamping, ClientAuth], true, [ok, no, ok, form, no]),
        (vec![OcspSigning], false, [no, no, no, no, ok]),
    ] {
        let leaf = with(&root, usage(signs, &present, critical));
        let found = purposes
            .map(|purpose| code(validator.verify(std::slice::from_ref(&leaf), purpose, NOW, None)));
        assert_eq!(found, expected, "{present:?} critical={critical}");
    }
}

#[test]
fn an_authority_confines_what_is_below_it() {
    use KeyPurpose::{ClientAuth, ServerAuth, TimeStamping};
    let root = root(1);
    let validator = all_under(&root);
    let city = below(&root, "city", None);
    let confined = |purposes: &[KeyPurpose]| {
        let oids = purposes.iter().map(|purpose| purpose.oid()).collect();
        forge_tbs(city.certificate(), &root, |tbs| {
            let list = Extensions {
                ca: true,
                key_usage: KeyUsage::KEY_CERT_SIGN,
                extended_key_usage: Some(ExtendedKeyUsage { critical: true, oids }),
                ..Extensions::default()
            };
            tbs.extensions = Some(extensions::write(&list).unwrap());
        })
    };
    let leaf = leaf(&city);
    let check = |purposes: &[KeyPurpose], purpose| {
        code(validator.verify(&[leaf.clone(), confined(purposes)], purpose, NOW, None))
    };
    assert_eq!(check(&[ServerAuth], Purpose::TlsServer), "");
    assert_eq!(check(&[ServerAuth], Purpose::TlsClient), "PK-1501");
    assert_eq!(check(&[ServerAuth, ClientAuth], Purpose::TlsClient), "");
    assert_eq!(check(&[ServerAuth], Purpose::Signing), "");
    assert_eq!(check(&[TimeStamping], Purpose::Signing), "PK-1501");
}

#[test]
fn key_usage_decides_before_extended_key_usage() {
    let root = root(1);
    let validator = all_under(&root);
    let check = |bits, purpose| {
        let leaf = with(&root, usage(bits, &[], false));
        code(validator.verify(&[leaf], purpose, NOW, None))
    };
    let (signs, undeniable) = (KeyUsage::DIGITAL_SIGNATURE, KeyUsage::NON_REPUDIATION);
    assert_eq!(check(signs, Purpose::Seal), "PK-1401");
    assert_eq!(check(signs.union(undeniable), Purpose::Seal), "");
    assert_eq!(check(signs, Purpose::TlcpEncryption), "PK-1401");
    assert_eq!(check(KeyUsage::KEY_ENCIPHERMENT, Purpose::TlcpEncryption), "");
    assert_eq!(check(KeyUsage::KEY_AGREEMENT, Purpose::TlcpEncryption), "");
    assert_eq!(check(KeyUsage::KEY_AGREEMENT, Purpose::KeyEncipherment), "PK-1401");
    assert_eq!(check(KeyUsage::DATA_ENCIPHERMENT, Purpose::TlsServer), "PK-1401");
    assert_eq!(check(undeniable, Purpose::TimeStamping), "PK-1401");
    assert_eq!(check(KeyUsage::KEY_CERT_SIGN, Purpose::CertificateSign), "PK-1301");
}

#[test]
fn a_root_in_the_list_admits_nobody_by_itself() {
    let root = root(1);
    let city = below(&root, "city", None);
    let other = below(&root, "other", None);
    let anchors = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
    let chain = |ca: &Authority| [leaf(ca), ca.certificate().clone()];
    let check = |admissions: &[Admission], chain: &[Certificate]| {
        let validator = Validator::new(anchors.clone(), admissions.to_vec());
        code(validator.verify(chain, Purpose::TlsClient, NOW, None))
    };
    let pinned = Admission::under(city.certificate().sm3());
    assert_eq!(check(&[], &chain(&city)), "PK-1801");
    assert_eq!(check(std::slice::from_ref(&pinned), &chain(&city)), "");
    assert_eq!(check(std::slice::from_ref(&pinned), &chain(&other)), "PK-1801");
    assert_eq!(check(std::slice::from_ref(&pinned), &[leaf(&root)]), "PK-1801");
    // The anchor itself can be pinned, but nobody is admitted for being an authority.
    let under_root = Admission::under(root.certificate().sm3());
    assert_eq!(check(std::slice::from_ref(&under_root), &chain(&other)), "");
    let itself = Admission::under(leaf(&city).sm3());
    assert_eq!(check(&[itself], &chain(&city)), "PK-1801");

    let matching = pinned.clone().with_subject("CN=leaf".parse().unwrap());
    let failing = pinned.with_subject("OU=NDRC".parse().unwrap());
    let elsewhere = Admission::under(other.certificate().sm3());
    assert_eq!(check(&[failing.clone(), matching], &chain(&city)), "");
    assert_eq!(check(&[elsewhere.clone(), failing.clone()], &chain(&city)), "PK-1802");
    assert_eq!(check(&[failing, elsewhere], &chain(&city)), "PK-1802");
}

#[test]
fn the_host_must_be_named() {
    let root = root(1);
    let validator = all_under(&root);
    let check = |extensions, host| {
        let leaf = with(&root, extensions);
        code(validator.verify(&[leaf], Purpose::TlsServer, NOW, Some(host)))
    };
    assert_eq!(check(names(&["node1.cc.jl", "10.0.0.1"]), "node1.cc.jl"), "");
    assert_eq!(check(names(&["node1.cc.jl", "10.0.0.1"]), "10.0.0.1"), "");
    assert_eq!(check(names(&["node1.cc.jl"]), "node2.cc.jl"), "PK-1701");
    assert_eq!(check(names(&["node1.cc.jl"]), "not a name"), "PK-1703");
    // The common name is "leaf" and does not count.
    let bare = Extensions { key_usage: KeyUsage::DIGITAL_SIGNATURE, ..Extensions::default() };
    assert_eq!(check(bare, "leaf"), "PK-1702");
}

/// Each chain fails one step and every later one; the earlier step is the reason given.
#[test]
fn the_order_is_fixed() {
    let (root, stranger) = (root(1), root(2));
    let anchors = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
    let validator = Validator::new(anchors, Vec::new());
    let wrong = usage(KeyUsage::KEY_AGREEMENT, &[KeyPurpose::ClientAuth], false);
    let wrong_purpose = usage(KeyUsage::DIGITAL_SIGNATURE, &[KeyPurpose::ClientAuth], false);
    let mut critical = extensions::write(&wrong).unwrap();
    critical.push(Extension {
        extn_id: der::asn1::ObjectIdentifier::new_unwrap("1.2.3.4"),
        critical: true,
        extn_value: OctetString::new([5, 0]).unwrap(),
    });
    let critical =
        |by: &Authority| forge_tbs(&leaf(by), by, |tbs| tbs.extensions = Some(critical.clone()));
    let (late, host) = (NOW + 5_000, Some("elsewhere"));
    for (leaf, at, expected, kind) in [
        (critical(&stranger), late, "PK-1102", RefusalKind::Signature),
        (critical(&root), late, "PK-1201", RefusalKind::Validity),
        (critical(&root), NOW, "PK-1303", RefusalKind::Purpose),
        (with(&root, wrong), NOW, "PK-1401", RefusalKind::Purpose),
        (with(&root, wrong_purpose), NOW, "PK-1501", RefusalKind::Purpose),
        (with(&root, names(&["here"])), NOW, "PK-1701", RefusalKind::Name),
        (with(&root, names(&["elsewhere"])), NOW, "PK-1801", RefusalKind::NotAdmitted),
    ] {
        let refusal = validator.verify(&[leaf], Purpose::TlsServer, at, host).unwrap_err();
        assert_eq!((refusal.code(), refusal.kind()), (expected, kind), "{refusal}");
    }
    assert_eq!(code(validator.verify(&[], Purpose::TlsServer, NOW, None)), "PK-1106");
    let many = vec![root.certificate().clone(); 18];
    assert_eq!(code(validator.verify(&many, Purpose::TlsServer, NOW, None)), "PK-1104");
}

#[test]
fn known_intermediates_need_not_be_sent() {
    let root = root(1);
    let city = below(&root, "city", None);
    let validator = all_under(&root);
    let lone = [leaf(&city)];
    assert_eq!(code(validator.verify(&lone, Purpose::TlsClient, NOW, None)), "PK-1101");
    let validator = validator.with_intermediates(vec![city.certificate().clone()]);
    let path = validator.verify(&lone, Purpose::TlsClient, NOW, None).unwrap();
    let expected = [&lone[0], city.certificate(), root.certificate()];
    assert!(path.certificates().iter().eq(expected));
    assert_eq!((path.leaf(), path.anchor()), (Some(&lone[0]), Some(root.certificate())));
}

#[test]
fn a_pair_belongs_together() {
    let root = root(1);
    let validator = all_under(&root);
    let signing = with(&root, usage(KeyUsage::DIGITAL_SIGNATURE, &[], false));
    let encryption = with(&root, usage(KeyUsage::KEY_ENCIPHERMENT, &[], false));
    let check = |signing: &Certificate, encryption: &Certificate| {
        code(validator.verify_pair(signing, encryption, &[], Purpose::TlsClient, NOW, None))
    };
    assert_eq!(check(&signing, &encryption), "");
    assert_eq!(check(&encryption, &signing), "PK-1401");
    assert_eq!(check(&signing, &signing), "PK-1401");
    let other = forge_tbs(&encryption, &root, |tbs| tbs.subject = tbs.issuer.clone());
    assert_eq!(check(&signing, &other), "PK-1804");
}

#[test]
fn refusals_speak_both_languages() {
    let refusal = PathError::Expired { subject: "CN=a".into(), not_after: 5 };
    assert_eq!(refusal.to_string(), "certificate of CN=a expired at 5");
    assert_eq!(refusal.text_zh(), "CN=a 的证书已于 5（Unix 秒）过期");
}
