#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use der::{
    Decode, Encode,
    asn1::{Any, OctetString},
};
use proptest::prelude::*;
use smkit::{
    Sm3Digest,
    sm2::{PrivateKey, SignerId, SigningKey},
    sm3,
};
use x509_cert::{attr::Attribute, ext::pkix::name::GeneralName};

use super::{
    asn1::{
        AccuracyInfo, CertificateDigest, Info, Request, Response, SIGNING_CERTIFICATE,
        SigningCertificate,
    },
    *,
};
use crate::{
    Authority, Certificate, Profile, SerialNumber, TrustAnchors, Validator,
    cms::{Attributes, Draft, TIME_STAMP, attribute, sign},
    testing::{Counter, NOW, VALIDITY, root, subject},
};

const POLICY: &str = "1.2.156.10197.6.1.4.9";

struct World {
    root: Authority,
    certificate: Certificate,
    key: SigningKey,
}

fn world() -> World {
    let root = root(1);
    let (certificate, key) = issued(&root, Profile::TimeStampAuthority);
    World { root, certificate, key }
}

fn issued(root: &Authority, profile: Profile) -> (Certificate, SigningKey) {
    let random = &mut Counter(4242 << 16);
    let private = PrivateKey::generate(random).unwrap();
    let public = private.public_key();
    let certificate = root.issue(&subject("tsa"), public, profile, VALIDITY, None, random).unwrap();
    (certificate, SigningKey::new(private, SignerId::DEFAULT).unwrap())
}

fn imprint() -> Sm3Digest {
    sm3("原文".as_bytes())
}

fn request() -> TimeStampRequest {
    TimeStampRequest::new(&imprint(), &[0x81; 16], Some(POLICY)).unwrap()
}

fn grant() -> Grant {
    Grant {
        serial: SerialNumber::from_bytes(&[0x90, 1]).unwrap(),
        gen_time: Duration::new(NOW.unsigned_abs(), 123_000_000),
        accuracy: Accuracy::new(Duration::from_micros(9_250)),
    }
}

impl World {
    fn authority(&self) -> TimeStampAuthority {
        let authorities = vec![self.root.certificate().clone()];
        TimeStampAuthority::new(self.certificate.clone(), self.key.clone(), POLICY, authorities)
            .unwrap()
    }

    fn validator(&self) -> Validator {
        let anchors = TrustAnchors::from_certificates(vec![self.root.certificate().clone()]);
        Validator::admitting_all(anchors)
    }

    fn token(&self) -> TimeStampToken {
        self.authority().grant(&request(), grant()).unwrap().token().clone()
    }

    /// A token with another statement or other attributes, properly signed.
    fn forge(
        &self,
        edit: impl FnOnce(&mut Info),
        attributes: impl FnOnce(&mut Vec<Attribute>),
    ) -> Result<TimeStampToken, crate::FormError> {
        let token = self.token();
        let message = crate::cms::Message::from_der(&TIME_STAMP, token.der()).unwrap();
        let mut info = Info::from_der(message.content.as_deref().unwrap()).unwrap();
        edit(&mut info);
        let info = info.to_der().unwrap();
        let named: SigningCertificate = message.signers[0]
            .attributes
            .as_ref()
            .unwrap()
            .value(TIME_STAMP.form, SIGNING_CERTIFICATE)
            .unwrap()
            .unwrap();
        let mut further = vec![attribute(SIGNING_CERTIFICATE, &named).unwrap()];
        attributes(&mut further);
        let set = Attributes::new(TIME_STAMP.content, &info, None, further).unwrap();
        let draft = Draft { certificate: &self.certificate, key: &self.key, attributes: Some(set) };
        let message =
            sign(&TIME_STAMP, &info, true, vec![draft], std::slice::from_ref(&self.certificate));
        TimeStampToken::from_der(&message.unwrap().der)
    }

    fn judge(&self, token: &TimeStampToken) -> &'static str {
        code(token.verify_for(&request(), &self.validator(), &[]))
    }
}

fn code<T>(result: Result<T, TimeStampError>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "")
}

#[test]
fn from_request_to_verified_time() {
    let world = world();
    let request = TimeStampRequest::from_der(request().der()).unwrap();
    assert_eq!(request.policy().as_deref(), Some(POLICY));
    assert_eq!(request.nonce(), Some([0x81; 16].as_slice()));
    let response = world.authority().grant(&request, grant()).unwrap();
    let read = TimeStampResponse::from_der(response.der()).unwrap();
    assert_eq!(read, response);
    let found = read.token().verify_for(&request, &world.validator(), &[]).unwrap();
    assert_eq!(found.gen_time, grant().gen_time);
    assert_eq!(found.accuracy.unwrap().bound(), Duration::from_micros(9_250));
    assert_eq!((found.serial, found.policy.as_str()), (Some(grant().serial), POLICY));
    assert_eq!(found.path.leaf(), Some(&world.certificate));
    assert_eq!(world.authority().grant(&request, grant()).unwrap(), response, "deterministic");
}

