//! Certificates and keys of an embedded node: made at the first start, checked at every start.
//!
//! Two authorities, each in a directory of its own (R60: roots of identity and of transport are apart). `ca/` certifies
//! who somebody is on the ledger: the node, with the units `peer` and `orderer` (it endorses and validates), the
//! operator, with the unit `client` (who submits), and the administrator, with the unit `admin` (who changes
//! configurations). `tls-ca/` certifies the node's end of connections: two short-lived
//! certificates of one subject (双证书), which [`crate::renewal`] replaces. Keys are PKCS#8 PEM with mode 0600.

use std::path::{Path, PathBuf};

use changbai_authority::{AuthorityStore, AuthorityStoreError, Issued};
use changbai_channel::SigningIdentity;
use changbai_msp::serialize_identity;
use smkit::Random;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{
    AlternativeNames, Authority, Certificate, Profile, Purpose, Subject, Terms, TrustAnchors,
    Validity, verify_chain,
};
use zeroize::Zeroizing;

use crate::config::{AgencySettings, ValidConfig};
use crate::directory::{read_small, write_whole};
use crate::error::StartError;
use crate::tls_files::{TlsFiles, TlsIdentity};

const DAY_S: i64 = 86_400;
const HOUR_S: i64 = 3_600;
const ROOT_DAYS: i64 = 20 * 365;
pub(crate) const MEMBER_DAYS: i64 = 3 * 365;
/// Certificates begin a little in the past, so that a clock set back a moment later accepts them.
const LEEWAY_S: i64 = 300;

/// The node as a member of its channels.
pub(crate) struct Identities {
    pub(crate) node: Certificate,
    pub(crate) node_key: SigningKey,
}

impl Identities {
    /// The node as a member of its channels.
    pub(crate) fn on_ledger(&self, msp_id: &str) -> SigningIdentity {
        let serialized = serialize_identity(msp_id, &self.node);
        SigningIdentity { serialized, key: self.node_key.clone() }
    }
}

/// Makes whatever a first start needs below `dir`. The operator's certificate goes last: its presence means that
/// everything is there.
pub(crate) fn create(
    dir: &Path,
    config: &ValidConfig,
    now_s: i64,
    random: &mut dyn Random,
) -> Result<(), StartError> {
    // What a first start left that did not come to its end was never used for anything.
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StartError::file(dir, error));
        }
        _ => {}
    }
    let agency = &config.settings.agency;
    let authority = |folder: &str, name: &str, random: &mut dyn Random| {
        let subject = subject(agency, &format!("{} {name}", agency.name), &[]);
        let root = Authority::create_root(&subject, days(now_s, ROOT_DAYS), random)
            .map_err(|e| wrong(&dir.join(folder), &e))?;
        AuthorityStore::create(&dir.join(folder), root, &[], None, random)
            .map_err(|e| authority_error(dir, e))
    };
    let mut identity = authority(IDENTITY_AUTHORITY, "根证书", random)?;
    let mut tls = authority(TLS_AUTHORITY, "传输根证书", random)?;
    issue_tls(dir, &mut tls, config, now_s, random)?;
    let code = &config.agency_code;
    for (file, name, units, profile) in [
        ("node", "node-0", ["peer", "orderer"].as_slice(), Profile::Signing),
        ("admin", "admin-0", ["admin"].as_slice(), Profile::Operator),
        ("operator", "operator-0", ["client"].as_slice(), Profile::Operator),
    ] {
        let key = PrivateKey::generate(random).map_err(|e| wrong(dir, &e))?;
        let name = (&subject(agency, name, units)).try_into().map_err(|e| wrong(dir, &e))?;
        let validity = days(now_s, MEMBER_DAYS);
        let terms = Terms {
            organisation_code: Some(code.as_str()),
            ..Terms::new(name, key.public_key(), profile, validity)
        };
        let issued = identity.issue(&terms, false, now_s, random);
        let Issued { signing, .. } = issued.map_err(|e| authority_error(dir, e))?;
        let key = key.to_pkcs8_pem().map_err(|e| wrong(dir, &e))?;
        write_whole(&path(dir, file, "key"), key.as_bytes(), 0o600)?;
        write_whole(&path(dir, file, "cert"), signing.to_pem().as_bytes(), 0o644)?;
    }
    Ok(())
}

