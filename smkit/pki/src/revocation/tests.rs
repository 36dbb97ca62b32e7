#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::{
    Authority, Purpose, RevocationListContent, SerialNumber, TrustAnchors, Validator,
    testing::{NOW, below, forge_tbs, leaf, root},
};

fn serial(number: u8) -> SerialNumber {
    SerialNumber::from_bytes(&[number]).unwrap()
}

fn revoked(certificate: &Certificate, revoked_at: i64) -> RevokedCertificate {
    RevokedCertificate {
        serial: certificate.serial(),
        revoked_at,
        reason: RevocationReason::KeyCompromise,
        invalid_since: None,
    }
}

/// A list made at one second and due again ten seconds later.
fn list(by: &Authority, this_update: i64, entries: &[RevokedCertificate]) -> RevocationList {
    by.revocation_list(&RevocationListContent {
        number: serial(1),
        this_update,
        next_update: this_update + 10,
        keeps_expired_since: None,
        revoked: entries,
    })
    .unwrap()
}

fn check(
    root: &Authority,
    chain: &[Certificate],
    mode: RevocationMode,
    lists: &[RevocationList],
    at: i64,
) -> &'static str {
    let anchors = TrustAnchors::from_certificates(vec![root.certificate().clone()]);
    let validator =
        Validator::admitting_all(anchors).with_revocation(Revocation::new(mode, lists.to_vec()));
    validator
        .verify(chain, Purpose::Signing, at, None)
        .map_or_else(|refusal| refusal.code(), |_| "")
}

use RevocationMode::{IfAvailable, Off, Required};

#[test]
fn modes() {
    let (root, stranger) = (root(1), root(2));
    let leaf = leaf(&root);
    let chain = [leaf.clone()];
    let (good, bad) = (list(&root, NOW, &[]), list(&root, NOW, &[revoked(&leaf, NOW - 5)]));
    // Signed by another key under the same name: the key identifiers differ, so it is nobody's.
    let foreign = list(&stranger, NOW, &[revoked(&leaf, NOW - 5)]);
    for (lists, expected) in [
        (vec![], ["", "", "PK-1602"]),
        (vec![good.clone()], ["", "", ""]),
        (vec![bad.clone()], ["", "PK-1601", "PK-1601"]),
        (vec![foreign.clone()], ["", "", "PK-1602"]),
        (vec![foreign, bad.clone(), good.clone()], ["", "PK-1601", "PK-1601"]),
        (vec![good, bad], ["", "PK-1601", "PK-1601"]),
    ] {
        let found =
            [Off, IfAvailable, Required].map(|mode| check(&root, &chain, mode, &lists, NOW));
        assert_eq!(found, expected, "{lists:?}");
    }
}

#[test]
fn a_list_must_be_signed_by_the_issuer_with_the_right_to_do_so() {
    let root = root(1);
    let leaf = leaf(&root);
    let genuine = list(&root, NOW, &[]);
    let mut der = genuine.der().to_vec();
    // The last byte of s.
    *der.last_mut().unwrap() ^= 1;
    let forged = RevocationList::from_der(&der).unwrap();
    assert_eq!(
        check(&root, std::slice::from_ref(&leaf), Required, std::slice::from_ref(&forged), NOW),
        "PK-1604"
    );
    assert_eq!(check(&root, std::slice::from_ref(&leaf), IfAvailable, &[forged], NOW), "");

    let powerless = forge_tbs(root.certificate(), &root, |tbs| {
        let usage = crate::KeyUsage::KEY_CERT_SIGN.to_asn1();
        let value = der::Encode::to_der(&usage).unwrap();
        let list = tbs.extensions.as_mut().unwrap();
        let id = const_oid::db::rfc5280::ID_CE_KEY_USAGE;
        let extension = list.iter_mut().find(|extension| extension.extn_id == id).unwrap();
        extension.extn_value = der::asn1::OctetString::new(value).unwrap();
    });
    let refusal = genuine.verify(&powerless).unwrap_err();
    assert_eq!(refusal.code(), "PK-2202");
    let powerless = Authority::new(powerless, root.key().clone()).unwrap();
    assert_eq!(check(&powerless, &[leaf], Required, &[genuine], NOW), "PK-1604");
}

