#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use der::{
    Decode, Encode,
    asn1::{Any, BitString, Ia5String, ObjectIdentifier, OctetString, UtcTime},
};
use proptest::prelude::*;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};

use super::*;
use crate::{
    Authority, Certificate, Grant, Profile, Revocation, RevocationMode, SerialNumber,
    TimeStampAuthority, TimeStampRequest, TimeStampToken, TrustAnchors, Validator,
    testing::{Counter, NOW, VALIDITY, root, subject},
};

const DATA: &[u8] = b"<ofd:Signature/>";
const PROPERTY: &str = "/Doc_0/Signs/Sign_0/Signature.xml";

struct Party {
    certificate: Certificate,
    key: SigningKey,
}

fn party(by: &Authority, seed: u64, profile: Profile) -> Party {
    let random = &mut Counter((seed + 500) << 32);
    let private = PrivateKey::generate(random).unwrap();
    let name = subject(&format!("party {seed}"));
    let certificate =
        by.issue(&name, private.public_key(), profile, VALIDITY, None, random).unwrap();
    Party { certificate, key: SigningKey::new(private, SignerId::DEFAULT).unwrap() }
}

struct World {
    root: Authority,
    maker: Party,
    signer: Party,
}

impl World {
    fn new() -> Self {
        let root = root(1);
        let (maker, signer) = (party(&root, 1, Profile::Seal), party(&root, 2, Profile::Seal));
        Self { root, maker, signer }
    }

    fn terms(&self, version: SealVersion) -> SealTerms<'static> {
        SealTerms {
            version,
            id: "22010400000001",
            vendor: "Changbai",
            sealed_as: SealedAs::Organisation,
            name: "长春市存证专用章",
            signers: SealSigners::Certificates(vec![self.signer.certificate.clone()]),
            created: NOW - 500,
            valid_from: NOW - 500,
            valid_to: NOW + 500,
            picture: SealPicture {
                kind: "PNG".into(),
                data: vec![7; 200],
                width_mm: 40,
                height_mm: 40,
            },
        }
    }

    fn seal(&self, version: SealVersion) -> Seal {
        Seal::make(&self.terms(version), &self.maker.certificate, &self.maker.key).unwrap()
    }

    fn sign(&self, seal: &Seal) -> SealSignature {
        SealSignature::sign(self.signing(seal)).unwrap()
    }

    fn signing<'a>(&'a self, seal: &'a Seal) -> SealSigning<'a> {
        SealSigning {
            seal,
            certificate: &self.signer.certificate,
            key: &self.signer.key,
            at: NOW,
            data: DATA,
            property: PROPERTY,
        }
    }

    fn validator(&self) -> Validator {
        let anchors = TrustAnchors::from_certificates(vec![self.root.certificate().clone()]);
        Validator::admitting_all(anchors)
    }

    fn token(&self, imprint: smkit::Sm3Digest, at: i64) -> TimeStampToken {
        let tsa = party(&self.root, 3, Profile::TimeStampAuthority);
        let tsa = TimeStampAuthority::new(tsa.certificate, tsa.key, "1.2.3.4", vec![]).unwrap();
        let request = TimeStampRequest::new(&imprint, &[9; 16], None).unwrap();
        let grant = Grant {
            serial: SerialNumber::from_bytes(&[1]).unwrap(),
            gen_time: Duration::from_secs(at.unsigned_abs()),
            accuracy: None,
        };
        tsa.grant(&request, grant).unwrap().token().clone()
    }

    fn verify(&self, signature: &SealSignature) -> Result<VerifiedSealSignature, SealError> {
        verify(signature, &self.validator(), NOW + 100)
    }
}

fn verify(
    signature: &SealSignature,
    validator: &Validator,
    now: i64,
) -> Result<VerifiedSealSignature, SealError> {
    let policy = SealPolicy { seals: validator, time_stamps: validator, now_unix_seconds: now };
    signature.verify(DATA, &policy)
}

fn code<T>(result: Result<T, SealError>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "")
}

