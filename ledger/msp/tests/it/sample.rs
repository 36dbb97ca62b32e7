//! `deploy/sample/changchun`: twelve agencies, with certificates made here.

use std::{collections::BTreeMap, fs, io, path::Path};

use changbai_msp::{
    AccessError, ChannelConfig, Check, ConfigError, ConfigUpdate, FileError, Role, Sender, apply,
    serialize_identity, validate_config,
};
use changbai_wire::time::UnixMillis;
use smkit::{
    Random, RandomError,
    sm2::{PrivateKey, SignerId, SigningKey},
    sm3,
};
use smkit_pki::{Authority, Certificate, Profile, Subject, Validity};

const NOW: i64 = 1_760_000_000;
const VALIDITY: Validity = Validity { not_before: NOW - 1_000, not_after: NOW + 1_000_000 };

/// Reproducible bytes: SM3 of a counter.
struct Seeded(u64);

impl Random for Seeded {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        for chunk in out.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sm3(&self.0.to_be_bytes()).as_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The authorities of the sample, and the files that it names.
struct Province {
    root: Authority,
    city: Authority,
    files: BTreeMap<String, Vec<u8>>,
    random: Seeded,
}

impl Province {
    fn new() -> Self {
        let mut random = Seeded(1 << 32);
        let root =
            Authority::create_root(&subject("省根", "", &[]), VALIDITY, &mut random).unwrap();
        let tls = Authority::create_root(&subject("TLS", "", &[]), VALIDITY, &mut random).unwrap();
        let key = PrivateKey::generate(&mut random).unwrap();
        let profile = Profile::RootCa { path_length: Some(0) };
        let subject = subject("ccert.jilin.gov.cn", "", &[]);
        let city =
            root.issue(&subject, key.public_key(), profile, VALIDITY, None, &mut random).unwrap();
        let city = Authority::new(city, key).unwrap();
        let pem = |certificate: &Certificate| certificate.to_pem().into_bytes();
        let files = [
            ("ca/jilin-root-ca.pem", pem(root.certificate())),
            ("ca/ccert.jilin.gov.cn.pem", pem(city.certificate())),
            ("tls/jilin-tls-ca.pem", pem(tls.certificate())),
        ];
        let files = files.into_iter().map(|(name, pem)| (name.to_owned(), pem)).collect();
        let mut province = Self { root, city, files, random };
        for (host, unit) in VALIDATORS {
            let (certificate, _) = province.member(unit, "orderer");
            let name = format!("validators/{host}.pem");
            province.files.insert(name, certificate.to_pem().into_bytes());
        }
        province
    }

    fn member(&mut self, unit: &str, role: &str) -> (Certificate, SigningKey) {
        self.issue(&subject(&format!("{unit} {role}"), "CCG", &[unit, role]))
    }

    fn issue(&mut self, subject: &Subject) -> (Certificate, SigningKey) {
        let key = PrivateKey::generate(&mut self.random).unwrap();
        let certificate = self
            .city
            .issue(subject, key.public_key(), Profile::Signing, VALIDITY, None, &mut self.random)
            .unwrap();
        (certificate, SigningKey::new(key, SignerId::DEFAULT).unwrap())
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn load(&self) -> Result<ChannelConfig, FileError> {
        ChannelConfig::from_toml(&text(), &|path| self.read(path))
    }
}

fn subject(name: &str, organisation: &str, units: &[&str]) -> Subject {
    Subject {
        organisation: organisation.to_owned(),
        organisational_units: units.iter().map(ToString::to_string).collect(),
        common_name: name.to_owned(),
        ..Subject::default()
    }
}

fn text() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join("../../deploy/sample/changchun/channel.toml")).unwrap()
}

const VALIDATORS: [(&str, &str); 7] = [
    ("ndrc", "NDRC"),
    ("digital", "长春市大数据局"),
    ("resources", "NR"),
    ("market", "MSA"),
    ("justice", "SFJ"),
    ("finance", "CZJ"),
    ("trading", "PRTC"),
];

