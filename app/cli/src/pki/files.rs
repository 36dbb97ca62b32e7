//! Reading and writing of keys, certificates and authorities.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use changbai_authority::AuthorityStore;
use smkit::sm2::PrivateKey;
use smkit_pki::Certificate;
use zeroize::Zeroizing;

use crate::args::pki::Common;
use crate::error::{CliError, chain};
use crate::stream;

/// A failure of these commands, in the words of the library that found it.
pub(crate) fn failed(error: &(dyn std::error::Error + 'static)) -> CliError {
    CliError::Pki { reason: chain(error) }
}

/// A failure that has to do with one file.
pub(crate) fn wrong(path: &Path, error: &(dyn std::error::Error + 'static)) -> CliError {
    CliError::Pki { reason: format!("{}: {}", path.display(), chain(error)) }
}

/// Opens the authority of a command.
pub(super) fn authority(common: &Common) -> Result<AuthorityStore, CliError> {
    let passphrase = passphrase(common.passphrase_file.as_deref())?;
    AuthorityStore::open(&common.ca, passphrase.as_deref().map(String::as_str))
        .map_err(|error| failed(&error))
}

/// The first line of a file, without its line end.
pub(super) fn passphrase(path: Option<&Path>) -> Result<Option<Zeroizing<String>>, CliError> {
    let Some(path) = path else { return Ok(None) };
    let text = Zeroizing::new(stream::read_small(path)?);
    Ok(Some(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())))
}

pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, CliError> {
    Certificate::pem_many(&stream::read_small(path)?).map_err(|error| wrong(path, &error))
}

pub(crate) fn private_key(path: &Path) -> Result<PrivateKey, CliError> {
    let pem = Zeroizing::new(stream::read_small(path)?);
    PrivateKey::from_pkcs8_pem(&pem).map_err(|error| wrong(path, &error))
}

/// `PREFIX` with an ending: `out/node` and `cert.pem` make `out/node.cert.pem`.
pub(super) fn beside(prefix: &Path, ending: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Writes a file that must not exist yet: a key is never overwritten.
pub(crate) fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), CliError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(CliError::write(parent))?;
    }
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(mode)
        .open(path)
        .map_err(CliError::write(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(CliError::write(path))
}

pub(super) fn create_key(path: &Path, key: &PrivateKey) -> Result<(), CliError> {
    let pem = key.to_pkcs8_pem().map_err(|error| wrong(path, &error))?;
    create(path, pem.as_bytes(), 0o600)
}

pub(super) fn create_chain(path: &Path, chain: &[&Certificate]) -> Result<(), CliError> {
    let pem: String = chain.iter().map(|one| one.to_pem()).collect();
    create(path, pem.as_bytes(), 0o644)
}