#[test]
fn a_token_is_over_one_digest_for_one_request() {
    let world = world();
    let (token, validator) = (world.token(), world.validator());
    let ask = |imprint: &Sm3Digest, nonce: u8, policy| {
        let request = TimeStampRequest::new(imprint, &[nonce; 16], policy).unwrap();
        code(token.verify_for(&request, &validator, &[]))
    };
    assert_eq!(ask(&imprint(), 0x81, None), "");
    assert_eq!(ask(&sm3(b"other"), 0x81, None), "PK-2502");
    assert_eq!(ask(&imprint(), 0x82, None), "PK-2503");
    assert_eq!(ask(&imprint(), 0x81, Some("1.2.3")), "PK-2504");
    assert_eq!(code(token.verify(&sm3(b"other"), &validator, &[])), "PK-2502");
}

#[test]
fn the_certificate_must_be_good_at_the_time_stated() {
    let world = world();
    let at = |seconds: i64| {
        let grant = Grant { gen_time: Duration::from_secs(seconds.unsigned_abs()), ..grant() };
        let response = world.authority().grant(&request(), grant).unwrap();
        world.judge(response.token())
    };
    assert_eq!(at(VALIDITY.not_after), "");
    assert_eq!(at(VALIDITY.not_after + 1), "PK-1201");
    assert_eq!(at(VALIDITY.not_before - 1), "PK-1202");
    let late = Grant { gen_time: Duration::from_secs(u64::MAX), ..grant() };
    assert_eq!(world.authority().grant(&request(), late), Err(TimeStampError::Time));
}

#[test]
fn only_an_authority_for_time_stamps_grants() {
    let world = world();
    for profile in [Profile::Signing, Profile::OcspResponder, Profile::Encryption] {
        let (certificate, key) = issued(&world.root, profile);
        let refused = TimeStampAuthority::new(certificate, key, POLICY, Vec::new());
        assert!(matches!(refused, Err(TimeStampError::Path(_))), "{profile:?}");
    }
    let other_key = issued(&root(2), Profile::Client).1;
    let other_key = SigningKey::new(
        PrivateKey::generate(&mut Counter(1)).unwrap(),
        other_key.verifying_key().signer_id().clone(),
    )
    .unwrap();
    let refused = TimeStampAuthority::new(world.certificate.clone(), other_key, POLICY, Vec::new());
    assert_eq!(code(refused), "PK-2505");
    let other = TimeStampRequest::new(&imprint(), &[1; 16], Some("1.2.3")).unwrap();
    assert_eq!(world.authority().check(&other), Err(TimeStampFailure::UnacceptedPolicy));
    assert_eq!(world.authority().grant(&other, grant()), Err(TimeStampError::Policy));

    // The right statement and signature, but a certificate for something else.
    let (certificate, key) = issued(&world.root, Profile::Signing);
    let signer = World { certificate, key, ..self::world() };
    let forged = signer_forge(&signer);
    assert_eq!(code(forged.verify(&imprint(), &world.validator(), &[])), "PK-1501");
}

/// What [`World::forge`] gives, for a signer that no [`TimeStampAuthority`] would be made of.
fn signer_forge(signer: &World) -> TimeStampToken {
    let message = crate::cms::Message::from_der(&TIME_STAMP, world().token().der()).unwrap();
    let mut info = Info::from_der(message.content.as_deref().unwrap()).unwrap();
    info.tsa = None;
    let info = info.to_der().unwrap();
    let digest = signer.certificate.sm3();
    let named = SigningCertificate {
        certificates: vec![CertificateDigest {
            algorithm: Some(spki::AlgorithmIdentifierOwned {
                oid: crate::asn1::SM3,
                parameters: None,
            }),
            digest: OctetString::new(digest.as_bytes().as_slice()).unwrap(),
            issuer_serial: None,
        }],
        policies: None,
    };
    let named = attribute(SIGNING_CERTIFICATE, &named).unwrap();
    let set = Attributes::new(TIME_STAMP.content, &info, None, vec![named]).unwrap();
    let draft = Draft { certificate: &signer.certificate, key: &signer.key, attributes: Some(set) };
    let certificates = std::slice::from_ref(&signer.certificate);
    let message = sign(&TIME_STAMP, &info, true, vec![draft], certificates).unwrap();
    TimeStampToken::from_der(&message.der).unwrap()
}

#[test]
fn statements_outside_their_rules_are_refused() {
    let world = world();
    let form = |edit: &dyn Fn(&mut Info)| {
        world.forge(edit, |_| {}).map_or_else(|refusal| refusal.code(), |token| world.judge(&token))
    };
    assert_eq!(form(&|_| {}), "");
    assert_eq!(form(&|info| info.version = 2), "PK-2001");
    assert_eq!(
        form(&|info| info.imprint.algorithm.oid = "2.16.840.1.101.3.4.2.1".parse().unwrap()),
        "PK-2003"
    );
    assert_eq!(form(&|info| info.nonce = None), "PK-2503");
    let accuracy = |millis, micros| {
        form(&|info| {
            info.accuracy = Some(AccuracyInfo { seconds: None, millis, micros });
        })
    };
    assert_eq!(accuracy(Some(1), Some(999)), "");
    assert_eq!(accuracy(Some(0), None), "PK-2001");
    assert_eq!(accuracy(None, Some(1000)), "PK-2001");
    let root = x509_cert::name::Name::from_der(&world.root.certificate().subject_dn().to_der());
    let root = GeneralName::DirectoryName(root.unwrap());
    assert_eq!(form(&|info| info.tsa = Some(root.clone())), "PK-2506");
}

