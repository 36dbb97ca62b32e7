//! An authority at work on its directory.

use std::path::Path;

use smkit::Random;
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{
    Authority, Certificate, CertificationRequest, CertificationResponse, OcspResponder, Register,
    RevocationList, RevokedCertificate, SerialNumber, Terms, Validity,
};
use zeroize::Zeroizing;

use crate::AuthorityStoreError;
use crate::directory::{Directory, Lock, read_text, write_whole};
use crate::enrolment;
use crate::limits::{CHAIN_CERTIFICATES_MAX, LEEWAY_S};
use crate::line::Line;
use crate::log::Log;

/// An authority in its directory (见 `docs/pki.md`): certificate, key and register.
#[derive(Debug)]
pub struct AuthorityStore {
    directory: Directory,
    authority: Authority,
    chain: Vec<Certificate>,
    register: Register,
    log: Log,
    _lock: Lock,
}

/// What was issued to one subject.
#[derive(Debug)]
pub struct Issued {
    /// The certificate for the subject's own key.
    pub signing: Certificate,
    /// The encryption certificate and its key, which the authority made.
    pub encryption: Option<(Certificate, PrivateKey)>,
}

impl AuthorityStore {
    /// Writes a new authority into an empty or missing directory. `chain` holds the authorities above it, nearest
    /// first, without the root; with a passphrase the key is encrypted (PBES2 with SM4, GM/T 0091).
    ///
    /// # Errors
    /// [`AuthorityStoreError::Exists`] when an authority is there; otherwise see [`AuthorityStoreError`].
    pub fn create(
        dir: &Path,
        authority: Authority,
        chain: &[Certificate],
        passphrase: Option<&str>,
        random: &mut dyn Random,
    ) -> Result<Self, AuthorityStoreError> {
        let directory = Directory(dir.to_owned());
        let lock = directory.lock()?;
        if directory.certificate().exists() || directory.register().exists() {
            return Err(AuthorityStoreError::Exists { dir: dir.to_owned() });
        }
        let pem = key_pem(authority.key(), passphrase, random)
            .map_err(|reason| AuthorityStoreError::damaged(&directory.key(), reason))?;
        write_whole(&directory.key(), pem.as_bytes(), 0o600)?;
        write_whole(&directory.chain(), pems(chain).as_bytes(), 0o644)?;
        let log = Log::open(&directory, authority.certificate())?;
        // The certificate goes last: its presence means that everything is there.
        write_whole(&directory.certificate(), authority.certificate().to_pem().as_bytes(), 0o644)?;
        let (chain, register) = (chain.to_vec(), Register::new());
        Ok(Self { directory, authority, chain, register, log, _lock: lock })
    }

    /// Opens an authority and reads its register.
    ///
    /// # Errors
    /// See [`AuthorityStoreError`]; whatever is damaged is named.
    pub fn open(dir: &Path, passphrase: Option<&str>) -> Result<Self, AuthorityStoreError> {
        let directory = Directory(dir.to_owned());
        let lock = directory.lock()?;
        let certificate = directory.certificate();
        let text = needed(&certificate)?;
        let own = Certificate::from_pem(&text)
            .map_err(|e| AuthorityStoreError::damaged(&certificate, e.to_string()))?;
        let chain = read_chain(&directory)?;
        let above = if own.is_self_issued() { Some(&own) } else { chain.first() };
        if let Some(above) = above {
            own.verify_issued_by(above)
                .map_err(|e| AuthorityStoreError::damaged(&certificate, e.to_string()))?;
        }
        let key = read_key(&directory.key(), passphrase)?;
        let authority = Authority::new(own, key)
            .map_err(|e| AuthorityStoreError::damaged(&directory.key(), e.to_string()))?;
        let mut log = Log::open(&directory, authority.certificate())?;
        let register = log.replay()?;
        Ok(Self { directory, authority, chain, register, log, _lock: lock })
    }

