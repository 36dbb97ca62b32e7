//! Certificates: what parsing, validating and looking up costs on one core.

use std::hint::black_box;
use std::time::Duration;

use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{OsRandom, sm3};
use smkit_pki::{
    Accuracy, Admission, Authority, Certificate, CmsSigner, Grant, Profile, Purpose, Revocation,
    RevocationList, RevocationListContent, RevocationMode, RevocationReason, RevokedCertificate,
    SerialNumber, SignedData, Subject, SubjectRule, TimeStampAuthority, TimeStampRequest,
    TrustAnchors, Validator, Validity,
};

use crate::report::Figure;
use crate::sampling::{median_rate, pin};
use crate::smkit_suite::Scale;

const NOW: i64 = 1_800_000_000;
const VALIDITY: Validity = Validity { not_before: NOW - 1_000, not_after: NOW + 1_000 };
/// Operations of one sample.
const BATCH: usize = 64;
/// Entries of the long revocation list.
const ENTRIES: u32 = 100_000;

pub(crate) fn run(scale: &Scale) {
    pin();
    let seconds = scale.seconds;
    let city = City::new();
    let repeat = |work: &dyn Fn()| median_rate(seconds, BATCH, || (0..BATCH).for_each(|_| work()));
    let leaf = city.leaf.certificate.der();
    print(
        "pki::parse/certificate",
        repeat(&|| {
            black_box(Certificate::from_der(leaf).expect("our own"));
        }),
    );

    // The yardstick: one verification under a key that is used often.
    let signature = city.leaf.key.sign(b"message");
    print(
        "pki::verify/known_key",
        repeat(&|| {
            city.leaf.key.verifying_key().verify(b"message", &signature).expect("our own");
        }),
    );
    for (name, chain, validator) in city.validations() {
        print(
            name,
            repeat(&|| {
                let verdict = validator.verify(&chain, Purpose::Signing, NOW, None);
                black_box(verdict.expect("a good chain"));
            }),
        );
    }
    lists(&city, seconds);

    let signer = CmsSigner {
        certificate: &city.leaf.certificate,
        key: &city.leaf.key,
        with_attributes: true,
        signing_time: Some(NOW),
    };
    let signed = SignedData::sign(b"content", true, &[signer], &[]).expect("our own");
    let trusting = city.validator();
    print(
        "pki::verify/signed_data",
        repeat(&|| {
            let signed = SignedData::from_der(signed.der()).expect("our own");
            black_box(signed.verify(None, &trusting, Purpose::Signing, NOW).expect("a good chain"));
        }),
    );
    let (authority, request) = city.time_stamping();
    let grant = Grant {
        serial: SerialNumber::from_bytes(&[1]).expect("not zero"),
        gen_time: Duration::from_secs(NOW.unsigned_abs()),
        accuracy: Accuracy::new(Duration::from_millis(5)),
    };
    print(
        "pki::grant/time_stamp",
        repeat(&|| {
            black_box(authority.grant(&request, grant).expect("our own"));
        }),
    );
    let granted = authority.grant(&request, grant).expect("our own");
    print(
        "pki::verify/time_stamp",
        repeat(&|| {
            let token = granted.token();
            black_box(token.verify_for(&request, &trusting, &[]).expect("a good chain"));
        }),
    );
}

fn lists(city: &City, seconds: f64) {
    let list = city.long_list();
    let der = list.der();
    print(
        "pki::parse/crl_100k_entries",
        median_rate(seconds, 1, || {
            black_box(RevocationList::from_der(der).expect("our own"));
        }),
    );
    let serial = list.entries()[list.entries().len() / 3].serial;
    print(
        "pki::lookup/crl_100k_entries",
        median_rate(seconds, BATCH, || {
            (0..BATCH).for_each(|_| assert!(black_box(list.find(black_box(&serial))).is_some()));
        }),
    );
}