/// Issues the node's first TLS certificates, or new ones after they have run out while the node was down.
fn issue_tls(
    dir: &Path,
    authority: &mut AuthorityStore,
    config: &ValidConfig,
    now_s: i64,
    random: &mut dyn Random,
) -> Result<(), StartError> {
    let tls = &config.settings.tls;
    let hosts = AlternativeNames::parse(tls.names.iter().map(String::as_str))
        .ok_or_else(|| wrong(dir, &"tls.names holds neither DNS names nor addresses"))?;
    let key = PrivateKey::generate(random).map_err(|e| wrong(dir, &e))?;
    let subject = subject(&config.settings.agency, "node-0", &["peer", "orderer"]);
    let hours = i64::from(tls.certificate_hours);
    let validity = Validity { not_before: now_s - LEEWAY_S, not_after: now_s + hours * HOUR_S };
    let name = (&subject).try_into().map_err(|e| wrong(dir, &e))?;
    let terms = Terms { hosts, ..Terms::new(name, key.public_key(), Profile::Node, validity) };
    let issued =
        authority.issue(&terms, true, now_s, random).map_err(|e| authority_error(dir, e))?;
    TlsFiles::below(dir).write(&TlsIdentity::new(issued, key, authority.chain()))
}

/// Whether a first start has completed.
pub(crate) fn exist(dir: &Path) -> bool {
    path(dir, "operator", "cert").exists()
}

/// Reads and checks certificates and keys, and opens the authority of TLS certificates, if it lies here, for as long as
/// the node runs. Anything damaged is refused by file name.
///
/// Where an agency keeps its authorities elsewhere, `ca/` and `tls-ca/` are missing; whether the channel's organisation
/// vouches for the certificates is then seen when the channel opens.
pub(crate) fn load(
    dir: &Path,
    config: &ValidConfig,
    now_s: i64,
    random: &mut dyn Random,
) -> Result<(Identities, Option<AuthorityStore>), StartError> {
    let open = |folder: &str| {
        let folder = dir.join(folder);
        let store = folder.exists().then(|| AuthorityStore::open(&folder, None)).transpose();
        store.map_err(|e| authority_error(dir, e))
    };
    // Opened for its checks, and closed again: operators issue certificates while the node runs.
    let authority = open(IDENTITY_AUTHORITY)?;
    let mut node = None;
    for file in ["node", "admin", "operator"] {
        // The others' certificates are used elsewhere; a damaged one is better noticed now than when it is needed.
        if file != "node" && !path(dir, file, "cert").exists() {
            continue;
        }
        let (leaf, key) = (certificate(&path(dir, file, "cert"))?, path(dir, file, "key"));
        if let Some(authority) = &authority {
            let (not_before_s, not_after_s) = (leaf.not_before(), leaf.not_after());
            if !(not_before_s..=not_after_s).contains(&now_s) {
                // The clock may be what is wrong.
                let file = path(dir, file, "cert");
                return Err(StartError::Validity { file, not_before_s, not_after_s, now_s });
            }
            let anchors = TrustAnchors::from_certificates(vec![authority.certificate().clone()]);
            verify_chain(&leaf, &[], &anchors, now_s, Purpose::Signing)
                .map_err(|e| wrong(&path(dir, file, "cert"), &e))?;
            check_registered(&dir.join(IDENTITY_AUTHORITY), authority, &leaf)?;
        }
        let private = private_key(&key)?;
        if private.public_key() != leaf.public_key() {
            return Err(wrong(&key, &"the key does not belong to the certificate"));
        }
        if file == "node" {
            let node_key =
                SigningKey::new(private, SignerId::DEFAULT).map_err(|e| wrong(&key, &e))?;
            node = Some(Identities { node: leaf, node_key });
        }
    }
    let identities = node.ok_or_else(|| wrong(dir, &"the node has no certificate"))?;
    let mut tls_authority = open(TLS_AUTHORITY)?;
    let files = TlsFiles::below(dir);
    let tls = files.read()?;
    if let Some(authority) = &mut tls_authority {
        // Elsewhere issued certificates are judged by whoever is shown them.
        if config.settings.tls.enrolment.is_empty() {
            for (file, leaf) in files.leaves(&tls) {
                leaf.verify_issued_by(authority.certificate()).map_err(|e| wrong(&file, &e))?;
                check_registered(&dir.join(TLS_AUTHORITY), authority, leaf)?;
            }
        }
        // Certificates of three days run out while a node is down for a week. Its own authority gives it new ones.
        if tls.not_after() <= now_s {
            issue_tls(dir, authority, config, now_s, random)?;
        }
    }
    Ok((identities, tls_authority))
}

/// The roots of an agency whose authorities lie below `dir`: of identities, and of connections.
pub(crate) fn roots(dir: &Path) -> Result<(Certificate, Certificate), StartError> {
    let root = |folder: &str| certificate(&dir.join(folder).join("ca.cert.pem"));
    Ok((root(IDENTITY_AUTHORITY)?, root(TLS_AUTHORITY)?))
}

/// A service of the node with a certificate of its own.
#[derive(Clone, Copy)]
pub(crate) enum Service {
    /// Its time-stamp authority.
    TimeStamps,
}

