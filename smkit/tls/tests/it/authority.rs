//! A small certificate authority for tests, and a verifier that knows what it issued.
//!
//! Certificates carry subject alternative names and extended key usages for those who read them; the verifier looks both
//! up in what was issued.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use smkit::{
    OsRandom, Random, Sm3Digest,
    sm2::{PrivateKey, PublicKey, SignerId, SigningKey},
};
use smkit_pki::Certificate;
use smkit_tls::peer::{PeerAlert, PeerRefusal, PeerRole, PeerVerifier};

/// The moment at which all tests happen.
pub(crate) const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;
/// September 2020.
pub(crate) const LONG_AGO: i64 = 1_600_000_000;

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

/// A certificate with its key and the chain to send.
#[derive(Clone)]
pub(crate) struct Holder {
    pub(crate) chain: Vec<Certificate>,
    pub(crate) key: PrivateKey,
}

impl Holder {
    pub(crate) fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Server,
    Client,
    Both,
}

/// What to issue; [`Wanted::server`] and [`Wanted::client`] are right, everything else is for refusals.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) common_name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) dns: Vec<&'static str>,
    pub(crate) purpose: Purpose,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
}

impl Wanted {
    pub(crate) fn server() -> Self {
        Self {
            common_name: "node.example",
            unit: "NDRC",
            dns: vec!["localhost", "node.example"],
            purpose: Purpose::Server,
            not_before: NOW - DAY,
            not_after: NOW + 365 * DAY,
        }
    }

    pub(crate) fn client() -> Self {
        let server = Self::server();
        Self { common_name: "clerk", dns: Vec::new(), purpose: Purpose::Client, ..server }
    }
}

/// A root, an intermediate below it, and a record of what was issued.
pub(crate) struct TestCa {
    root: (Certificate, SigningKey),
    intermediate: (Certificate, SigningKey),
    issued: Arc<Mutex<HashMap<Sm3Digest, Wanted>>>,
}

impl TestCa {
    pub(crate) fn new() -> Self {
        let root_key = PrivateKey::generate(&mut OsRandom).unwrap();
        let signer = signer(&root_key);
        let name = name("Example Root", "CA");
        let root = issue(&name, &name, root_key.public_key(), &ca_extensions(), VALID, &signer);
        let key = PrivateKey::generate(&mut OsRandom).unwrap();
        let sub = self::name("Example TLS CA", "CA");
        let intermediate = issue(&name, &sub, key.public_key(), &ca_extensions(), VALID, &signer);
        Self {
            root: (root, signer),
            intermediate: (intermediate, self::signer(&key)),
            issued: Arc::default(),
        }
    }

    pub(crate) fn root(&self) -> &Certificate {
        &self.root.0
    }

    /// Issued by the root itself: the chain is one certificate.
    pub(crate) fn issue(&self, wanted: &Wanted) -> Holder {
        self.issue_from(&self.root, wanted, Vec::new())
    }

    /// Issued by the intermediate, whose certificate is sent along.
    pub(crate) fn issue_below(&self, wanted: &Wanted) -> Holder {
        self.issue_from(&self.intermediate, wanted, vec![self.intermediate.0.clone()])
    }

    pub(crate) fn server(&self) -> Holder {
        self.issue(&Wanted::server())
    }

    pub(crate) fn client(&self) -> Holder {
        self.issue(&Wanted::client())
    }

    pub(crate) fn verifier(&self) -> Arc<TestVerifier> {
        Arc::new(TestVerifier {
            root: self.root.0.clone(),
            issued: Arc::clone(&self.issued),
            revoked: AtomicBool::new(false),
        })
    }

    fn issue_from(
        &self,
        (issuer, signer): &(Certificate, SigningKey),
        wanted: &Wanted,
        above: Vec<Certificate>,
    ) -> Holder {
        let key = PrivateKey::generate(&mut OsRandom).unwrap();
        let issuer_name = name(&issuer.common_name().unwrap(), "CA");
        let subject = name(wanted.common_name, wanted.unit);
        let certificate = issue(
            &issuer_name,
            &subject,
            key.public_key(),
            &leaf_extensions(wanted),
            (wanted.not_before, wanted.not_after),
            signer,
        );
        self.issued.lock().unwrap().insert(certificate.sm3(), wanted.clone());
        let chain = std::iter::once(certificate).chain(above).collect();
        Holder { chain, key }
    }
}

/// Checks signatures and validity itself; names, purposes and units in the record of what was issued.
#[derive(Debug)]
pub(crate) struct TestVerifier {
    root: Certificate,
    issued: Arc<Mutex<HashMap<Sm3Digest, Wanted>>>,
    revoked: AtomicBool,
}

impl TestVerifier {
    /// From now on everybody is revoked.
    pub(crate) fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
    }
}

