#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use der::{
    Decode, Encode,
    asn1::{BitString, OctetString, Uint},
};
use proptest::prelude::*;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};

use super::{
    asn1::{BasicResponse, Request, Response},
    *,
};
use crate::{
    Authority, Certificate, Profile, Purpose, Register, Revocation, RevocationMode,
    RevocationReason, RevokedCertificate, TrustAnchors, Validator,
    testing::{Counter, NOW, VALIDITY, leaf, root, subject},
};

struct World {
    root: Authority,
    leaf: Certificate,
    register: Register,
}

fn world() -> World {
    let root = root(1);
    let leaf = leaf(&root);
    let mut register = Register::new();
    register.record(&leaf).unwrap();
    World { root, leaf, register }
}

impl World {
    fn responder(&self) -> OcspResponder {
        let issuer = self.root.certificate().clone();
        let key = self.root.signing_key().clone();
        OcspResponder::new(issuer.clone(), issuer, key).unwrap()
    }

    fn delegate(&self, profile: Profile) -> Result<OcspResponder, OcspError> {
        let random = &mut Counter(900);
        let private = PrivateKey::generate(random).unwrap();
        let name = subject("responder");
        let public = private.public_key();
        let certificate = self.root.issue(&name, public, profile, VALIDITY, None, random).unwrap();
        let key = SigningKey::new(private, SignerId::DEFAULT).unwrap();
        OcspResponder::new(self.root.certificate().clone(), certificate, key)
    }

    fn id(&self) -> CertificateId {
        CertificateId::of(&self.leaf, self.root.certificate())
    }

    fn revoke(&mut self, at: i64) {
        self.register
            .revoke(RevokedCertificate {
                serial: self.leaf.serial(),
                revoked_at: at,
                reason: RevocationReason::KeyCompromise,
                invalid_since: None,
            })
            .unwrap();
    }

    fn ask(&self, responder: &OcspResponder, request: &OcspRequest) -> OcspResponse {
        let answer = responder.answer(request.der(), &self.register, NOW, NOW + 10);
        OcspResponse::from_der(&answer).unwrap()
    }

    fn validate(&self, responses: &[OcspResponse], at: i64) -> &'static str {
        let anchors = TrustAnchors::from_certificates(vec![self.root.certificate().clone()]);
        let revocation = Revocation::new(RevocationMode::Required, Vec::new())
            .with_responses(responses.to_vec());
        Validator::admitting_all(anchors)
            .with_revocation(revocation)
            .verify(std::slice::from_ref(&self.leaf), Purpose::Signing, at, None)
            .map_or_else(|refusal| refusal.code(), |_| "")
    }
}

#[test]
fn good_and_then_revoked() {
    let mut world = world();
    let request = OcspRequest::with_nonce(&[world.id()], &[7; 32]).unwrap();
    for responder in [world.responder(), world.delegate(Profile::OcspResponder).unwrap()] {
        let response = world.ask(&responder, &request);
        assert_eq!(response.verify_for(&request, world.root.certificate()), Ok(()));
        let answer = response.find(&world.id()).unwrap();
        assert_eq!((answer.status, response.produced_at()), (CertificateStatus::Good, NOW));
        assert_eq!(world.validate(std::slice::from_ref(&response), NOW), "");
        assert_eq!(world.validate(&[response], NOW + 11), "PK-1603");
    }
    world.revoke(NOW - 5);
    let response = world.ask(&world.responder(), &request);
    let CertificateStatus::Revoked(revoked) = response.find(&world.id()).unwrap().status else {
        panic!("{response:?}");
    };
    assert_eq!((revoked.revoked_at, revoked.reason), (NOW - 5, RevocationReason::KeyCompromise));
    assert_eq!(world.validate(std::slice::from_ref(&response), NOW), "PK-1601");
    assert_eq!(world.validate(&[response], NOW - 6), "");
}

