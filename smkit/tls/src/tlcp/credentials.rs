//! Who this side is: the pair of certificates (双证书) with their keys.

use std::fmt;

use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit_pki::{Certificate, KeyUsage};

use super::{
    error::ConfigError,
    limits::{CERTIFICATE_MESSAGE_BYTES_MAX, CHAIN_CERTIFICATES_MAX},
    messages::{Message, MessageKind, put_certificate_list},
};

/// A signing and an encryption certificate of one subject, their private keys, and the authorities above them.
pub struct Credentials {
    chain: Vec<Certificate>,
    signing: SigningKey,
    encryption: PrivateKey,
    /// The Certificate message, the same in every handshake.
    message: Message,
    /// The same without the encryption certificate.
    signing_message: Message,
}

impl Credentials {
    /// Joins certificates and keys; `authorities` are sent along, nearest first, the root may be left out.
    ///
    /// # Errors
    /// See [`ConfigError`]: keys, subjects or key usages that no peer would accept.
    pub fn new(
        signing: (Certificate, PrivateKey),
        encryption: (Certificate, PrivateKey),
        authorities: Vec<Certificate>,
    ) -> Result<Self, ConfigError> {
        for (half, (certificate, key)) in [("signing", &signing), ("encryption", &encryption)] {
            if certificate.public_key() != key.public_key() {
                return Err(ConfigError::KeyMismatch { half });
            }
        }
        if !may_sign(&signing.0) {
            return Err(ConfigError::KeyUsage { half: "signing" });
        }
        if !may_encrypt(&encryption.0) {
            return Err(ConfigError::KeyUsage { half: "encryption" });
        }
        if signing.0.subject() != encryption.0.subject() {
            return Err(ConfigError::SubjectsDiffer);
        }
        let key = SigningKey::new(signing.1, SignerId::DEFAULT);
        let key = key.map_err(|_| ConfigError::KeyMismatch { half: "signing" })?;
        let mut chain = vec![signing.0, encryption.0];
        chain.extend(authorities);
        let ders = || chain.iter().map(Certificate::der);
        let message = write(ders());
        let signing_message = write(ders().take(1).chain(ders().skip(2)));
        let fits = message.body().len() <= CERTIFICATE_MESSAGE_BYTES_MAX;
        if chain.len() > CHAIN_CERTIFICATES_MAX || !fits {
            return Err(ConfigError::ChainTooLong);
        }
        Ok(Self { chain, signing: key, encryption: encryption.1, message, signing_message })
    }

    /// The certificates as they are sent: signing, encryption, authorities.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.chain
    }

    pub(crate) const fn signing_key(&self) -> &SigningKey {
        &self.signing
    }

    pub(crate) const fn encryption_key(&self) -> &PrivateKey {
        &self.encryption
    }

    pub(crate) const fn message(&self) -> &Message {
        &self.message
    }

    pub(crate) const fn signing_message(&self) -> &Message {
        &self.signing_message
    }

    /// DER of the encryption certificate, which the server signs.
    pub(crate) fn encryption_der(&self) -> &[u8] {
        self.chain.get(1).map(Certificate::der).unwrap_or_default()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credentials").field("chain", &self.chain).finish_non_exhaustive()
    }
}

fn write<'a>(ders: impl Iterator<Item = &'a [u8]>) -> Message {
    Message::write(MessageKind::Certificate, |out| put_certificate_list(out, ders))
}

/// keyUsage of a signing certificate (签名证书).
pub(crate) fn may_sign(certificate: &Certificate) -> bool {
    certificate.key_usage().digital_signature()
}

/// keyUsage of an encryption certificate (加密证书): GM/T 0015 lists keyEncipherment, dataEncipherment, keyAgreement, and
/// authorities set them in every combination, so one of them is enough.
pub(crate) fn may_encrypt(certificate: &Certificate) -> bool {
    let usage: KeyUsage = certificate.key_usage();
    usage.key_encipherment() || usage.data_encipherment() || usage.key_agreement()
}