#[test]
fn what_is_made_is_read_and_verified() {
    let world = World::new();
    for version in [SealVersion::V4, SealVersion::V5] {
        let seal = world.seal(version);
        assert_eq!(seal, world.seal(version), "deterministic");
        assert_eq!(
            (seal.version(), seal.id(), seal.vendor()),
            (version, "22010400000001", "Changbai")
        );
        assert_eq!((seal.name(), seal.sealed_as()), ("长春市存证专用章", SealedAs::Organisation));
        assert_eq!((seal.valid_from(), seal.valid_to()), (NOW - 500, NOW + 500));
        assert_eq!(seal.picture(), &world.terms(version).picture);
        let signature = world.sign(&seal);
        assert_eq!((signature.signed_at(), signature.property()), (NOW, PROPERTY));
        assert_eq!(signature.seal(), &seal);
        let verified = world.verify(&signature).unwrap();
        assert_eq!(verified.signer.leaf(), Some(&world.signer.certificate));
        assert_eq!(verified.seal.maker.leaf(), Some(&world.maker.certificate));
        assert!(verified.time_stamp.is_none() && verified.seal.time_stamp.is_none());
    }
    let mut by_digest = world.terms(SealVersion::V4);
    by_digest.signers = SealSigners::Digests(vec![world.signer.certificate.sm3()]);
    let seal = Seal::make(&by_digest, &world.maker.certificate, &world.maker.key).unwrap();
    assert_eq!(seal.signers(), &by_digest.signers);
    assert_eq!(code(world.verify(&world.sign(&seal))), "");
}

#[test]
fn the_seal_that_another_implementation_made_is_read_and_its_signatures_are_right() {
    let vector: serde_json::Value =
        serde_json::from_str(include_str!("../../testdata/ses_v4_sample.json")).unwrap();
    let bytes = |field: &str| hex::decode(vector[field].as_str().unwrap()).unwrap();
    let seal = Seal::from_der(&bytes("seal_esl_der")).unwrap();
    assert_eq!(
        (seal.version(), seal.name()),
        (SealVersion::V4, "长春市政务区块链存证专用章(测试)")
    );
    seal.verify_signature().unwrap();
    let signature = SealSignature::from_der(&bytes("signed_value_der")).unwrap();
    assert_eq!(signature.seal(), &seal);
    assert_eq!(signature.property(), PROPERTY);
    signature.verify_signature().unwrap();
    let xml = bytes("signature_xml_hex");
    signature.verify_data(&xml).unwrap();
    assert_eq!(code(signature.verify_data(&xml[1..])), "PK-2616");
    assert!(seal.is_for(signature.signer()) && !seal.is_for(seal.maker()));
}

#[test]
fn each_step_has_its_own_code() {
    let world = World::new();
    let seal = world.seal(SealVersion::V4);
    let good = world.sign(&seal);
    let validator = world.validator();
    assert_eq!(code(verify(&good, &validator, NOW - 301)), "PK-2614");
    let stranger = root(2);
    let other = TrustAnchors::from_certificates(vec![stranger.certificate().clone()]);
    assert_eq!(code(verify(&good, &Validator::admitting_all(other), NOW)), "PK-2613");
    let policy =
        SealPolicy { seals: &validator, time_stamps: &validator, now_unix_seconds: NOW + 1 };
    assert_eq!(code(good.verify(b"something else", &policy)), "PK-2616");
    assert_eq!(code(seal.verify(&policy, NOW + 501)), "PK-2604");
    assert_eq!(code(seal.verify(&policy, NOW - 501)), "PK-2604");
    assert_eq!(code(seal.verify(&policy, NOW + 2_000)), "PK-2603");

    let forged = forge(&good, |parts| parts.to_sign.property = Ia5String::new("/x").unwrap());
    assert_eq!(code(world.verify(&forged)), "PK-2611");
    // Signed by the right key, but over a seal that its maker did not sign.
    let resigned = |edit: &dyn Fn(&mut asn1::Signature)| {
        forge(&good, |parts| {
            edit(parts);
            resign(parts, &world.signer.key);
        })
    };
    let widened = resigned(&|parts| {
        parts.to_sign.seal.info.id = Ia5String::new("22010400000002").unwrap();
    });
    assert_eq!(code(world.verify(&widened)), "PK-2601");
    let outside = resigned(&|parts| {
        let late = Duration::from_secs((NOW + 600).unsigned_abs());
        parts.to_sign.time = crate::timestamp::GenTime::new(late).unwrap();
    });
    assert_eq!(code(verify(&outside, &validator, NOW + 700)), "PK-2604");
    let unlisted = forge(&good, |parts| {
        parts.certificate = OctetString::new(world.maker.certificate.der()).unwrap();
        resign(parts, &world.maker.key);
    });
    assert_eq!(code(world.verify(&unlisted)), "PK-2612");
}

