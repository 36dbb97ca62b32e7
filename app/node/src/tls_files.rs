//! The node's TLS certificates with their keys, on disk.
//!
//! Each half is one file: key first, then its certificate and the authorities above it. A file is replaced whole, so a
//! certificate never stands beside another one's key; halves of two renewals still fit together, having one subject.

use std::path::{Path, PathBuf};

use changbai_authority::Issued;
use smkit::sm2::PrivateKey;
use smkit_pki::{Certificate, IssuedIdentity};
use smkit_tls::link::KeyPair;
use zeroize::Zeroizing;

use crate::directory::write_whole;
use crate::error::StartError;
use crate::identity::{text, wrong};

/// Where the two halves are.
#[derive(Debug, Clone)]
pub(crate) struct TlsFiles {
    signing: PathBuf,
    encryption: PathBuf,
}

/// Both halves (双证书): signing for TLS 1.3 and TLCP, encryption for TLCP.
#[derive(Debug, Clone)]
pub(crate) struct TlsIdentity {
    pub(crate) signing: KeyPair,
    pub(crate) encryption: Option<KeyPair>,
}

impl TlsFiles {
    pub(crate) fn below(dir: &Path) -> Self {
        Self { signing: dir.join("tls.sign.pem"), encryption: dir.join("tls.enc.pem") }
    }

    pub(crate) fn read(&self) -> Result<TlsIdentity, StartError> {
        let encryption = self.encryption.exists().then(|| read(&self.encryption)).transpose()?;
        Ok(TlsIdentity { signing: read(&self.signing)?, encryption })
    }

    /// The certificates of an identity, each with the file it is in.
    pub(crate) fn leaves<'a>(
        &self,
        identity: &'a TlsIdentity,
    ) -> impl Iterator<Item = (PathBuf, &'a Certificate)> {
        let signing = identity.leaf().map(|leaf| (self.signing.clone(), leaf));
        let encryption = identity.encryption.as_ref().and_then(|half| half.chain.first());
        signing.into_iter().chain(encryption.map(|leaf| (self.encryption.clone(), leaf)))
    }

    /// Replaces both halves, the signing half last.
    pub(crate) fn write(&self, identity: &TlsIdentity) -> Result<(), StartError> {
        if let Some(encryption) = &identity.encryption {
            write(&self.encryption, encryption)?;
        }
        write(&self.signing, &identity.signing)
    }
}

impl TlsIdentity {
    /// What an authority in this process issued for `key`.
    pub(crate) fn new(issued: Issued, key: PrivateKey, above: &[Certificate]) -> Self {
        Self::of(issued.signing, key, issued.encryption, above)
    }

    /// What an authority elsewhere answered to the holder of `key`.
    pub(crate) fn answered(identity: IssuedIdentity, key: PrivateKey) -> Self {
        Self::of(identity.signing, key, identity.encryption, &identity.authorities)
    }

    fn of(
        signing: Certificate,
        key: PrivateKey,
        encryption: Option<(Certificate, PrivateKey)>,
        above: &[Certificate],
    ) -> Self {
        // The root is known to whoever trusts it, and of no use to others.
        let above: Vec<_> = above.iter().filter(|one| !one.is_self_issued()).cloned().collect();
        let chain = |own: Certificate| [&[own], &above[..]].concat();
        Self {
            signing: KeyPair { chain: chain(signing), key },
            encryption: encryption.map(|(own, key)| KeyPair { chain: chain(own), key }),
        }
    }

    /// The certificate that is renewed.
    pub(crate) fn leaf(&self) -> Option<&Certificate> {
        self.signing.chain.first()
    }

    /// The last second at which all of it is valid.
    pub(crate) fn not_after(&self) -> i64 {
        let halves = [Some(&self.signing), self.encryption.as_ref()];
        let leaves = halves.into_iter().flatten().filter_map(|half| half.chain.first());
        leaves.map(Certificate::not_after).min().unwrap_or(i64::MIN)
    }
}

fn read(file: &Path) -> Result<KeyPair, StartError> {
    let text = Zeroizing::new(text(file)?);
    let at = text.find(CERTIFICATE_BEGIN).ok_or_else(|| wrong(file, &"no certificate"))?;
    let (key, certificates) = text.split_at_checked(at).unwrap_or((&text, ""));
    let key = PrivateKey::from_pkcs8_pem(key).map_err(|e| wrong(file, &e))?;
    let chain = Certificate::pem_many(certificates).map_err(|e| wrong(file, &e))?;
    if chain.first().is_none_or(|own| own.public_key() != key.public_key()) {
        return Err(wrong(file, &"the key does not belong to the certificate"));
    }
    Ok(KeyPair { chain, key })
}

fn write(file: &Path, half: &KeyPair) -> Result<(), StartError> {
    let mut text = half.key.to_pkcs8_pem().map_err(|e| wrong(file, &e))?;
    for certificate in &half.chain {
        text.push_str(&certificate.to_pem());
    }
    write_whole(file, text.as_bytes(), 0o600)
}

const CERTIFICATE_BEGIN: &str = "-----BEGIN CERTIFICATE-----";
