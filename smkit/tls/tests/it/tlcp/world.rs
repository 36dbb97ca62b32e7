//! A small world for TLCP: an authority, pairs of certificates, a verifier with simple rules, a clock that stands still,
//! randomness from a counter.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use smkit::{
    Random, RandomError, Sm3Digest,
    sm2::{PrivateKey, SignerId, SigningKey},
};
use smkit_pki::{Authority, Certificate, Profile, Subject, Validity};
use smkit_tls::{
    peer::{PeerAlert, PeerRefusal, PeerRole, PeerVerifier},
    tlcp::{ClientAuthentication, ClientConfig, Clock, Credentials, ServerConfig},
};

/// The second at which everything happens.
pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const VALIDITY: Validity = Validity { not_before: NOW - 1000, not_after: NOW + 1000 };

#[derive(Debug)]
pub(crate) struct StandingClock(pub(crate) i64);

impl Clock for StandingClock {
    fn unix_seconds(&self) -> i64 {
        self.0
    }
}

/// Reproducible bytes: a counter under SM3.
#[derive(Debug)]
pub(crate) struct Counter(pub(crate) u64);

impl Random for Counter {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&smkit::sm3(&self.0.to_be_bytes()).as_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// One counter a connection, none the same.
pub(crate) fn counters(seed: u64) -> impl Fn() -> Box<dyn Random + Send> + Send + Sync {
    let next = AtomicU64::new(seed << 40);
    move || Box::new(Counter(next.fetch_add(1 << 20, Ordering::Relaxed)))
}

/// For those who look at a clock of their own: 2023 to 2049.
pub(crate) const LONG: Validity = Validity { not_before: 1_700_000_000, not_after: 2_500_000_000 };

/// An authority, and who lives below it.
pub(crate) struct World {
    pub(crate) authority: Authority,
    validity: Validity,
}

/// The two certificates of one subject with their keys.
pub(crate) struct Member {
    pub(crate) signing: (Certificate, PrivateKey),
    pub(crate) encryption: (Certificate, PrivateKey),
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_validity(VALIDITY)
    }

    pub(crate) fn with_validity(validity: Validity) -> Self {
        let authority = Authority::create_root(&subject("root", ""), validity, &mut Counter(1));
        Self { authority: authority.unwrap(), validity }
    }

    /// A member whose certificates are as they should be.
    pub(crate) fn member(&self, name: &str, unit: &str) -> Member {
        let (signing, encryption) = (subject(name, unit), subject(name, unit));
        self.pair(&signing, self.validity, &encryption, self.validity)
    }

    pub(crate) fn pair(
        &self,
        signing: &Subject,
        signing_validity: Validity,
        encryption: &Subject,
        encryption_validity: Validity,
    ) -> Member {
        let name = smkit::sm3(signing.common_name.as_bytes());
        let seed = u32::from_be_bytes(*name.as_bytes().first_chunk().unwrap());
        let random = &mut Counter(u64::from(seed) << 32);
        let keys = [(); 2].map(|()| PrivateKey::generate(random).unwrap());
        let [signing_key, encryption_key] = keys;
        let mut issue = |subject: &Subject, key: &PrivateKey, profile, validity| {
            let key = key.public_key();
            self.authority.issue(subject, key, profile, validity, None, random).unwrap()
        };
        let first = issue(signing, &signing_key, Profile::Signing, signing_validity);
        let second = issue(encryption, &encryption_key, Profile::Encryption, encryption_validity);
        Member { signing: (first, signing_key), encryption: (second, encryption_key) }
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules { authority: self.authority.certificate().clone(), revoked: Vec::new(), unit: None }
    }

    pub(crate) fn server(&self, clients: ClientAuthentication) -> ServerConfig {
        ServerConfig::new(self.member("server.example", "NDRC").credentials(), clients)
            .with_clock(Arc::new(StandingClock(NOW)))
            .with_random(counters(1))
    }

    pub(crate) fn client(&self) -> ClientConfig {
        ClientConfig::new(Arc::new(self.rules()))
            .with_clock(Arc::new(StandingClock(NOW)))
            .with_random(counters(2))
    }