#[test]
fn a_maker_of_another_authority_is_refused() {
    let world = World::new();
    let maker = party(&root(2), 9, Profile::Seal);
    let seal = Seal::make(&world.terms(SealVersion::V4), &maker.certificate, &maker.key).unwrap();
    let refusal = world.verify(&world.sign(&seal)).unwrap_err();
    assert_eq!(refusal.code(), "PK-2603");
    assert_eq!(refusal.path().unwrap().code(), "PK-1101");
}

#[test]
fn a_revoked_maker_is_fatal_in_version_4_and_noted_in_version_5() {
    let world = World::new();
    let mut register = crate::Register::new();
    register.record(&world.maker.certificate).unwrap();
    let revoked = crate::RevokedCertificate {
        serial: world.maker.certificate.serial(),
        revoked_at: NOW - 100,
        reason: crate::RevocationReason::KeyCompromise,
        invalid_since: None,
    };
    register.revoke(revoked).unwrap();
    let list = register.revocation_list(&world.root, NOW - 50, NOW + 5_000).unwrap();
    let revocation = Revocation::new(RevocationMode::IfAvailable, vec![list]);
    let validator = world.validator().with_revocation(revocation);
    let v4 = world.sign(&world.seal(SealVersion::V4));
    assert_eq!(code(verify(&v4, &validator, NOW)), "PK-2603");
    let v5 = world.sign(&world.seal(SealVersion::V5));
    let verified = verify(&v5, &validator, NOW).unwrap();
    assert_eq!(verified.seal.maker_lapsed.unwrap().code(), "PK-1601");
}

#[test]
fn time_stamps_are_over_the_signature_and_not_before_it() {
    let world = World::new();
    let signature = world.sign(&world.seal(SealVersion::V4));
    let token = world.token(signature.imprint(), NOW + 5);
    let stamped = signature.with_time_stamp(&token).unwrap();
    assert_eq!(stamped.time_stamp(), Some(&token));
    let verified = world.verify(&stamped).unwrap();
    assert_eq!(verified.time_stamp.unwrap().gen_time.as_secs(), (NOW + 5).unsigned_abs());
    let foreign = world.token(smkit::sm3(b"x"), NOW + 5);
    assert_eq!(code(signature.with_time_stamp(&foreign)), "PK-2615");
    for wrong in [NOW - 301, NOW + 401] {
        let token = world.token(signature.imprint(), wrong);
        assert_eq!(code(world.verify(&signature.with_time_stamp(&token).unwrap())), "PK-2615");
    }
    // Put there by hand.
    let planted = forge(&signature, |parts| {
        parts.time_stamp = Some(BitString::from_bytes(foreign.der()).unwrap());
    });
    assert_eq!(code(world.verify(&planted)), "PK-2615");

    let seal = world.seal(SealVersion::V5);
    let stamped = seal.with_time_stamp(&world.token(seal.imprint(), NOW - 400)).unwrap();
    let verified = world.verify(&world.sign(&stamped)).unwrap();
    assert!(verified.seal.time_stamp.is_some());
    let early = seal.with_time_stamp(&world.token(seal.imprint(), NOW - 600)).unwrap();
    assert_eq!(code(world.verify(&world.sign(&early))), "PK-2605");
    let v4 = world.seal(SealVersion::V4);
    assert_eq!(code(v4.with_time_stamp(&world.token(v4.imprint(), NOW))), "PK-2001");
}

