use changbai_wire::proto::msp::SerializedIdentity;
use proptest::prelude::*;
use prost::Message;
use smkit_pki::PathError;

use super::*;
use crate::{
    Identity, IdentityError, Membership, Role, Roles,
    limits::{IDENTITIES_CACHED_MAX, IDENTITY_BYTES_MAX},
};

#[test]
fn known_identities_are_identified() {
    let mut org = Org::new("Org1MSP", 1);
    let members = Membership::new(vec![org.organisation()]);
    let bytes = org.serialized("peer0", &["peer", "Department 7"]);
    let identity = members.identify(&bytes, NOW).unwrap();
    assert_eq!(identity.msp_id, "Org1MSP");
    assert_eq!(identity.serialize(), bytes);
    assert_eq!(identity.roles.iter().collect::<Vec<_>>(), [Role::Member, Role::Peer]);
    assert!(identity.has_role(Role::Peer) && !identity.has_role(Role::Client));
    assert_eq!(identity.verifying_key().public_key(), identity.certificate.public_key());
    let again = members.identify(&bytes, NOW + 1).unwrap();
    assert!(std::sync::Arc::ptr_eq(&identity, &again), "from the cache");
    assert!(!format!("{identity:?}").contains("peer0"));
}

#[test]
fn pem_text_is_kept_as_given() {
    let mut org = Org::new("Org1MSP", 1);
    let members = Membership::new(vec![org.organisation()]);
    let pem = org.certificate("client", &["client"]).to_pem().replace('\n', "\r\n");
    let bytes =
        SerializedIdentity { mspid: "Org1MSP".into(), id_bytes: pem.into_bytes() }.encode_to_vec();
    assert_eq!(members.identify(&bytes, NOW).unwrap().as_bytes(), bytes);
}

#[test]
fn roles_come_from_units() {
    let roles = |units: &[&str]| Roles::from_units(units);
    for units in [&[][..], &["member"], &["Peer"], &["peers"], &["办公室"]] {
        assert_eq!(roles(units), None, "{units:?}");
    }
    let both = roles(&["admin", "x", "client"]).unwrap();
    assert_eq!(both.iter().collect::<Vec<_>>(), [Role::Member, Role::Admin, Role::Client]);
    assert_eq!(format!("{both:?}"), "{Member, Admin, Client}");
}

#[test]
fn strangers_are_refused() {
    let (mut org, mut other) = (Org::new("Org1MSP", 1), Org::new("Org2MSP", 2));
    let members = Membership::new(vec![org.organisation()]);
    let refuse = |bytes: &[u8]| members.identify(bytes, NOW).unwrap_err();
    let wrong_unit = org.serialized("x", &["visitor"]);
    assert!(matches!(refuse(&wrong_unit), IdentityError::NoRole));
    let unknown_msp = other.serialized("x", &["peer"]);
    assert!(matches!(refuse(&unknown_msp), IdentityError::UnknownMsp { .. }));
    let foreign = serialize_identity("Org1MSP", &other.certificate("x", &["peer"]));
    assert!(matches!(refuse(&foreign), IdentityError::Chain(PathError::UnknownIssuer { .. })));
    // Another root of the same name: found by name, refused by signature or key identifier.
    let mut twin = Org::new("Org1MSP", 3);
    let forged = twin.serialized("x", &["peer"]);
    assert!(matches!(refuse(&forged), IdentityError::Chain(_)));
    let root = serialize_identity("Org1MSP", org.authority.certificate());
    assert!(matches!(refuse(&root), IdentityError::CertificateAuthority));
    assert_eq!(members.cached(), 0, "refusals are not remembered");
}