    /// The authority's own certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        self.authority.certificate()
    }

    /// The authorities above it, nearest first, without the root.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// Everything issued and revoked.
    #[must_use]
    pub fn register(&self) -> &Register {
        &self.register
    }

    /// Answers an OCSP request (DER) with a whole response (DER), good for `lifetime_s` seconds.
    ///
    /// # Errors
    /// The authority's key cannot sign answers: a defect.
    pub fn ocsp(
        &self,
        request: &[u8],
        lifetime_s: i64,
        now_s: i64,
    ) -> Result<Vec<u8>, AuthorityStoreError> {
        let damaged = |reason: String| AuthorityStoreError::damaged(&self.directory.key(), reason);
        let key = SigningKey::new(self.authority.key().clone(), SignerId::DEFAULT)
            .map_err(|e| damaged(e.to_string()))?;
        let own = self.certificate().clone();
        let responder =
            OcspResponder::new(own.clone(), own, key).map_err(|e| damaged(e.to_string()))?;
        let due = now_s.saturating_add(lifetime_s);
        Ok(responder.answer(request, &self.register, now_s, due))
    }

    /// Issues a certificate on these terms; with `pair`, an encryption certificate as well, whose key is made here.
    ///
    /// # Errors
    /// See [`AuthorityStoreError`]; what is returned is in the register, durably.
    pub fn issue(
        &mut self,
        terms: &Terms<'_>,
        pair: bool,
        now_s: i64,
        random: &mut dyn Random,
    ) -> Result<Issued, AuthorityStoreError> {
        if !pair {
            let signing = self.authority.issue_on(terms, random)?;
            self.record(&[&signing], now_s)?;
            return Ok(Issued { signing, encryption: None });
        }
        let key = PrivateKey::generate(random)?;
        let (signing, encryption) = self.authority.issue_pair(terms, key.public_key(), random)?;
        self.record(&[&signing, &encryption], now_s)?;
        Ok(Issued { signing, encryption: Some((encryption, key)) })
    }

    /// Answers the request of whoever holds `shown`, a TLS certificate of this authority that the connection has
    /// verified: the same subject, hosts and profile with a new key, valid for `lifetime_s` seconds from now. Servers
    /// and nodes get a pair, since TLCP needs one.
    ///
    /// # Errors
    /// [`AuthorityStoreError::Refused`], or as [`AuthorityStore::issue`].
    pub fn enrol(
        &mut self,
        shown: &Certificate,
        request: &CertificationRequest,
        lifetime_s: i64,
        now_s: i64,
        random: &mut dyn Random,
    ) -> Result<CertificationResponse, AuthorityStoreError> {
        let profile = enrolment::judge(&self.register, shown, request, now_s)?;
        let validity = Validity {
            not_before: now_s.saturating_sub(LEEWAY_S),
            not_after: now_s.saturating_add(lifetime_s).min(self.certificate().not_after()),
        };
        let code = shown.organisation_code();
        let terms = Terms {
            organisation_code: code.as_deref(),
            hosts: shown.alternative_names().cloned().unwrap_or_default(),
            crl_uris: shown.crl_uris().to_vec(),
            ocsp_uris: shown.ocsp_uris().to_vec(),
            ..Terms::new(request.subject().clone(), request.public_key(), profile, validity)
        };
        let pair = !terms.hosts.is_empty();
        let issued = self.issue(&terms, pair, now_s, random)?;
        let above = [std::slice::from_ref(self.certificate()), &self.chain].concat();
        let response = match &issued.encryption {
            Some((encryption, key)) => {
                CertificationResponse::pair(&issued.signing, encryption, key, &above, random)?
            }
            None => CertificationResponse::signing_only(&[&[issued.signing], &above[..]].concat())?,
        };
        Ok(response)
    }

    /// Revokes a certificate.
    ///
    /// # Errors
    /// It was never issued, is revoked already, or the register cannot be written; nothing has changed then.
    pub fn revoke(&mut self, revocation: RevokedCertificate) -> Result<(), AuthorityStoreError> {
        let mut next = self.register.clone();
        next.revoke(revocation)?;
        self.log.append(&[Line::revoked(&revocation)])?;
        self.register = next;
        Ok(())
    }

    /// Ends a hold.
    ///
    /// # Errors
    /// It is not on hold, or the register cannot be written; nothing has changed then.
    pub fn release(&mut self, serial: SerialNumber, now_s: i64) -> Result<(), AuthorityStoreError> {
        let mut next = self.register.clone();
        next.release(serial)?;
        self.log.append(&[Line::Released { at: now_s, serial: serial.to_string() }])?;
        self.register = next;
        Ok(())
    }

    /// Signs a list of everything revoked, due for renewal after `lifetime_s` seconds, and keeps it as `ca.crl.pem`.
    ///
    /// # Errors
    /// See [`AuthorityStoreError`].
    pub fn revocation_list(
        &mut self,
        lifetime_s: i64,
        now_s: i64,
    ) -> Result<RevocationList, AuthorityStoreError> {
        let mut next = self.register.clone();
        let due = now_s.saturating_add(lifetime_s);
        let list = next.revocation_list(&self.authority, now_s, due)?;
        self.log.append(&[Line::List { at: now_s, number: next.lists() }])?;
        self.register = next;
        write_whole(&self.directory.list(), list.to_pem().as_bytes(), 0o644)?;
        Ok(list)
    }

    /// The newest list, if it still says everything and is good for half its life; otherwise a new one.
    ///
    /// # Errors
    /// As [`AuthorityStore::revocation_list`].
    pub fn current_list(
        &mut self,
        lifetime_s: i64,
        now_s: i64,
    ) -> Result<RevocationList, AuthorityStoreError> {
        // A list that cannot be read is made anew: everything in it stands in the register.
        let kept = read_text(&self.directory.list())?;
        let kept = kept.and_then(|pem| RevocationList::from_pem(&pem).ok()).filter(|list| {
            let half = now_s.saturating_add(lifetime_s / 2);
            list.entries().iter().copied().eq(self.register.revoked())
                && list.next_update() > half
                && list.this_update() <= now_s
                && list.verify(self.certificate()).is_ok()
        });
        match kept {
            Some(list) => Ok(list),
            None => self.revocation_list(lifetime_s, now_s),
        }
    }

    /// Enters certificates and makes the entries durable, before anybody sees the certificates.
    fn record(&mut self, issued: &[&Certificate], now_s: i64) -> Result<(), AuthorityStoreError> {
        for certificate in issued {
            self.register.record(certificate)?;
        }
        let lines: Vec<Line> = issued.iter().map(|one| Line::issued(now_s, one)).collect();
        self.log.append(&lines)
    }
}