impl PeerVerifier for TestVerifier {
    fn verify(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        let refuse =
            |code, reason: &str, alert| Err(PeerRefusal { code, reason: reason.to_owned(), alert });
        let mut path = chain.to_vec();
        path.push(self.root.clone());
        for link in path.windows(2) {
            if link[0].issuer() != link[1].subject() {
                return refuse("PK-1101", "unknown issuer", PeerAlert::UnknownCa);
            }
            if link[0].verify_issued_by(&link[1]).is_err() {
                return refuse("PK-1102", "bad signature", PeerAlert::BadCertificate);
            }
        }
        let leaf = &chain[0];
        if at_unix_seconds > leaf.not_after() {
            return refuse("PK-1201", "expired", PeerAlert::CertificateExpired);
        }
        if at_unix_seconds < leaf.not_before() {
            return refuse("PK-1202", "not yet valid", PeerAlert::CertificateExpired);
        }
        let issued = self.issued.lock().unwrap();
        let Some(wanted) = issued.get(&leaf.sm3()) else {
            return refuse("PK-1106", "never issued", PeerAlert::CertificateUnknown);
        };
        let purpose = match role {
            PeerRole::Server { .. } => Purpose::Server,
            PeerRole::Client => Purpose::Client,
        };
        if wanted.purpose != Purpose::Both && wanted.purpose != purpose {
            return refuse("PK-1501", "wrong usage", PeerAlert::UnsupportedCertificate);
        }
        if self.revoked.load(Ordering::Relaxed) {
            return refuse("PK-1601", "revoked", PeerAlert::CertificateRevoked);
        }
        if let PeerRole::Server { name } = role
            && !wanted.dns.contains(&name)
        {
            return refuse("PK-1701", "another name", PeerAlert::BadCertificate);
        }
        if wanted.unit != "NDRC" {
            return refuse("PK-1802", "subject not admitted", PeerAlert::AccessDenied);
        }
        Ok(())
    }
}

fn signer(key: &PrivateKey) -> SigningKey {
    SigningKey::new(key.clone(), SignerId::DEFAULT).unwrap()
}

/// Other programs look at the clock on the wall, so an authority's certificate covers that too.
const VALID: (i64, i64) = (LONG_AGO, NOW + 3650 * DAY);

fn issue(
    issuer: &[u8],
    subject: &[u8],
    key: &PublicKey,
    extensions: &[u8],
    (not_before, not_after): (i64, i64),
    signer: &SigningKey,
) -> Certificate {
    let mut serial = [0; 16];
    OsRandom.fill(&mut serial).unwrap();
    serial[0] = serial[0] & 0x7f | 0x40;
    let spki =
        tlv(0x30, &[&tlv(0x30, &[EC_PUBLIC_KEY, SM2_CURVE]), &tlv(0x03, &[&[0], key.as_sec1()])]);
    let tbs = tlv(
        0x30,
        &[
            &tlv(0xa0, &[&[2, 1, 2]]),
            &tlv(0x02, &[&serial]),
            SM2_WITH_SM3,
            issuer,
            &tlv(0x30, &[&time(not_before), &time(not_after)]),
            subject,
            &spki,
            &tlv(0xa3, &[&tlv(0x30, &[extensions])]),
        ],
    );
    let signature = signer.sign(&tbs).to_der();
    let der = tlv(0x30, &[&tbs, SM2_WITH_SM3, &tlv(0x03, &[&[0], &signature])]);
    Certificate::from_der(&der).unwrap()
}

fn name(common_name: &str, unit: &str) -> Vec<u8> {
    let rdn = |last: u8, text: &str| {
        let oid = [0x06, 3, 0x55, 4, last];
        tlv(0x31, &[&tlv(0x30, &[&oid, &tlv(0x0c, &[text.as_bytes()])])])
    };
    tlv(0x30, &[&rdn(10, "CCG"), &rdn(11, unit), &rdn(3, common_name)])
}

fn ca_extensions() -> Vec<u8> {
    let basic = extension(19, true, &tlv(0x30, &[&[1, 1, 0xff]]));
    // keyCertSign and cRLSign.
    [basic, extension(15, true, &[3, 2, 1, 0x06])].concat()
}

fn leaf_extensions(wanted: &Wanted) -> Vec<u8> {
    // digitalSignature.
    let mut all = extension(15, true, &[3, 2, 7, 0x80]);
    let (server, client): (&[u8], &[u8]) =
        (b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02");
    let purposes = match wanted.purpose {
        Purpose::Server => server.to_vec(),
        Purpose::Client => client.to_vec(),
        Purpose::Both => [server, client].concat(),
    };
    all.extend(extension(37, false, &tlv(0x30, &[&purposes])));
    if !wanted.dns.is_empty() {
        let names: Vec<_> =
            wanted.dns.iter().flat_map(|name| tlv(0x82, &[name.as_bytes()])).collect();
        all.extend(extension(17, false, &tlv(0x30, &[&names])));
    }
    all
}

fn extension(last: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    tlv(0x30, &[&[0x06, 3, 0x55, 0x1d, last], critical, &tlv(0x04, &[value])])
}

fn time(seconds: i64) -> Vec<u8> {
    // Days from civil, backwards (proleptic Gregorian calendar).
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    assert!((2000..2050).contains(&year));
    let text = format!("{:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z", year - 2000);
    tlv(0x17, &[text.as_bytes()])
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut out = vec![tag];
    match body.len() {
        length @ 0..0x80 => out.push(u8::try_from(length).unwrap()),
        length @ 0x80..0x100 => out.extend([0x81, u8::try_from(length).unwrap()]),
        length => {
            out.push(0x82);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    out.extend(body);
    out
}

const EC_PUBLIC_KEY: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
const SM2_CURVE: &[u8] = b"\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d";
const SM2_WITH_SM3: &[u8] = b"\x30\x0a\x06\x08\x2a\x81\x1c\xcf\x55\x01\x83\x75";