#[test]
fn requests_are_read_as_written() {
    let world = world();
    let other = CertificateId::new(
        crate::SerialNumber::from_bytes(&[9]).unwrap(),
        world.root.certificate(),
    );
    let plain = OcspRequest::new(&[world.id(), other]).unwrap();
    assert_eq!((plain.ids(), plain.nonce()), ([world.id(), other].as_slice(), None));
    let fresh = OcspRequest::with_nonce(&[other], &[7; 32]).unwrap();
    assert_eq!(OcspRequest::from_der(fresh.der()).unwrap().nonce(), Some([7; 32].as_slice()));
    assert_eq!(OcspRequest::new(&[]).unwrap_err().code(), "PK-2001");
    let many = vec![other; crate::OCSP_CERTIFICATES_MAX + 1];
    assert_eq!(OcspRequest::new(&many).unwrap_err().code(), "PK-2002");
    let mut parts = Request::from_der(plain.der()).unwrap();
    parts.tbs.list[0].id.algorithm.oid = "1.3.14.3.2.26".parse().unwrap();
    let refusal = OcspRequest::from_der(&parts.to_der().unwrap()).unwrap_err();
    assert_eq!(refusal.code(), "PK-2003");
    assert!(refusal.to_string().contains("SHA-1"), "{refusal}");
    let mut parts = Request::from_der(plain.der()).unwrap();
    parts.tbs.list[0].id.serial = Uint::new(&[0]).unwrap();
    assert_eq!(OcspRequest::from_der(&parts.to_der().unwrap()).unwrap_err().code(), "PK-2001");
}

#[test]
fn a_responder_answers_every_request() {
    let world = world();
    let (responder, stranger) = (world.responder(), root(2));
    let answer = |request: &[u8]| {
        OcspResponse::from_der(&responder.answer(request, &world.register, NOW, NOW + 1))
    };
    let failure = |expected| Err(OcspError::Failure(expected));
    assert_eq!(answer(b"nonsense"), failure(OcspFailure::MalformedRequest));
    let elsewhere = CertificateId::of(&world.leaf, stranger.certificate());
    let elsewhere = OcspRequest::new(&[world.id(), elsewhere]).unwrap();
    assert_eq!(answer(elsewhere.der()), failure(OcspFailure::Unauthorized));
    let unknown = crate::SerialNumber::from_bytes(&[9]).unwrap();
    let unknown = CertificateId::new(unknown, world.root.certificate());
    let twice = OcspRequest::new(&[unknown, world.id(), unknown]).unwrap();
    let found = answer(twice.der()).unwrap();
    assert_eq!(found.answers().len(), 2);
    assert_eq!(found.find(&unknown).unwrap().status, CertificateStatus::Unknown);
    assert_eq!(found.verify_for(&twice, world.root.certificate()), Ok(()));
    let request = OcspRequest::new(&[world.id()]).unwrap();
    let late = responder.answer(request.der(), &world.register, i64::MAX, i64::MAX);
    assert_eq!(OcspResponse::from_der(&late), failure(OcspFailure::InternalError));
}

#[test]
fn answers_to_other_questions_do_not_count() {
    let world = world();
    let responder = world.responder();
    let issuer = world.root.certificate();
    let request = |nonce| OcspRequest::with_nonce(&[world.id()], &[nonce; 32]).unwrap();
    let response = world.ask(&responder, &request(1));
    assert_eq!(response.verify_for(&request(1), issuer), Ok(()));
    assert_eq!(response.verify_for(&request(2), issuer), Err(OcspError::Nonce));
    let plain = OcspRequest::new(&[world.id()]).unwrap();
    assert_eq!(response.verify_for(&plain, issuer), Ok(()));
    assert_eq!(
        world.ask(&responder, &plain).verify_for(&request(1), issuer),
        Err(OcspError::Nonce)
    );
    let other = CertificateId::new(crate::SerialNumber::from_bytes(&[9]).unwrap(), issuer);
    let other = OcspRequest::new(&[other]).unwrap();
    assert_eq!(response.verify_for(&other, issuer), Err(OcspError::Unanswered));
}