impl Service {
    /// Name of its files, name in its certificate, profile of that.
    const fn names(self) -> (&'static str, &'static str, Profile) {
        match self {
            Self::TimeStamps => ("tsa", "tsa-0", Profile::TimeStampAuthority),
        }
    }
}

/// A service's certificate and key, made now where they are missing and the agency's authority lies here; `None` where it
/// has neither. The certificate is written last.
pub(crate) fn service(
    dir: &Path,
    config: &ValidConfig,
    now_s: i64,
    service: Service,
) -> Result<Option<(Certificate, PrivateKey)>, StartError> {
    let (file, name, profile) = service.names();
    let (cert_file, key_file) = (path(dir, file, "cert"), path(dir, file, "key"));
    if cert_file.exists() {
        let leaf = certificate(&cert_file)?;
        issued_here(dir, &cert_file, &leaf)?;
        return Ok(Some((leaf, private_key(&key_file)?)));
    }
    let folder = dir.join(IDENTITY_AUTHORITY);
    if !folder.exists() {
        return Ok(None);
    }
    let mut store = AuthorityStore::open(&folder, None).map_err(|e| authority_error(dir, e))?;
    let random = &mut smkit::OsRandom;
    let key = PrivateKey::generate(random).map_err(|e| wrong(dir, &e))?;
    let name = &subject(&config.settings.agency, name, &[]);
    let name = name.try_into().map_err(|e| wrong(dir, &e))?;
    let validity = days(now_s, MEMBER_DAYS);
    let terms = Terms {
        organisation_code: Some(config.agency_code.as_str()),
        ..Terms::new(name, key.public_key(), profile, validity)
    };
    let issued = store.issue(&terms, false, now_s, random).map_err(|e| authority_error(dir, e))?;
    let pem = key.to_pkcs8_pem().map_err(|e| wrong(dir, &e))?;
    write_whole(&key_file, pem.as_bytes(), 0o600)?;
    write_whole(&cert_file, issued.signing.to_pem().as_bytes(), 0o644)?;
    Ok(Some((issued.signing, key)))
}

/// What signs checkpoints of the node's logs: key, certificate, and what is above it short of the root. Made now where
/// it is missing and the agency's authority lies here, the certificate written last; where it lies elsewhere and nobody
/// has put a certificate there, the node's own.
pub(crate) fn log_signer(
    dir: &Path,
    config: &ValidConfig,
    now_s: i64,
) -> Result<(SigningKey, Vec<Certificate>), StartError> {
    let (cert_file, key_file) = (path(dir, "log", "cert"), path(dir, "log", "key"));
    let folder = dir.join(IDENTITY_AUTHORITY);
    let (certificates, key, key_file) = if cert_file.exists() {
        let many = Certificate::pem_many(&text(&cert_file)?).map_err(|e| wrong(&cert_file, &e))?;
        let leaf = many.first().ok_or_else(|| wrong(&cert_file, &"there is no certificate"))?;
        issued_here(dir, &cert_file, leaf)?;
        (many, private_key(&key_file)?, key_file)
    } else if folder.exists() {
        let mut store = AuthorityStore::open(&folder, None).map_err(|e| authority_error(dir, e))?;
        let random = &mut smkit::OsRandom;
        let key = PrivateKey::generate(random).map_err(|e| wrong(dir, &e))?;
        let name = &subject(&config.settings.agency, "log-0", &["log"]);
        let name = name.try_into().map_err(|e| wrong(dir, &e))?;
        let terms = Terms {
            organisation_code: Some(config.agency_code.as_str()),
            ..Terms::new(name, key.public_key(), Profile::Signing, days(now_s, MEMBER_DAYS))
        };
        let issued = store.issue(&terms, false, now_s, random);
        let issued = issued.map_err(|e| authority_error(dir, e))?;
        let above = std::iter::once(store.certificate()).chain(store.chain());
        let above = above.filter(|ca| ca.verify_issued_by(ca).is_err()).cloned();
        let many: Vec<_> = std::iter::once(issued.signing).chain(above).collect();
        let pem = key.to_pkcs8_pem().map_err(|e| wrong(dir, &e))?;
        write_whole(&key_file, pem.as_bytes(), 0o600)?;
        let text: String = many.iter().map(Certificate::to_pem).collect();
        write_whole(&cert_file, text.as_bytes(), 0o644)?;
        (many, key, key_file)
    } else {
        let key_file = path(dir, "node", "key");
        (vec![certificate(&path(dir, "node", "cert"))?], private_key(&key_file)?, key_file)
    };
    if certificates.first().is_none_or(|leaf| leaf.public_key() != key.public_key()) {
        return Err(wrong(&key_file, &"the key does not belong to the certificate"));
    }
    let key = SigningKey::new(key, SignerId::DEFAULT).map_err(|e| wrong(&key_file, &e))?;
    Ok((key, certificates))
}