    /// A client that shows certificates.
    pub(crate) fn member_client(&self) -> ClientConfig {
        self.client().with_credentials(self.member("client", "HRSS").credentials())
    }

    /// A server that wants them.
    pub(crate) fn strict_server(&self) -> ServerConfig {
        self.server(ClientAuthentication::Required(Arc::new(self.rules())))
    }
}

impl Member {
    pub(crate) fn credentials(self) -> Credentials {
        Credentials::new(self.signing, self.encryption, Vec::new()).unwrap()
    }
}

pub(crate) fn subject(name: &str, unit: &str) -> Subject {
    let organisational_units = [unit].into_iter().filter(|unit| !unit.is_empty());
    Subject {
        common_name: name.into(),
        organisational_units: organisational_units.map(str::to_owned).collect(),
        ..Subject::default()
    }
}

/// What a small verifier checks: issuer, validity, revocation, one OU, the server's name in CN.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) authority: Certificate,
    pub(crate) revoked: Vec<Sm3Digest>,
    pub(crate) unit: Option<&'static str>,
}

impl Rules {
    fn judge(&self, leaf: &Certificate, at: i64) -> Result<(), PeerRefusal> {
        if leaf.verify_issued_by(&self.authority).is_err() {
            return Err(refusal("unknown issuer", PeerAlert::UnknownCa));
        }
        if at < leaf.not_before() || at > leaf.not_after() {
            return Err(refusal("outside its validity", PeerAlert::CertificateExpired));
        }
        if self.revoked.contains(&leaf.sm3()) {
            return Err(refusal("revoked", PeerAlert::CertificateRevoked));
        }
        Ok(())
    }
}

impl PeerVerifier for Rules {
    fn verify(
        &self,
        chain: &[Certificate],
        role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        let leaf = &chain[0];
        self.judge(leaf, at_unix_seconds)?;
        if self.unit.is_some_and(|unit| leaf.organisational_units() != [unit]) {
            return Err(refusal("another unit", PeerAlert::AccessDenied));
        }
        match role {
            PeerRole::Server { name } if leaf.common_name().as_deref() != Some(name) => {
                Err(refusal("another name", PeerAlert::CertificateUnknown))
            }
            _ => Ok(()),
        }
    }

    fn verify_encryption(
        &self,
        chain: &[Certificate],
        _role: PeerRole<'_>,
        at_unix_seconds: i64,
    ) -> Result<(), PeerRefusal> {
        self.judge(&chain[0], at_unix_seconds)
    }
}

fn refusal(reason: &str, alert: PeerAlert) -> PeerRefusal {
    PeerRefusal { code: "PK-0000", reason: reason.to_owned(), alert }
}

/// A signing certificate with another keyUsage, as no profile of ours has it: number of unused bits, then the bits.
pub(crate) fn with_key_usage(
    certificate: &Certificate,
    authority: &Authority,
    usage: [u8; 2],
) -> Certificate {
    const SIGNING: &[u8] = &[0x55, 0x1d, 0x0f, 1, 1, 0xff, 4, 4, 3, 2, 6, 0xc0];
    const ALGORITHM: &[u8] = &[0x30, 10, 6, 8, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 1, 0x83, 0x75];
    let der = certificate.der();
    // Both SEQUENCEs are longer than 255 bytes.
    let tbs_bytes = 4 + usize::from(u16::from_be_bytes([der[6], der[7]]));
    let mut tbs = der[4..4 + tbs_bytes].to_vec();
    let at = tbs.windows(SIGNING.len()).position(|window| window == SIGNING).unwrap();
    tbs[at + 10..at + 12].copy_from_slice(&usage);
    let key = SigningKey::new(authority.key().clone(), SignerId::DEFAULT).unwrap();
    let signature = key.sign(&tbs).to_der();
    let bits = [&[3, u8::try_from(signature.len() + 1).unwrap(), 0], signature.as_slice()].concat();
    let content = [tbs.as_slice(), ALGORITHM, &bits].concat();
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    Certificate::from_der(&[&[0x30, 0x82, length[0], length[1]], content.as_slice()].concat())
        .unwrap()
}