#[test]
fn twelve_agencies_seven_validators() {
    let config = Province::new().load().unwrap();
    assert_eq!((config.orgs.len(), config.validators.len()), (12, 7));
    config.verify_validators(NOW).unwrap();
    assert_eq!(config.org("ChangchunNDRC").unwrap().name, "长春市发展和改革委员会");
    assert!(config.validators.iter().any(|v| v.msp_id == "ChangchunNDRC"), "an orderer member");
    assert!(!config.validators.iter().any(|v| v.msp_id == "ChangchunHRSS"), "a peer member");
    assert_eq!(config.validators[0].consensus.as_ref().unwrap().to_string(), "ndrc.gov.cc.jl:7060");
    let envelope = config.to_genesis_envelope();
    assert_eq!(ChannelConfig::from_envelope(&envelope).unwrap(), config);
    assert!(envelope.len() < 128 << 10, "{} bytes", envelope.len());
}

#[test]
fn the_file_and_its_reverse_say_the_same() {
    let province = Province::new();
    let config = province.load().unwrap();
    let inline = config.to_toml();
    let nothing = |path: &str| -> io::Result<Vec<u8>> { panic!("{path} is not needed") };
    let again = ChannelConfig::from_toml(&inline, &nothing).unwrap();
    assert_eq!(again, config);
    assert_eq!(again.to_toml(), inline);
}

#[test]
fn each_agency_admits_its_own() {
    let mut province = Province::new();
    let config = province.load().unwrap();
    let members = config.membership();
    let readers = config.readers();
    let who = |msp_id: &str, certificate: &Certificate| {
        members.authorise(&serialize_identity(msp_id, certificate), NOW, &readers)
    };
    let (orderer, _) = province.member("NDRC", "orderer");
    assert!(who("ChangchunNDRC", &orderer).unwrap().has_role(Role::Orderer));
    let (peer, _) = province.member("HRSS", "peer");
    assert!(who("ChangchunHRSS", &peer).unwrap().has_role(Role::Peer));
    let (client, _) = province.member("长春市大数据局", "client");
    assert!(who("ChangchunDigital", &client).is_ok());
    // Under the same authority, and still nobody else's.
    for org in config.orgs.iter().filter(|org| org.msp_id != "ChangchunHRSS") {
        let refused = who(&org.msp_id, &peer).unwrap_err();
        assert_eq!(refused.code(), "MS-1402", "{}", org.msp_id);
    }
    // A certificate of the city for somebody who is no agency.
    let (nobody, _) = province.issue(&subject("shop", "A Shop", &["client"]));
    let (both, _) = province.issue(&subject("x", "CCG", &["NDRC", "HRSS", "client"]));
    for org in &config.orgs {
        assert_eq!(who(&org.msp_id, &nobody).unwrap_err().code(), "MS-1401");
        assert_eq!(who(&org.msp_id, &both).unwrap_err().check(), Check::Unit);
    }
}

/// Submit → issuer → unit → role → policy: the first failing check is the answer.
#[test]
fn the_flow_reports_the_first_failing_check() {
    let mut province = Province::new();
    let config = province.load().unwrap();
    let members = config.membership();
    let endorsers = config.policy("/Channel/Application/ChangchunHRSS/Endorsement").unwrap();
    let mut other = Province::new();
    other.random = Seeded(9 << 32);
    let key = PrivateKey::generate(&mut other.random).unwrap();
    let mut by_root = |subject: &Subject| {
        province
            .root
            .issue(subject, key.public_key(), Profile::Signing, VALIDITY, None, &mut other.random)
            .unwrap()
    };
    // Each lacks everything from its place on.
    let by_province = by_root(&subject("x", "Nobody", &["X"]));
    let (wrong_organisation, _) = province.issue(&subject("x", "ccg", &["X"]));
    let (wrong_unit, _) = province.issue(&subject("x", "CCG", &["hrss"]));
    let (no_role, _) = province.issue(&subject("x", "CCG", &["HRSS"]));
    let (no_peer, _) = province.member("HRSS", "client");
    let (peer, _) = province.member("HRSS", "peer");
    let stranger = Authority::create_root(&subject("省根", "", &[]), VALIDITY, &mut other.random);
    let key = PrivateKey::generate(&mut other.random).unwrap();
    let foreign = stranger
        .unwrap()
        .issue(
            &subject("x", "Nobody", &["X"]),
            key.public_key(),
            Profile::Signing,
            VALIDITY,
            None,
            &mut other.random,
        )
        .unwrap();
    let trace: Vec<(Check, &str)> =
        [&foreign, &by_province, &wrong_organisation, &wrong_unit, &no_role, &no_peer]
            .into_iter()
            .map(|certificate| {
                let identity = serialize_identity("ChangchunHRSS", certificate);
                let refused: AccessError =
                    members.authorise(&identity, NOW, &endorsers).unwrap_err();
                (refused.check(), refused.code())
            })
            .collect();
    assert_eq!(
        trace,
        [
            (Check::Issuer, "MS-1201"),
            (Check::Issuer, "MS-1206"),
            (Check::Unit, "MS-1401"),
            (Check::Unit, "MS-1402"),
            (Check::Role, "MS-1501"),
            (Check::Policy, "MS-1601"),
        ]
    );
    let identity = serialize_identity("ChangchunHRSS", &peer);
    assert!(members.authorise(&identity, NOW, &endorsers).is_ok());
    // Expired is the issuer's step, before anything the subject says.
    let late = members.authorise(&identity, NOW + 2_000_000, &endorsers).unwrap_err();
    assert_eq!((late.check(), late.code()), (Check::Issuer, "MS-1203"));
    let unknown = members.authorise(&serialize_identity("Other", &peer), NOW, &endorsers);
    assert_eq!(unknown.unwrap_err().check(), Check::Organisation);
    assert_eq!(members.authorise(b"x", NOW, &endorsers).unwrap_err().check(), Check::Form);
}