/// A service's certificate is the authority's that lies here, if one does: a changed byte of it is noticed now, not by
/// a court.
fn issued_here(dir: &Path, file: &Path, leaf: &Certificate) -> Result<(), StartError> {
    let authority = dir.join(IDENTITY_AUTHORITY).join("ca.cert.pem");
    if !authority.exists() {
        return Ok(());
    }
    leaf.verify_issued_by(&certificate(&authority)?).map_err(|e| wrong(file, &e))
}

/// What signs verdicts: the node's own key and certificate.
pub(crate) fn verdict_signer(dir: &Path) -> Result<(SigningKey, Vec<Certificate>), StartError> {
    let key_file = path(dir, "node", "key");
    let chain = vec![certificate(&path(dir, "node", "cert"))?];
    let key = private_key(&key_file)?;
    let key = SigningKey::new(key, SignerId::DEFAULT).map_err(|e| wrong(&key_file, &e))?;
    Ok((key, chain))
}

/// Roots of GM TLS servers beyond the agency's own: `tls-trust.pem`, where it is.
pub(crate) fn further_tls_roots(dir: &Path) -> Result<Vec<Certificate>, StartError> {
    let file = dir.join("tls-trust.pem");
    let Some(bytes) = read_small(&file)? else { return Ok(Vec::new()) };
    let text = String::from_utf8_lossy(&bytes);
    Certificate::pem_many(&text).map_err(|e| wrong(&file, &e))
}

/// The agency's administrator: certificate and key.
pub(crate) fn administrator(dir: &Path) -> Result<(Certificate, PrivateKey), StartError> {
    Ok((certificate(&path(dir, "admin", "cert"))?, private_key(&path(dir, "admin", "key"))?))
}

/// The file of the node's certificate.
pub(crate) fn node_file(dir: &Path) -> PathBuf {
    path(dir, "node", "cert")
}

/// The node's certificate.
pub(crate) fn node_certificate(dir: &Path) -> Result<Certificate, StartError> {
    certificate(&path(dir, "node", "cert"))
}

/// A register that has lost its end does not know what the authority certified; it could not revoke it either.
fn check_registered(
    dir: &Path,
    store: &AuthorityStore,
    certificate: &Certificate,
) -> Result<(), StartError> {
    let entry = store.register().find(&certificate.serial());
    if entry.is_some_and(|entry| entry.sm3 == certificate.sm3()) {
        return Ok(());
    }
    let reason = format!("the register does not know the certificate of {}", certificate.subject());
    Err(wrong(&dir.join("register.log"), &reason))
}

pub(crate) fn subject(agency: &AgencySettings, common_name: &str, units: &[&str]) -> Subject {
    Subject {
        country: "CN".to_owned(),
        state: "吉林省".to_owned(),
        locality: "长春市".to_owned(),
        organisation: agency.name.clone(),
        organisational_units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        common_name: common_name.to_owned(),
    }
}

pub(crate) fn days(now_s: i64, days: i64) -> Validity {
    Validity { not_before: now_s - LEEWAY_S, not_after: now_s + days * DAY_S }
}

pub(crate) fn certificate(file: &Path) -> Result<Certificate, StartError> {
    Certificate::from_pem(&text(file)?).map_err(|e| wrong(file, &e))
}

pub(crate) fn private_key(file: &Path) -> Result<PrivateKey, StartError> {
    let pem = Zeroizing::new(text(file)?);
    PrivateKey::from_pkcs8_pem(&pem).map_err(|e| wrong(file, &e))
}

pub(crate) fn text(file: &Path) -> Result<String, StartError> {
    let bytes = read_small(file)?.ok_or_else(|| wrong(file, &"the file is missing"))?;
    String::from_utf8(bytes)
        .map_err(|e| wrong(file, &format!("byte {} is not text", e.utf8_error().valid_up_to())))
}

pub(crate) fn wrong(file: &Path, reason: &dyn std::fmt::Display) -> StartError {
    StartError::Identity { file: file.to_owned(), reason: reason.to_string() }
}

pub(crate) fn authority_error(dir: &Path, error: AuthorityStoreError) -> StartError {
    match error {
        AuthorityStoreError::File { file, source } => StartError::File { file, source },
        AuthorityStoreError::Damaged { file, reason } => StartError::Identity { file, reason },
        AuthorityStoreError::Register { file, line, reason } => {
            StartError::Identity { file, reason: format!("line {line}: {reason}") }
        }
        other => wrong(dir, &other),
    }
}

pub(crate) fn path(dir: &Path, name: &str, kind: &str) -> PathBuf {
    dir.join(format!("{name}.{kind}.pem"))
}

pub(crate) const IDENTITY_AUTHORITY: &str = "ca";
const TLS_AUTHORITY: &str = "tls-ca";