struct Identity {
    certificate: Certificate,
    key: SigningKey,
}

struct City {
    root: Authority,
    middle: Authority,
    leaf: Identity,
}

impl City {
    fn new() -> Self {
        let root = Authority::create_root(&subject("root"), VALIDITY, &mut OsRandom);
        let root = root.expect("a root");
        let key = PrivateKey::generate(&mut OsRandom).expect("a key");
        let public = key.public_key();
        let middle = root
            .issue(&subject("ca"), public, Profile::IntermediateCa, VALIDITY, None, &mut OsRandom)
            .expect("an authority");
        let middle = Authority::new(middle, key).expect("its key");
        let leaf = identity(&root, Profile::Signing);
        Self { root, middle, leaf }
    }

    fn anchors(&self) -> TrustAnchors {
        TrustAnchors::from_certificates(vec![self.root.certificate().clone()])
    }

    fn validator(&self) -> Validator {
        let rule: SubjectRule = "OU=NDRC,O=CCG".parse().expect("a rule");
        let city = Admission::under(self.root.certificate().sm3()).with_subject(rule);
        Validator::new(self.anchors(), vec![city])
    }

    fn validations(&self) -> Vec<(&'static str, Vec<Certificate>, Validator)> {
        let below = identity(&self.middle, Profile::Signing).certificate;
        let chain = vec![below, self.middle.certificate().clone()];
        let known = self.validator().with_intermediates(vec![self.middle.certificate().clone()]);
        let lists = vec![self.long_list()];
        let strict =
            self.validator().with_revocation(Revocation::new(RevocationMode::Required, lists));
        let leaf = vec![self.leaf.certificate.clone()];
        vec![
            ("pki::validate/leaf_root", leaf.clone(), self.validator()),
            ("pki::validate/leaf_root_crl_100k_entries", leaf, strict),
            ("pki::validate/leaf_known_ca_root", chain, known),
        ]
    }

    fn long_list(&self) -> RevocationList {
        let revoked: Vec<_> = (1..=ENTRIES)
            .map(|number| RevokedCertificate {
                serial: SerialNumber::from_bytes(&sm3(&number.to_be_bytes()).as_bytes()[..16])
                    .expect("not zero"),
                revoked_at: NOW,
                reason: RevocationReason::Superseded,
                invalid_since: None,
            })
            .collect();
        self.root
            .revocation_list(&RevocationListContent {
                number: SerialNumber::from_bytes(&[1]).expect("not zero"),
                this_update: NOW - 1,
                next_update: NOW + 1,
                keeps_expired_since: Some(0),
                revoked: &revoked,
            })
            .expect("a list")
    }

    fn time_stamping(&self) -> (TimeStampAuthority, TimeStampRequest) {
        let tsa = identity(&self.root, Profile::TimeStampAuthority);
        let authority = TimeStampAuthority::new(tsa.certificate, tsa.key, "1.2.3.4", Vec::new());
        let request = TimeStampRequest::new(&sm3(b"content"), &[7; 16], None);
        (authority.expect("a TSA"), request.expect("a request"))
    }
}

fn identity(by: &Authority, profile: Profile) -> Identity {
    let private = PrivateKey::generate(&mut OsRandom).expect("a key");
    let public = private.public_key();
    let certificate = by
        .issue(&subject("leaf"), public, profile, VALIDITY, None, &mut OsRandom)
        .expect("a certificate");
    Identity { certificate, key: SigningKey::new(private, SignerId::DEFAULT).expect("default ID") }
}

fn subject(common_name: &str) -> Subject {
    Subject {
        organisation: "CCG".into(),
        organisational_units: vec!["NDRC".into()],
        common_name: common_name.into(),
        ..Subject::default()
    }
}

fn print(name: &str, per_second: f64) {
    let conditions = "one core, CPU path: fastest";
    Figure { name, value: per_second, unit: "1/s", peer: None, conditions }.print_in("pki");
}
