//! The seal and its keys below `identity/`: `seal.esl`, the signer's `seal.cert.pem` and `seal.key.pem`, and the maker's
//! `seal-maker.cert.pem` and `seal-maker.key.pem`. A seal of the agency's own, made by `changbai seal make`, takes the
//! place of `seal.esl` and the signer's two files.

use std::path::Path;

use changbai_authority::AuthorityStore;
use changbai_certificate::{FontSource, draw_round_seal};
use smkit::OsRandom;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{Certificate, Profile, Seal, SealSigners, SealTerms, SealVersion, SealedAs, Terms};

use crate::config::ValidConfig;
use crate::directory::{read_small, write_whole};
use crate::error::StartError;
use crate::identity::{
    IDENTITY_AUTHORITY, MEMBER_DAYS, authority_error, certificate, days, path, private_key,
    subject, wrong,
};

/// What a node seals with.
pub(super) struct SealKeys {
    pub(super) seal: Seal,
    pub(super) certificate: Certificate,
    pub(super) key: SigningKey,
}

/// Reads the seal, or makes one where there is none, or one that has run out, and the authority lies here.
pub(super) fn open(
    dir: &Path,
    config: &ValidConfig,
    now_s: i64,
) -> Result<Option<SealKeys>, StartError> {
    let file = dir.join(SEAL_FILE);
    let found = read_small(&file)?;
    let found = found.map(|bytes| load(dir, &file, &bytes)).transpose()?;
    match found {
        Some(keys) if keys.is_valid(now_s) => Ok(Some(keys)),
        found => {
            let made = make(dir, config, now_s)?;
            if made.is_none() && found.is_some() {
                tracing::warn!("node::seal_not_valid");
            }
            Ok(made)
        }
    }
}

impl SealKeys {
    fn is_valid(&self, at: i64) -> bool {
        let (seal, signer) = (&self.seal, &self.certificate);
        let maker = seal.maker();
        at <= seal.valid_to().min(signer.not_after()).min(maker.not_after())
            && at >= seal.valid_from().max(signer.not_before())
    }
}

fn load(dir: &Path, file: &Path, bytes: &[u8]) -> Result<SealKeys, StartError> {
    let seal = Seal::from_der(bytes).map_err(|e| wrong(file, &e))?;
    seal.verify_signature().map_err(|e| wrong(file, &e))?;
    let certificate = certificate(&path(dir, "seal", "cert"))?;
    let key_file = path(dir, "seal", "key");
    let key = SigningKey::new(private_key(&key_file)?, SignerId::DEFAULT)
        .map_err(|e| wrong(&key_file, &e))?;
    if key.verifying_key() != certificate.verifying_key() {
        return Err(wrong(&key_file, &"the key does not belong to the certificate"));
    }
    if !seal.is_for(&certificate) {
        return Err(wrong(file, &"the seal is not for the certificate beside it"));
    }
    Ok(SealKeys { seal, certificate, key })
}

/// Maker, signer and seal of the agency's own; the seal is written last.
fn make(dir: &Path, config: &ValidConfig, now_s: i64) -> Result<Option<SealKeys>, StartError> {
    let folder = dir.join(IDENTITY_AUTHORITY);
    if !folder.exists() {
        return Ok(None);
    }
    let agency = &config.settings.agency;
    let picture = FontSource::built_in()
        .map_err(changbai_certificate::CertificateError::from)
        .and_then(|font| draw_round_seal(&font, &agency.name, Some(LINE)));
    let picture = match picture {
        Ok(picture) => picture,
        Err(error) => {
            // A node whose agency's name cannot be drawn still runs; its certificates say that they are not sealed.
            tracing::warn!(%error, "node::seal_not_drawn");
            return Ok(None);
        }
    };
    let mut store = AuthorityStore::open(&folder, None).map_err(|e| authority_error(dir, e))?;
    let (maker, maker_key) = issue(dir, &mut store, config, now_s, "seal-maker")?;
    let (certificate, key) = issue(dir, &mut store, config, now_s, "seal")?;
    let region: String = agency.region.chars().filter(char::is_ascii_digit).take(6).collect();
    let seal = Seal::make(
        &SealTerms {
            version: SealVersion::V4,
            id: &format!("{region:0<6}{FIRST}"),
            vendor: "Changbai",
            sealed_as: SealedAs::Organisation,
            name: &format!("{}{LINE}", agency.name),
            signers: SealSigners::Certificates(vec![certificate.clone()]),
            created: now_s,
            valid_from: certificate.not_before(),
            valid_to: certificate.not_after(),
            picture,
        },
        &maker,
        &maker_key,
    );
    let file = dir.join(SEAL_FILE);
    let seal = seal.map_err(|e| wrong(&file, &e))?;
    write_whole(&file, seal.der(), 0o644)?;
    Ok(Some(SealKeys { seal, certificate, key }))
}

fn issue(
    dir: &Path,
    store: &mut AuthorityStore,
    config: &ValidConfig,
    now_s: i64,
    file: &str,
) -> Result<(Certificate, SigningKey), StartError> {
    let random = &mut OsRandom;
    let key = PrivateKey::generate(random).map_err(|e| wrong(dir, &e))?;
    let name = &subject(&config.settings.agency, &format!("{file}-0"), &[]);
    let name = name.try_into().map_err(|e| wrong(dir, &e))?;
    let terms = Terms {
        organisation_code: Some(config.agency_code.as_str()),
        ..Terms::new(name, key.public_key(), Profile::Seal, days(now_s, MEMBER_DAYS))
    };
    let issued = store.issue(&terms, false, now_s, random).map_err(|e| authority_error(dir, e))?;
    let pem = key.to_pkcs8_pem().map_err(|e| wrong(dir, &e))?;
    write_whole(&path(dir, file, "key"), pem.as_bytes(), 0o600)?;
    write_whole(&path(dir, file, "cert"), issued.signing.to_pem().as_bytes(), 0o644)?;
    let key = SigningKey::new(key, SignerId::DEFAULT).map_err(|e| wrong(dir, &e))?;
    Ok((issued.signing, key))
}

const SEAL_FILE: &str = "seal.esl";
/// What the seal is for: below its star, and at the end of its name.
const LINE: &str = "存证专用章";
/// The last eight digits of the first seal's code.
const FIRST: &str = "00000001";