#[test]
fn a_certificate_of_the_wrong_agency_is_no_validator() {
    let mut province = Province::new();
    let (certificate, _) = province.member("HRSS", "orderer");
    province.files.insert("validators/ndrc.pem".into(), certificate.to_pem().into_bytes());
    let refused = province.load();
    assert!(matches!(refused, Err(FileError::Config(ConfigError::Validator { index: 0 }))));
}

#[test]
fn missing_and_damaged_files_are_named() {
    let mut province = Province::new();
    province.files.insert("validators/market.pem".into(), b"nothing".to_vec());
    let refused = province.load().unwrap_err().to_string();
    assert_eq!(refused, "validator[3].certificate: validators/market.pem: PEM: no certificate");
    province.files.remove("tls/jilin-tls-ca.pem");
    let refused = province.load().unwrap_err().to_string();
    assert!(
        refused.starts_with("organisation.ChangchunNDRC.tls_roots: tls/jilin-tls-ca.pem: "),
        "{refused}"
    );
}

/// The city adds a thirteenth agency: most administrators of the twelve agree.
#[test]
fn agencies_join_by_agreement() {
    let mut province = Province::new();
    let config = province.load().unwrap();
    let mut next = config.clone();
    let mut archive = config.orgs[1].clone();
    archive.msp_id = "ChangchunArchives".to_owned();
    archive.name = "长春市档案馆".to_owned();
    archive.rule.as_mut().unwrap().units = vec!["DAG".to_owned()];
    archive.policies = changbai_msp::OrgPolicies::of(&archive.msp_id);
    archive.anchor_peers.clear();
    next.orgs.push(archive);
    let update = ConfigUpdate::compute(&config, &next).unwrap();
    assert_eq!(
        Vec::from_iter(update.changes().unwrap().iter().map(ToString::to_string))[0],
        "[Group] /Channel/Application"
    );
    let admins: Vec<_> = config
        .orgs
        .iter()
        .map(|org| {
            let unit = &org.rule.as_ref().unwrap().units[0];
            let (certificate, key) = province.member(unit, "admin");
            (serialize_identity(&org.msp_id, &certificate), key)
        })
        .collect();
    let signed = |count: usize| {
        fn by((identity, key): &(Vec<u8>, SigningKey)) -> Sender<'_> {
            Sender { identity, key }
        }
        let signatures: Vec<_> =
            admins[..count].iter().map(|admin| update.sign(by(admin), b"a nonce")).collect();
        update.to_envelope(&signatures, by(&admins[0]), b"nonce", UnixMillis(NOW as u64 * 1_000))
    };
    assert_eq!(apply(&config, &signed(6), NOW).unwrap_err().code(), "MS-2201");
    let changed = apply(&config, &signed(7), NOW).unwrap();
    assert_eq!((changed.sequence, changed.orgs.len()), (1, 13));
    let envelope = changed.to_config_envelope(&signed(7)).unwrap();
    assert_eq!(validate_config(&config, &envelope, NOW).unwrap(), changed);
    assert_eq!(ChannelConfig::from_envelope(&envelope).unwrap(), changed);
    let (client, _) = province.member("DAG", "client");
    let identity = serialize_identity("ChangchunArchives", &client);
    assert!(config.membership().identify(&identity, NOW).is_err());
    assert!(changed.membership().identify(&identity, NOW).is_ok());
}