#[test]
fn what_cannot_be_signed_is_not() {
    let world = World::new();
    let make = |edit: &dyn Fn(&mut SealTerms<'static>), party: &Party, key: &SigningKey| {
        let mut terms = world.terms(SealVersion::V4);
        edit(&mut terms);
        code(Seal::make(&terms, &party.certificate, key))
    };
    let maker = &world.maker;
    assert_eq!(make(&|_| {}, maker, &world.signer.key), "PK-2617");
    let client = party(&world.root, 4, Profile::TimeStampAuthority);
    assert_eq!(make(&|_| {}, &client, &client.key), "PK-2617");
    assert_eq!(make(&|terms| terms.version = SealVersion::V1, maker, &maker.key), "PK-2001");
    assert_eq!(make(&|terms| terms.valid_to = terms.valid_from - 1, maker, &maker.key), "PK-2001");
    assert_eq!(make(&|terms| terms.id = "章", maker, &maker.key), "PK-2001");
    assert_eq!(
        make(&|terms| terms.signers = SealSigners::Digests(vec![]), maker, &maker.key),
        "PK-2001"
    );
    assert_eq!(make(&|terms| terms.picture.width_mm = 0, maker, &maker.key), "PK-2001");
    let late = |terms: &mut SealTerms<'static>| {
        terms.version = SealVersion::V5;
        terms.created = NOW + 5_000;
    };
    assert_eq!(make(&late, maker, &maker.key), "PK-2602");

    let seal = world.seal(SealVersion::V4);
    let sign = |edit: &dyn Fn(&mut SealSigning<'_>)| {
        let mut signing = world.signing(&seal);
        edit(&mut signing);
        code(SealSignature::sign(signing))
    };
    assert_eq!(sign(&|signing| signing.at = NOW + 501), "PK-2604");
    assert_eq!(sign(&|signing| signing.property = "签"), "PK-2001");
    let crossed = SealSigning { key: &maker.key, ..world.signing(&seal) };
    assert_eq!(code(SealSignature::sign(crossed)), "PK-2617");
    let unlisted =
        SealSigning { certificate: &maker.certificate, key: &maker.key, ..world.signing(&seal) };
    assert_eq!(code(SealSignature::sign(unlisted)), "PK-2612");
}

#[test]
fn forms_met_in_the_field_are_read_and_others_refused() {
    let world = World::new();
    let seal = world.seal(SealVersion::V4);
    let read = |edit: &dyn Fn(&mut asn1::Seal)| {
        let mut parts = asn1::Seal::from_der(seal.der()).unwrap();
        edit(&mut parts);
        parts.signature = signature_over(&parts.info.to_der().unwrap(), &world.maker.key);
        Seal::from_der(&parts.to_der().unwrap())
            .map_err(SealError::Form)
            .and_then(|seal| seal.verify_signature())
    };
    let extension = |critical| {
        let id = ObjectIdentifier::new_unwrap("1.2.3.4");
        let value = OctetString::new(b"x".as_slice()).unwrap();
        Some(vec![asn1::Extension { id, critical, value }])
    };
    assert_eq!(code(read(&|_| {})), "");
    assert_eq!(code(read(&|parts| parts.info.extensions = extension(None))), "");
    assert_eq!(code(read(&|parts| parts.info.extensions = extension(Some(false)))), "");
    assert_eq!(code(read(&|parts| parts.info.tagged_extensions = extension(None))), "");
    assert_eq!(code(read(&|parts| parts.info.extensions = extension(Some(true)))), "PK-2001");
    assert_eq!(
        code(read(&|parts| {
            parts.info.extensions = extension(None);
            parts.info.tagged_extensions = extension(None);
        })),
        "PK-2001"
    );
    assert_eq!(code(read(&|parts| parts.info.property.kind = 3)), "");
    assert_eq!(code(read(&|parts| parts.info.property.list_kind = 3)), "PK-2001");
    assert_eq!(code(read(&|parts| parts.info.property.list_kind = 2)), "PK-2001");
    assert_eq!(code(read(&|parts| parts.info.property.list = Any::null())), "PK-2001");
    assert_eq!(code(read(&|parts| parts.info.head.version = 3)), "PK-2001");
    assert_eq!(code(read(&|parts| parts.info.head.id = Ia5String::new("EX").unwrap())), "PK-2001");
    let rsa = ObjectIdentifier::new_unwrap("1.2.156.10197.1.504");
    assert_eq!(code(read(&|parts| parts.algorithm = rsa)), "PK-2003");
}