fn read_chain(directory: &Directory) -> Result<Vec<Certificate>, AuthorityStoreError> {
    let path = directory.chain();
    let text = read_text(&path)?.unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let chain = Certificate::pem_many(&text)
        .map_err(|e| AuthorityStoreError::damaged(&path, e.to_string()))?;
    if chain.len() > CHAIN_CERTIFICATES_MAX {
        return Err(AuthorityStoreError::damaged(&path, "too many certificates"));
    }
    Ok(chain)
}

fn read_key(path: &Path, passphrase: Option<&str>) -> Result<PrivateKey, AuthorityStoreError> {
    let pem = needed(path)?;
    if pem.contains("ENCRYPTED PRIVATE KEY") {
        let refused = || AuthorityStoreError::Passphrase { file: path.to_owned() };
        let passphrase = passphrase.ok_or_else(refused)?;
        return PrivateKey::from_encrypted_pkcs8_pem(&pem, passphrase.as_bytes())
            .map_err(|_| refused());
    }
    PrivateKey::from_pkcs8_pem(&pem).map_err(|e| AuthorityStoreError::damaged(path, e.to_string()))
}

fn key_pem(
    key: &PrivateKey,
    passphrase: Option<&str>,
    random: &mut dyn Random,
) -> Result<Zeroizing<String>, String> {
    match passphrase {
        Some(passphrase) => key
            .to_encrypted_pkcs8_pem(passphrase.as_bytes(), random)
            .map(Zeroizing::new)
            .map_err(|e| e.to_string()),
        None => key.to_pkcs8_pem().map_err(|e| e.to_string()),
    }
}

fn needed(path: &Path) -> Result<Zeroizing<String>, AuthorityStoreError> {
    read_text(path)?.ok_or_else(|| AuthorityStoreError::damaged(path, "the file is missing"))
}

fn pems(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::to_pem).collect()
}
