//! Certificates and keys of an embedded node: made at the first start, checked at every start.
//!
//! One SM2 root for the agency signs two certificates (GM/T 0015, signing profile): the node's,
//! with the units `peer` and `orderer` (it endorses and validates), and the operator's, with the
//! unit `client` (it submits). Keys are PKCS#8 PEM with mode 0600.

use std::path::{Path, PathBuf};

use changbai_core::Uscc;
use smkit::Random;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{
    Authority, Certificate, Profile, Purpose, Subject, TrustAnchors, Validity, verify_chain,
};
use zeroize::Zeroizing;

use crate::config::AgencySettings;
use crate::directory::{read_small, write_whole};
use crate::start::StartError;

const DAY_S: i64 = 86_400;
const ROOT_DAYS: i64 = 20 * 365;
const MEMBER_DAYS: i64 = 3 * 365;
/// Certificates begin a little in the past, so that a clock set back a moment later accepts them.
const LEEWAY_S: i64 = 300;

/// The agency's certificates, and the keys this process needs.
pub(crate) struct Identities {
    pub(crate) root: Certificate,
    pub(crate) node: Certificate,
    pub(crate) node_key: SigningKey,
}

/// Makes whatever a first start needs below `dir`. The root goes last: its presence means that
/// everything is there.
pub(crate) fn create(
    dir: &Path,
    agency: &AgencySettings,
    code: &Uscc,
    now_s: i64,
    random: &mut dyn Random,
) -> Result<(), StartError> {
    let root_validity =
        Validity { not_before: now_s - LEEWAY_S, not_after: now_s + ROOT_DAYS * DAY_S };
    let member_validity =
        Validity { not_before: now_s - LEEWAY_S, not_after: now_s + MEMBER_DAYS * DAY_S };
    let wrong = |e: &dyn std::fmt::Display| StartError::Identity {
        file: dir.to_owned(),
        reason: e.to_string(),
    };
    let subject = |common_name: &str, units: &[&str]| Subject {
        country: "CN".to_owned(),
        state: "吉林省".to_owned(),
        locality: "长春市".to_owned(),
        organisation: agency.name.clone(),
        organisational_units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        common_name: common_name.to_owned(),
    };
    let root_name = format!("{} 根证书", agency.name);
    let authority = Authority::create_root(&subject(&root_name, &[]), root_validity, random)
        .map_err(|e| wrong(&e))?;
    for (file, name, units) in [
        ("node", "node-0", ["peer", "orderer"].as_slice()),
        ("operator", "operator-0", ["client"].as_slice()),
    ] {
        let key = PrivateKey::generate(random).map_err(|e| wrong(&e))?;
        let certificate = authority
            .issue(
                &subject(name, units),
                key.public_key(),
                Profile::Signing,
                member_validity,
                Some(code.as_str()),
                random,
            )
            .map_err(|e| wrong(&e))?;
        let key = key.to_pkcs8_pem().map_err(|e| wrong(&e))?;
        write_whole(&path(dir, file, "key"), key.as_bytes(), 0o600)?;
        write_whole(&path(dir, file, "cert"), certificate.to_pem().as_bytes(), 0o644)?;
    }
    let key = authority.key().to_pkcs8_pem().map_err(|e| wrong(&e))?;
    write_whole(&path(dir, "ca", "key"), key.as_bytes(), 0o600)?;
    write_whole(&path(dir, "ca", "cert"), authority.certificate().to_pem().as_bytes(), 0o644)
}

/// Whether a first start has completed.
pub(crate) fn exist(dir: &Path) -> bool {
    path(dir, "ca", "cert").exists()
}

/// Reads and checks certificates and the node's key; anything damaged is refused by file name.
pub(crate) fn load(dir: &Path, now_s: i64) -> Result<Identities, StartError> {
    let root = certificate(&path(dir, "ca", "cert"))?;
    let refuse = |file: &str, kind: &str, reason: String| StartError::Identity {
        file: path(dir, file, kind),
        reason,
    };
    root.verify_issued_by(&root).map_err(|e| refuse("ca", "cert", e.to_string()))?;
    // The operator's certificate and the authority's key are used elsewhere or later; a damaged
    // one is better noticed now than when it is needed.
    let operator = certificate(&path(dir, "operator", "cert"))?;
    let node = certificate(&path(dir, "node", "cert"))?;
    let anchors = TrustAnchors::from_certificates(vec![root.clone()]);
    for (file, leaf) in [("node", &node), ("operator", &operator)] {
        verify_chain(leaf, &[], &anchors, now_s, Purpose::Signing)
            .map_err(|e| refuse(file, "cert", e.to_string()))?;
    }
    let mut keys = Vec::new();
    for (file, owner) in [("node", &node), ("operator", &operator), ("ca", &root)] {
        let private = private_key(&path(dir, file, "key"))?;
        if private.public_key() != owner.public_key() {
            return Err(refuse(file, "key", "the key does not belong to the certificate".into()));
        }
        keys.push(private);
    }
    let node_key = keys.swap_remove(0);
    let node_key = SigningKey::new(node_key, SignerId::DEFAULT)
        .map_err(|e| refuse("node", "key", e.to_string()))?;
    Ok(Identities { root, node, node_key })
}

fn certificate(file: &Path) -> Result<Certificate, StartError> {
    Certificate::from_pem(&text(file)?)
        .map_err(|e| StartError::Identity { file: file.to_owned(), reason: e.to_string() })
}

fn private_key(file: &Path) -> Result<PrivateKey, StartError> {
    let pem = Zeroizing::new(text(file)?);
    PrivateKey::from_pkcs8_pem(&pem)
        .map_err(|e| StartError::Identity { file: file.to_owned(), reason: e.to_string() })
}

fn text(file: &Path) -> Result<String, StartError> {
    let refuse =
        |reason: &str| StartError::Identity { file: file.to_owned(), reason: reason.to_owned() };
    let bytes = read_small(file)?.ok_or_else(|| refuse("the file is missing"))?;
    String::from_utf8(bytes)
        .map_err(|e| refuse(&format!("byte {} is not text", e.utf8_error().valid_up_to())))
}

fn path(dir: &Path, name: &str, kind: &str) -> PathBuf {
    dir.join(format!("{name}.{kind}.pem"))
}
