//! A small public-key infrastructure from fixed keys, for the targets of `smkit-pki` and their seeds.

use std::sync::LazyLock;
use std::time::Duration;

use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::sm3;
use smkit_pki::{
    Accuracy, AlternativeNames, Authority, Certificate, CertificateId, CertificationRequest,
    CertificationResponse, CmsSigner, EnvelopedData, Grant, OcspRequest, OcspResponder, Profile,
    Register, RevocationReason, RevokedCertificate, SerialNumber, SignedData, Subject,
    TimeStampAuthority, TimeStampRequest, TrustAnchors, Validator, Validity,
};

use crate::Seeded;

/// When everything was made.
pub const NOW: i64 = 1_800_000_000;
/// What is signed, sealed and stamped.
pub const CONTENT: &[u8] = b"content";
const VALIDITY: Validity = Validity { not_before: NOW - 1000, not_after: NOW + 1000 };
const POLICY: &str = "1.2.3.4";

fn subject(name: &str) -> Subject {
    Subject { common_name: name.to_owned(), ..Subject::default() }
}

fn private(number: u8) -> PrivateKey {
    PrivateKey::from_bytes(&[number; 32]).expect("a number in range")
}

fn signing(number: u8) -> SigningKey {
    SigningKey::new(private(number), SignerId::DEFAULT).expect("a short id")
}

fn issue(number: u8, profile: Profile) -> Certificate {
    let (subject, random) = (subject("x"), &mut Seeded(u64::from(number) << 32));
    let key = private(number);
    let issued = root().issue(&subject, key.public_key(), profile, VALIDITY, None, random);
    issued.expect("a profile without hosts")
}

/// The root of everything here.
pub fn root() -> &'static Authority {
    static ROOT: LazyLock<Authority> = LazyLock::new(|| {
        Authority::create_root(&subject("r"), VALIDITY, &mut Seeded(1)).expect("a fixed source")
    });
    &ROOT
}

/// A validator that trusts the root.
pub fn validator() -> &'static Validator {
    static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
        let anchors = TrustAnchors::from_certificates(vec![root().certificate().clone()]);
        Validator::admitting_all(anchors)
    });
    &VALIDATOR
}

/// The signer of messages.
pub fn signer() -> (Certificate, SigningKey) {
    (issue(2, Profile::Signing), signing(2))
}

/// The recipient of envelopes.
pub fn recipient() -> &'static (Certificate, PrivateKey) {
    static RECIPIENT: LazyLock<(Certificate, PrivateKey)> =
        LazyLock::new(|| (issue(3, Profile::Encryption), private(3)));
    &RECIPIENT
}

/// The root as its own responder.
pub fn responder() -> OcspResponder {
    let issuer = root().certificate().clone();
    let key = SigningKey::new(root().key().clone(), SignerId::DEFAULT).expect("a short id");
    OcspResponder::new(issuer.clone(), issuer, key).expect("the issuer itself")
}

/// An authority for time stamps.
pub fn time_stamp_authority() -> &'static TimeStampAuthority {
    static AUTHORITY: LazyLock<TimeStampAuthority> = LazyLock::new(|| {
        let certificate = issue(4, Profile::TimeStampAuthority);
        TimeStampAuthority::new(certificate, signing(4), POLICY, Vec::new())
            .expect("the right profile")
    });
    &AUTHORITY
}

/// What every token states.
pub fn grant() -> Grant {
    Grant {
        serial: SerialNumber::from_bytes(&[5]).expect("not zero"),
        gen_time: Duration::new(NOW.unsigned_abs(), 120_000_000),
        accuracy: Accuracy::new(Duration::from_micros(8_250)),
    }
}

/// A request and a response about the signer's certificate, which is revoked.
fn register() -> Register {
    let certificate = signer().0;
    let mut register = Register::new();
    register.record(&certificate).expect("the first");
    let revocation = RevokedCertificate {
        serial: certificate.serial(),
        revoked_at: NOW,
        reason: RevocationReason::KeyCompromise,
        invalid_since: Some(NOW - 5),
    };
    register.revoke(revocation).expect("issued");
    register
}

fn ocsp_request() -> OcspRequest {
    let id = CertificateId::of(&signer().0, root().certificate());
    OcspRequest::with_nonce(&[id], &[7; 32]).expect("one certificate")
}

/// OCSP responses of the root and of a delegate.
pub fn ocsp_seeds() -> Vec<(&'static str, Vec<u8>)> {
    let certificate = issue(6, Profile::OcspResponder);
    let delegate = OcspResponder::new(root().certificate().clone(), certificate, signing(6));
    let delegate = delegate.expect("the right profile");
    let answer = |responder: &OcspResponder| {
        responder.answer(ocsp_request().der(), &register(), NOW, NOW + 10)
    };
    vec![("root", answer(&responder())), ("delegate", answer(&delegate))]
}

/// Every seed: target, name, bytes.
pub fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let (certificate, key) = signer();
    let list = register().revocation_list(root(), NOW, NOW + 10).expect("in range");
    let hosts = AlternativeNames::parse(["a.b", "::1"]).expect("names");
    let name = (&subject("请求者")).try_into().expect("a name");
    let request = CertificationRequest::create(&name, &key, &hosts).expect("our key");
    let (encryption, encryption_key) = recipient();
    let response = CertificationResponse::pair(
        &certificate,
        encryption,
        encryption_key,
        &[],
        &mut Seeded(7 << 32),
    );
    let signed = |attached, with_attributes| {
        let signing_time = Some(NOW).filter(|_| with_attributes);
        let signer =
            CmsSigner { certificate: &certificate, key: &key, with_attributes, signing_time };
        let signed = SignedData::sign(CONTENT, attached, &[signer], &[]).expect("our key");
        signed.der().to_vec()
    };
    let sealed = EnvelopedData::seal(CONTENT, &[encryption.clone()], &mut Seeded(8 << 32));
    let stamp = TimeStampRequest::new(&sm3(CONTENT), &[9; 16], Some(POLICY)).expect("a policy");
    let granted = time_stamp_authority().grant(&stamp, grant()).expect("our policy");
    let mut seeds = vec![
        ("crl", "one", list.der().to_vec()),
        ("csr", "hosts", request.der().to_vec()),
        ("csr_response", "pair", response.expect("a fixed source").der().to_vec()),
        ("ocsp_request", "nonce", ocsp_request().der().to_vec()),
        ("cms", "attached", signed(true, false)),
        ("cms", "attributes", signed(false, true)),
        ("cms", "enveloped", sealed.expect("a fixed source").der().to_vec()),
        ("timestamp_request", "policy", stamp.der().to_vec()),
        ("timestamp_response", "granted", granted.der().to_vec()),
    ];
    let responses = ocsp_seeds().into_iter();
    seeds.extend(responses.map(|(name, bytes)| ("ocsp_response", name, bytes)));
    seeds
}