#[test]
fn version_1_is_read() {
    let world = World::new();
    let at = |seconds: i64| {
        UtcTime::from_unix_duration(Duration::from_secs(seconds.unsigned_abs())).unwrap()
    };
    let v4 = asn1::Seal::from_der(world.seal(SealVersion::V4).der()).unwrap();
    let mut head = v4.info.head;
    head.version = 1;
    let info = asn1::InfoV1 {
        head,
        id: v4.info.id,
        property: asn1::PropertyV1 {
            kind: 1,
            name: "旧章".into(),
            list: vec![OctetString::new(world.signer.certificate.der()).unwrap()],
            created: at(NOW - 500),
            valid_from: at(NOW - 500),
            valid_to: at(NOW + 500),
        },
        picture: v4.info.picture,
        extensions: None,
        tagged_extensions: None,
    };
    let signed = asn1::SignedV1 { info, certificate: v4.certificate, algorithm: v4.algorithm };
    let signature = signature_over(&signed.to_der().unwrap(), &world.maker.key);
    let asn1::SignedV1 { info, certificate, algorithm } = signed;
    let seal = asn1::SealV1 { info, sign: asn1::SignInfoV1 { certificate, algorithm, signature } };
    let read = Seal::from_der(&seal.to_der().unwrap()).unwrap();
    assert_eq!((read.version(), read.name()), (SealVersion::V1, "旧章"));
    read.verify_signature().unwrap();

    let sign = |time: &[u8]| {
        let to_sign = asn1::ToSignV1 {
            version: 1,
            seal: seal.clone(),
            time: BitString::from_bytes(time).unwrap(),
            data_hash: BitString::from_bytes(smkit::sm3(DATA).as_bytes()).unwrap(),
            property: Ia5String::new(PROPERTY).unwrap(),
            certificate: OctetString::new(world.signer.certificate.der()).unwrap(),
            algorithm,
        };
        let signature = signature_over(&to_sign.to_der().unwrap(), &world.signer.key);
        asn1::SignatureV1 { to_sign, signature }.to_der().unwrap()
    };
    let signature = SealSignature::from_der(&sign(&at(NOW).to_der().unwrap())).unwrap();
    assert_eq!(signature.signed_at(), NOW);
    assert_eq!(code(world.verify(&signature)), "");
    let token = world.token(smkit::sm3(b"whatever"), NOW + 3);
    let stamped = SealSignature::from_der(&sign(token.der())).unwrap();
    assert_eq!(stamped.signed_at(), NOW + 3);
    assert!(SealSignature::from_der(&sign(b"yesterday")).is_err());
    // Nobody adds to an old signature.
    let token = world.token(signature.imprint(), NOW);
    assert_eq!(code(signature.with_time_stamp(&token)), "PK-2001");
}

fn signature_over(message: &[u8], key: &SigningKey) -> BitString {
    BitString::from_bytes(&key.sign(message).to_der()).unwrap()
}

fn resign(parts: &mut asn1::Signature, key: &SigningKey) {
    parts.signature = signature_over(&parts.to_sign.to_der().unwrap(), key);
}

fn forge(signature: &SealSignature, edit: impl FnOnce(&mut asn1::Signature)) -> SealSignature {
    let mut parts = asn1::Signature::from_der(signature.der()).unwrap();
    edit(&mut parts);
    SealSignature::from_der(&parts.to_der().unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_flipped_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let world = World::new();
        let signature = world.sign(&world.seal(SealVersion::V4));
        let stamped = signature.with_time_stamp(&world.token(signature.imprint(), NOW)).unwrap();
        let mut der = stamped.der().to_vec();
        let at = at.index(der.len());
        der[at] ^= 1 << bit;
        let refused = match SealSignature::from_der(&der) {
            Err(_) => true,
            // Extra certificates inside a token are not covered by anything; what they vouch for is.
            Ok(read) => world.verify(&read).is_err(),
        };
        prop_assert!(refused, "byte {at}");
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = (Seal::from_der(&bytes), SealSignature::from_der(&bytes));
    }
}
