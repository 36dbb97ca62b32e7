//! The operator's and the administrator's key and certificate in the node's data directory.

use std::{fmt, io, path::Path};

use changbai_api::signature::RequestSigner;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::Certificate;

use crate::{error::CliError, stream};

/// Signs requests as one of the agency's people, and shows their certificate on connections.
pub(super) struct Identity {
    signer: RequestSigner,
    key: PrivateKey,
    chain: Vec<Certificate>,
}

impl Identity {
    /// The operator: hands evidence in, and looks at things.
    pub(super) fn read(dir: &Path) -> Result<Self, CliError> {
        Self::named(dir, "operator")
    }

    /// The administrator: changes channels.
    pub(super) fn of_administrator(dir: &Path) -> Result<Self, CliError> {
        Self::named(dir, "admin")
    }

    /// A court: asks by case number.
    pub(super) fn of_court(dir: &Path) -> Result<Self, CliError> {
        Self::named(dir, "court")
    }

    /// Reads key (PKCS#8 PEM) and certificate (PEM, intermediates after it).
    fn named(dir: &Path, name: &str) -> Result<Self, CliError> {
        let file = |kind: &str| dir.join("identity").join(format!("{name}.{kind}.pem"));
        let (key_path, certificate_path) = (file("key"), file("cert"));
        let wrong =
            |path: &Path, reason: String| CliError::Identity { path: path.to_owned(), reason };
        let key_pem = zeroize::Zeroizing::new(read(&key_path)?);
        let key = PrivateKey::from_pkcs8_pem(&key_pem)
            .map_err(|error| wrong(&key_path, error.to_string()))?;
        let signing = SigningKey::new(key.clone(), SignerId::DEFAULT)
            .map_err(|error| wrong(&key_path, error.to_string()))?;
        let chain = Certificate::pem_many(&read(&certificate_path)?)
            .map_err(|error| wrong(&certificate_path, error.to_string()))?;
        let (leaf, intermediates) = chain
            .split_first()
            .ok_or_else(|| wrong(&certificate_path, "no certificate".to_owned()))?;
        let signer = RequestSigner::new(signing, leaf, intermediates)
            .map_err(|error| wrong(&certificate_path, error.to_string()))?;
        Ok(Self { signer, key, chain })
    }

    /// The private key.
    pub(super) fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The certificate, and what stands between it and its root.
    pub(super) fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The signer of requests.
    pub(super) fn signer(&self) -> &RequestSigner {
        &self.signer
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<String, CliError> {
    stream::read_small(path).map_err(|error| match error {
        CliError::Read { path, source } => {
            let reason = match source.kind() {
                io::ErrorKind::InvalidData => "not text".to_owned(),
                _ => source.to_string(),
            };
            CliError::Identity { path, reason }
        }
        other => other,
    })
}