#[test]
fn the_token_names_its_certificate_by_sm3() {
    let world = world();
    let judge = |edit: &dyn Fn(&mut SigningCertificate)| {
        let edit = |further: &mut Vec<Attribute>| {
            let value = further[0].values.iter().next().unwrap().to_der().unwrap();
            let mut named = SigningCertificate::from_der(&value).unwrap();
            edit(&mut named);
            further[0] = attribute(SIGNING_CERTIFICATE, &named).unwrap();
        };
        let token = world.forge(|_| {}, edit).unwrap();
        world.judge(&token)
    };
    assert_eq!(judge(&|_| {}), "");
    // The default of RFC 5035 is SHA-256.
    assert_eq!(judge(&|named| named.certificates[0].algorithm = None), "PK-2505");
    assert_eq!(judge(&|named| named.certificates.clear()), "PK-2505");
    let other = OctetString::new([7; 32]).unwrap();
    assert_eq!(judge(&|named| named.certificates[0].digest = other.clone()), "PK-2505");
    assert_eq!(judge(&|named| named.policies = Some(Any::null())), "");
    let bare = world.forge(|_| {}, Vec::clear).unwrap();
    assert_eq!(world.judge(&bare), "PK-2505");
}

#[test]
fn certificates_may_be_known_instead_of_sent() {
    let world = world();
    let mut parts = Request::from_der(request().der()).unwrap();
    parts.wants_certificates = false;
    let request = TimeStampRequest::from_der(&parts.to_der().unwrap()).unwrap();
    let response = world.authority().grant(&request, grant()).unwrap();
    let token = response.token();
    assert_eq!(token.certificates(), []);
    let validator = world.validator();
    assert_eq!(code(token.verify_for(&request, &validator, &[])), "PK-2402");
    let known = [world.certificate];
    assert_eq!(code(token.verify_for(&request, &validator, &known)), "");
}

#[test]
fn refusals_are_read_as_written() {
    for failure in [
        TimeStampFailure::BadAlgorithm,
        TimeStampFailure::BadRequest,
        TimeStampFailure::BadDataFormat,
        TimeStampFailure::TimeNotAvailable,
        TimeStampFailure::UnacceptedPolicy,
        TimeStampFailure::UnacceptedExtension,
        TimeStampFailure::AddInfoNotAvailable,
        TimeStampFailure::SystemFailure,
    ] {
        let refusal = TimeStampResponse::from_der(&failure.to_der()).unwrap_err();
        assert_eq!(refusal, TimeStampError::Refused { failure: Some(failure) });
    }
    let granted = world().authority().grant(&request(), grant()).unwrap();
    let mut parts = Response::from_der(granted.der()).unwrap();
    parts.status.status = 2;
    assert_eq!(code(TimeStampResponse::from_der(&parts.to_der().unwrap())), "PK-2001");
    parts.token = None;
    parts.status.text = Some(vec!["不行".into()]);
    let refusal = TimeStampResponse::from_der(&parts.to_der().unwrap()).unwrap_err();
    assert_eq!(refusal, TimeStampError::Refused { failure: None });
    parts.status.status = 0;
    assert_eq!(code(TimeStampResponse::from_der(&parts.to_der().unwrap())), "PK-2001");
}

#[test]
fn a_bound_does_not_shrink() {
    let micros = |bound| Accuracy::new(bound).map(|accuracy| accuracy.bound().as_micros());
    assert_eq!(micros(Duration::from_nanos(1)), Some(1));
    assert_eq!(micros(Duration::from_nanos(1_000_001)), Some(1_001));
    assert_eq!(micros(Duration::ZERO), None);
    assert_eq!(micros(Duration::MAX), None);
    assert!(Accuracy::new(Duration::from_secs(u64::from(u32::MAX))).is_some());
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = TimeStampRequest::from_der(&bytes);
        let _ = TimeStampResponse::from_der(&bytes);
        let _ = TimeStampToken::from_der(&bytes);
    }

    #[test]
    fn any_flipped_bit_is_rejected(position in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let world = world();
        let token = world.token();
        let mut der = token.der().to_vec();
        let index = position.index(der.len());
        der[index] ^= 1 << bit;
        let accepted = TimeStampToken::from_der(&der).is_ok_and(|altered| {
            // Certificates of authorities are not signed by the token: they are themselves or nothing.
            let same = altered.certificates() == token.certificates();
            same && altered.verify_for(&request(), &world.validator(), &[]).is_ok()
        });
        prop_assert!(!accepted, "byte {index}");
    }
}