#[test]
fn a_later_revocation_does_not_reach_back() {
    let root = root(1);
    let leaf = leaf(&root);
    let lists = [list(&root, NOW + 50, &[revoked(&leaf, NOW)])];
    assert_eq!(check(&root, std::slice::from_ref(&leaf), Required, &lists, NOW - 1), "");
    assert_eq!(check(&root, std::slice::from_ref(&leaf), Required, &lists, NOW), "PK-1601");
    // Unless the key had been in other hands before.
    let compromised = RevokedCertificate { invalid_since: Some(NOW - 100), ..revoked(&leaf, NOW) };
    let lists = [list(&root, NOW + 50, &[compromised])];
    assert_eq!(check(&root, std::slice::from_ref(&leaf), Required, &lists, NOW - 1), "PK-1601");
    assert_eq!(check(&root, &[leaf], Required, &lists, NOW - 101), "");
}

#[test]
fn what_is_stale_proves_only_what_it_lists() {
    let root = root(1);
    let leaf = leaf(&root);
    let old = list(&root, NOW - 11, &[]);
    assert_eq!(
        check(&root, std::slice::from_ref(&leaf), Required, std::slice::from_ref(&old), NOW),
        "PK-1603"
    );
    assert_eq!(
        check(&root, std::slice::from_ref(&leaf), IfAvailable, std::slice::from_ref(&old), NOW),
        ""
    );
    assert_eq!(
        check(&root, std::slice::from_ref(&leaf), Required, std::slice::from_ref(&old), NOW - 1),
        ""
    );
    let bad = list(&root, NOW - 500, &[revoked(&leaf, NOW - 600)]);
    assert_eq!(
        check(&root, std::slice::from_ref(&leaf), Required, std::slice::from_ref(&bad), NOW),
        "PK-1601"
    );
    // The newest list counts: a hold has ended.
    let new = list(&root, NOW, &[]);
    assert_eq!(check(&root, std::slice::from_ref(&leaf), Required, &[bad, new, old], NOW), "");
}

#[test]
fn a_list_made_after_the_end_of_a_certificate_may_have_dropped_it() {
    let root = root(1);
    let leaf = leaf(&root);
    let after = leaf.not_after() + 1;
    let silent = list(&root, after, &[]);
    assert_eq!(
        check(&root, std::slice::from_ref(&leaf), Required, std::slice::from_ref(&silent), NOW),
        "PK-1602"
    );
    let before = list(&root, NOW, &[revoked(&leaf, NOW - 5)]);
    assert_eq!(
        check(&root, std::slice::from_ref(&leaf), Required, &[silent, before], NOW),
        "PK-1601"
    );
    let keeping = root
        .revocation_list(&RevocationListContent {
            number: serial(2),
            this_update: after,
            next_update: after + 1,
            keeps_expired_since: Some(0),
            revoked: &[],
        })
        .unwrap();
    assert_eq!(check(&root, &[leaf], Required, &[keeping], NOW), "");
}

#[test]
fn every_certificate_below_the_anchor_is_asked_about() {
    let root = root(1);
    let city = below(&root, "city", None);
    let leaf = leaf(&city);
    let chain = [leaf.clone(), city.certificate().clone()];
    let of_city = list(&city, NOW, &[]);
    let of_root = list(&root, NOW, &[]);
    assert_eq!(check(&root, &chain, Required, std::slice::from_ref(&of_city), NOW), "PK-1602");
    assert_eq!(check(&root, &chain, Required, std::slice::from_ref(&of_root), NOW), "PK-1602");
    assert_eq!(check(&root, &chain, Required, &[of_city.clone(), of_root], NOW), "");
    let against = list(&root, NOW, &[revoked(city.certificate(), NOW)]);
    assert_eq!(check(&root, &chain, IfAvailable, &[of_city, against], NOW), "PK-1601");
    // The leaf's number on another authority's list means nothing.
    let elsewhere = list(&root, NOW, &[revoked(&leaf, NOW - 5)]);
    assert_eq!(check(&root, &chain, IfAvailable, &[elsewhere], NOW), "");
}
