//! A small city for tests: an authority and one below it, who issue to servers and clients; and how long it is now.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use smkit::{OsRandom, sm2::PrivateKey};
use smkit_pki::{
    Admission, AlternativeNames, Authority, Certificate, Profile, Subject, Terms, TrustAnchors,
    Validator, Validity,
};
use smkit_tls::peer::{PathVerifier, PeerAlert, PeerRefusal, PeerRole, PeerVerifier};

/// The moment at which all tests happen.
pub(crate) const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
/// Other programs look at the clock on the wall, so an authority's certificate covers that too.
pub(crate) const LONG_AGO: i64 = 1_600_000_000;
const VALID: Validity = Validity { not_before: LONG_AGO, not_after: NOW + 3650 * DAY };

/// Gives [`NOW`], or whatever a test sets.
#[derive(Debug)]
pub(crate) struct TestTime(Mutex<i64>);

impl TestTime {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(NOW)))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        *self.0.lock().unwrap() += seconds;
    }
}

impl TimeProvider for TestTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(*self.0.lock().unwrap()).unwrap();
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)))
    }
}

/// A certificate with its key and the chain to send, and the encryption certificate of the pair.
#[derive(Clone)]
pub(crate) struct Holder {
    pub(crate) chain: Vec<Certificate>,
    pub(crate) key: PrivateKey,
    pub(crate) encryption: (Certificate, PrivateKey),
}

impl Holder {
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }
}

/// What to issue; [`Wanted::server`] and [`Wanted::client`] are right, everything else is for refusals.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) common_name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) hosts: Vec<&'static str>,
    pub(crate) profile: Profile,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
}

impl Wanted {
    pub(crate) fn server() -> Self {
        Self {
            common_name: "node.example",
            unit: "NDRC",
            hosts: vec!["localhost", "node.example"],
            profile: Profile::Server,
            not_before: NOW - DAY,
            not_after: NOW + 365 * DAY,
        }
    }

    pub(crate) fn client() -> Self {
        let (common_name, profile) = ("clerk", Profile::Client);
        Self { common_name, profile, hosts: Vec::new(), ..Self::server() }
    }
}

/// A root, and an authority below it.
pub(crate) struct TestCa {
    root: Authority,
    below: Authority,
}

impl TestCa {
    pub(crate) fn new() -> Self {
        let subject = |name: &str| subject(name, "CA");
        let root = Authority::create_root(&subject("Example Root"), VALID, &mut OsRandom).unwrap();
        let key = PrivateKey::generate(&mut OsRandom).unwrap();
        let (public, profile) = (key.public_key(), Profile::IntermediateCa);
        let name = subject("Example TLS CA");
        let below = root.issue(&name, public, profile, VALID, None, &mut OsRandom).unwrap();
        Self { root, below: Authority::new(below, key).unwrap() }
    }

    pub(crate) fn root(&self) -> &Certificate {
        self.root.certificate()
    }

    /// Issued by the root itself: the chain is one certificate.
    pub(crate) fn issue(&self, wanted: &Wanted) -> Holder {
        issue(&self.root, wanted, Vec::new())
    }

    /// Issued by the authority below, whose certificate is sent along.
    pub(crate) fn issue_below(&self, wanted: &Wanted) -> Holder {
        issue(&self.below, wanted, vec![self.below.certificate().clone()])
    }

    pub(crate) fn server(&self) -> Holder {
        self.issue(&Wanted::server())
    }

    pub(crate) fn client(&self) -> Holder {
        self.issue(&Wanted::client())
    }

    /// Admits what this root vouches for, in one unit.
    pub(crate) fn verifier(&self) -> Arc<TestVerifier> {
        let rule = "OU=NDRC,O=CCG".parse().unwrap();
        let admission = Admission::under(self.root().sm3()).with_subject(rule);
        let anchors = TrustAnchors::from_certificates(vec![self.root().clone()]);
        let paths = PathVerifier::of(Validator::new(anchors, vec![admission]));
        Arc::new(TestVerifier { paths, revoked: AtomicBool::new(false) })
    }
}

/// Path validation, and a switch that revokes everybody.
#[derive(Debug)]
pub(crate) struct TestVerifier {
    paths: PathVerifier,
    revoked: AtomicBool,
}

impl TestVerifier {
    pub(crate) fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
    }

    fn ask(&self, paths: Result<(), PeerRefusal>) -> Result<(), PeerRefusal> {
        if self.revoked.load(Ordering::Relaxed) {
            let (code, reason) = ("PK-1601", "revoked by the test".to_owned());
            return Err(PeerRefusal { code, reason, alert: PeerAlert::CertificateRevoked });
        }
        paths
    }
}

impl PeerVerifier for TestVerifier {
    fn verify(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        self.ask(self.paths.verify(chain, role, at_unix_seconds))
    }

    fn verify_encryption(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        self.ask(self.paths.verify_encryption(chain, role, at_unix_seconds))
    }
}

fn subject(common_name: &str, unit: &str) -> Subject {
    Subject {
        common_name: common_name.to_owned(),
        organisation: "CCG".to_owned(),
        organisational_units: vec![unit.to_owned()],
        ..Subject::default()
    }
}

fn issue(by: &Authority, wanted: &Wanted, above: Vec<Certificate>) -> Holder {
    let [key, encryption_key] = [(); 2].map(|()| PrivateKey::generate(&mut OsRandom).unwrap());
    let validity = Validity { not_before: wanted.not_before, not_after: wanted.not_after };
    let subject = (&subject(wanted.common_name, wanted.unit)).try_into().unwrap();
    let terms = Terms {
        hosts: AlternativeNames::parse(wanted.hosts.iter().copied()).unwrap_or_default(),
        ..Terms::new(subject, key.public_key(), wanted.profile, validity)
    };
    let pair = by.issue_pair(&terms, encryption_key.public_key(), &mut OsRandom);
    let (signing, encryption) = pair.unwrap();
    let chain = std::iter::once(signing).chain(above).collect();
    Holder { chain, key, encryption: (encryption, encryption_key) }
}