#[test]
fn only_the_issuer_or_its_delegate_may_answer() {
    let world = world();
    for profile in [Profile::Signing, Profile::Client, Profile::TimeStampAuthority] {
        let refusal = world.delegate(profile).unwrap_err();
        assert_eq!(refusal.code(), "PK-2303", "{profile:?}");
    }
    let request = OcspRequest::new(&[world.id()]).unwrap();
    let stranger = World { root: root(2), ..self::world() };
    // The same name, another key: it signs, but not for this issuer.
    let foreign = OcspAnswer {
        id: world.id(),
        status: CertificateStatus::Good,
        this_update: NOW,
        next_update: Some(NOW + 10),
    };
    let foreign = stranger.responder().sign(&[foreign], NOW, None).unwrap();
    let issuer = world.root.certificate();
    assert_eq!(foreign.verify_for(&request, issuer), Err(OcspError::Responder));
    assert_eq!(world.validate(&[foreign], NOW), "PK-1604");

    // A delegate of somebody else, who lies in the response.
    let delegate = stranger.delegate(Profile::OcspResponder).unwrap();
    let good = OcspAnswer {
        id: world.id(),
        status: CertificateStatus::Good,
        this_update: NOW,
        next_update: None,
    };
    let foreign = delegate.sign(&[good], NOW, None).unwrap();
    assert_eq!(foreign.verify(issuer).unwrap_err().code(), "PK-2303");
    // A delegate whose certificate had ended.
    let delegate = world.delegate(Profile::OcspResponder).unwrap();
    let late = delegate.sign(&[good], VALIDITY.not_after + 1, None).unwrap();
    assert_eq!(late.verify(issuer).unwrap_err().code(), "PK-2303");
}

#[test]
fn fields_outside_their_rules_are_refused() {
    let world = world();
    let request = OcspRequest::new(&[world.id()]).unwrap();
    let response = world.ask(&world.responder(), &request);
    let forge = |edit: &dyn Fn(&mut BasicResponse)| {
        let mut outer = Response::from_der(response.der()).unwrap();
        let bytes = outer.bytes.as_mut().unwrap();
        let mut basic = BasicResponse::from_der(bytes.response.as_bytes()).unwrap();
        edit(&mut basic);
        let signature = world.root.signing_key().sign(&basic.tbs.to_der().unwrap()).to_der();
        basic.signature = BitString::from_bytes(&signature).unwrap();
        bytes.response = OctetString::new(basic.to_der().unwrap()).unwrap();
        OcspResponse::from_der(&outer.to_der().unwrap())
            .map_or_else(|refusal| refusal.code(), |_| "")
    };
    assert_eq!(forge(&|_| {}), "");
    assert_eq!(forge(&|basic| basic.tbs.responses.clear()), "PK-2001");
    assert_eq!(forge(&|basic| basic.tbs.responses.push(basic.tbs.responses[0].clone())), "PK-2001");
    assert_eq!(forge(&|basic| basic.tbs.version = 1), "PK-2001");
    let rsa_with_sm3 = "1.2.156.10197.1.504".parse().unwrap();
    assert_eq!(forge(&|basic| basic.algorithm.oid = rsa_with_sm3), "PK-2003");
    for failure in [
        OcspFailure::MalformedRequest,
        OcspFailure::InternalError,
        OcspFailure::TryLater,
        OcspFailure::SignatureRequired,
        OcspFailure::Unauthorized,
    ] {
        let refusal = OcspResponse::from_der(&failure.to_der()).unwrap_err();
        assert_eq!(refusal, OcspError::Failure(failure));
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = OcspRequest::from_der(&bytes);
        let _ = OcspResponse::from_der(&bytes);
    }

    #[test]
    fn any_flipped_bit_is_rejected(position in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let world = world();
        let request = OcspRequest::with_nonce(&[world.id()], &[7; 32]).unwrap();
        let delegate = world.delegate(Profile::OcspResponder).unwrap();
        let mut der = world.ask(&delegate, &request).der().to_vec();
        let index = position.index(der.len());
        der[index] ^= 1 << bit;
        let accepted = OcspResponse::from_der(&der)
            .is_ok_and(|altered| altered.verify_for(&request, world.root.certificate()).is_ok());
        prop_assert!(!accepted, "byte {index}");
    }
}