#[test]
fn time_is_judged_on_each_call() {
    let mut org = Org::new("Org1MSP", 1);
    let members = Membership::new(vec![org.organisation()]);
    let certificate = org.certificate_within("c", &["client"], NOW - 10, NOW + 10);
    let bytes = serialize_identity("Org1MSP", &certificate);
    let expired = |r| matches!(r, Err(IdentityError::Chain(PathError::Expired { .. })));
    let early = |r| matches!(r, Err(IdentityError::Chain(PathError::NotYetValid { .. })));
    assert!(early(members.identify(&bytes, NOW - 11)));
    assert!(members.identify(&bytes, NOW - 10).is_ok());
    assert_eq!(members.cached(), 1);
    assert!(members.identify(&bytes, NOW + 10).is_ok());
    assert!(expired(members.identify(&bytes, NOW + 11)), "although it is remembered");
    assert!(early(members.identify(&bytes, i64::MIN)));
    assert!(members.identify(&bytes, NOW).is_ok());
}

#[test]
fn the_cache_is_bounded_and_keeps_what_is_used() {
    let mut org = Org::new("Org1MSP", 1);
    let members = Membership::new(vec![org.organisation()]);
    let pem = org.certificate("client", &["client"]).to_pem();
    // Different texts of one certificate: trailing blanks make another serialized identity.
    let variant = |i: usize| {
        let blanks: String =
            (0..14).map(|bit| if i >> bit & 1 == 1 { ' ' } else { '\n' }).collect();
        SerializedIdentity {
            mspid: "Org1MSP".into(),
            id_bytes: format!("{pem}{blanks}").into_bytes(),
        }
        .encode_to_vec()
    };
    let favourite = members.identify(&variant(0), NOW).unwrap();
    for i in 1..=IDENTITIES_CACHED_MAX + 100 {
        members.identify(&variant(i), NOW).unwrap();
        assert!(members.cached() <= IDENTITIES_CACHED_MAX);
        let kept = members.identify(&variant(0), NOW).unwrap();
        assert!(std::sync::Arc::ptr_eq(&favourite, &kept));
    }
}

#[test]
fn malformed_identities_are_refused() {
    let mut org = Org::new("Org1MSP", 1);
    let pem = org.certificate("client", &["client"]).to_pem();
    let refuse = |mspid: &str, id_bytes: &[u8]| {
        let message = SerializedIdentity { mspid: mspid.to_owned(), id_bytes: id_bytes.to_vec() };
        Identity::parse(&message.encode_to_vec()).unwrap_err()
    };
    let malformed = |error| matches!(error, IdentityError::Malformed { .. });
    assert!(malformed(refuse("", pem.as_bytes())));
    assert!(malformed(refuse("Org 1", pem.as_bytes())));
    assert!(malformed(refuse("Org1MSP", b"")));
    assert!(malformed(refuse("Org1MSP", b"\xff")));
    assert!(malformed(refuse("Org1MSP", format!("note\n{pem}").as_bytes())));
    assert!(malformed(refuse("Org1MSP", format!("{pem}note").as_bytes())));
    assert!(malformed(refuse("Org1MSP", &vec![b' '; IDENTITY_BYTES_MAX])));
    let two = refuse("Org1MSP", format!("{pem}{pem}").as_bytes());
    assert!(matches!(two, IdentityError::Certificate(_)));
    let good = org.serialized("c", &["client"]);
    assert!(malformed(Identity::parse(&[good.as_slice(), &[0x1a, 0]].concat()).unwrap_err()));
    for len in 0..good.len() - 1 {
        assert!(Identity::parse(&good[..len]).is_err(), "truncated to {len}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn changed_identities_are_refused_or_the_same_certificate(bit in any::<prop::sample::Index>()) {
        let mut org = Org::new("Org1MSP", 1);
        let members = Membership::new(vec![org.organisation()]);
        let mut bytes = org.serialized("client", &["client"]);
        let certificate = members.identify(&bytes, NOW).unwrap().certificate.clone();
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(identity) = members.identify(&bytes, NOW) {
            prop_assert_eq!(&identity.certificate, &certificate);
            prop_assert_eq!(identity.as_bytes(), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Identity::parse(&bytes);
    }
}
