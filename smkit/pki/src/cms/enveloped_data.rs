//! Enveloped messages of GB/T 35275-2017 §9.

use std::fmt;

use der::{
    Encode,
    asn1::{Any, ObjectIdentifier, OctetString},
};
use smkit::{
    Random,
    sm2::{Ciphertext, PrivateKey},
    sm4::{self, Cbc},
};
use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use super::{
    CmsError, IssuerAndSerial,
    asn1::{EncryptedContent, Enveloped, EnvelopedMessage, RecipientInfo},
    dialect::{DATA, ENVELOPED},
};
use crate::{
    Certificate, FormError,
    form::Form,
    limits::{CMS_BYTES_MAX, CMS_RECIPIENTS_MAX},
    unsorted::Unsorted,
};

/// An enveloped message (数字信封数据, `EnvelopedData`): content under SM4-CBC, its key under SM2 for each recipient.
///
/// The format authenticates nothing: whoever has a recipient's certificate can make one, and CBC shows no alteration.
/// Sign inside or outside of it, and never let a stranger see whether [`EnvelopedData::open`] succeeds.
#[derive(Clone, PartialEq, Eq)]
pub struct EnvelopedData {
    der: Vec<u8>,
    recipients: Vec<(IssuerAndSerial, Ciphertext)>,
    iv: [u8; sm4::BLOCK_BYTES],
    content: Vec<u8>,
}

impl EnvelopedData {
    /// Encrypts `content` to the keys of certificates; whether they may be used for that
    /// ([`crate::Purpose::KeyEncipherment`]) is the caller's to verify.
    ///
    /// # Errors
    /// No recipient or more than [`crate::CMS_RECIPIENTS_MAX`], too much content, or the random source failed.
    pub fn seal(
        content: &[u8],
        recipients: &[Certificate],
        random: &mut dyn Random,
    ) -> Result<Self, CmsError> {
        if content.len() >= CMS_BYTES_MAX {
            return Err(FORM.too_large(content.len()).into());
        }
        let key = sm4::Key::generate(random).map_err(|_| CmsError::Encrypt)?;
        let mut iv = [0; sm4::BLOCK_BYTES];
        random.fill(&mut iv).map_err(|_| CmsError::Encrypt)?;
        let mut wrapped = Vec::with_capacity(recipients.len());
        for recipient in recipients {
            let encrypted = recipient.public_key().encrypt(key.expose(), random);
            wrapped.push((recipient, encrypted.map_err(|_| CmsError::Encrypt)?));
        }
        let mut encrypted = content.to_vec();
        Cbc::new(&key).encrypt(&iv, &mut encrypted);
        let der = encode(&wrapped, iv, encrypted).map_err(|error| FORM.der(&error))?;
        Ok(Self::from_der(&der)?)
    }

    /// Parses DER strictly; the order of recipients is free.
    ///
    /// # Errors
    /// See [`FormError`]; algorithms other than 1.2.156.10197.1.301.3 and SM4-CBC are refused by name.
    pub fn from_der(der: &[u8]) -> Result<Self, FormError> {
        let EnvelopedMessage { kind, content: enveloped }: EnvelopedMessage =
            FORM.read(der, CMS_BYTES_MAX)?;
        if kind != ENVELOPED || enveloped.content.kind != DATA {
            return Err(FORM.malformed("another kind of message"));
        }
        if enveloped.version != VERSION {
            return Err(FORM.malformed("another version"));
        }
        let count = enveloped.recipients.0.len();
        if count == 0 {
            return Err(FORM.malformed("no recipient"));
        }
        if count > CMS_RECIPIENTS_MAX {
            return Err(FORM.too_large(count));
        }
        let EncryptedContent { algorithm, content, .. } = enveloped.content;
        let recipients = enveloped.recipients.0.into_iter().map(read_recipient);
        Ok(Self {
            der: der.to_vec(),
            recipients: recipients.collect::<Result<_, _>>()?,
            iv: read_iv(&algorithm)?,
            content: content.as_bytes().to_vec(),
        })
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether the holder of this certificate is a recipient.
    #[must_use]
    pub fn is_for(&self, certificate: &Certificate) -> bool {
        self.recipients.iter().any(|(recipient, _)| recipient.names(certificate))
    }

    /// Decrypts the content with the key of a recipient's certificate.
    ///
    /// # Errors
    /// [`CmsError::Envelope`], whatever is wrong.
    pub fn open(
        &self,
        certificate: &Certificate,
        key: &PrivateKey,
    ) -> Result<Zeroizing<Vec<u8>>, CmsError> {
        let mut recipients = self.recipients.iter();
        let (_, wrapped) = recipients
            .find(|(recipient, _)| recipient.names(certificate))
            .ok_or(CmsError::Envelope)?;
        let key = key.decrypt(wrapped).map_err(|_| CmsError::Envelope)?;
        let key = sm4::Key::from_slice(&key).map_err(|_| CmsError::Envelope)?;
        let mut content = Zeroizing::new(self.content.clone());
        Cbc::new(&key).decrypt(&self.iv, &mut content).map_err(|_| CmsError::Envelope)?;
        Ok(content)
    }
}

impl fmt::Debug for EnvelopedData {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("EnvelopedData")
            .field("recipients", &self.recipients.len())
            .field("content_bytes", &self.content.len())
            .finish_non_exhaustive()
    }
}

fn encode(
    recipients: &[(&Certificate, Ciphertext)],
    iv: [u8; sm4::BLOCK_BYTES],
    content: Vec<u8>,
) -> der::Result<Vec<u8>> {
    let recipients = recipients.iter().map(|(certificate, key)| {
        Ok(RecipientInfo {
            version: VERSION,
            recipient: IssuerAndSerial::of(certificate)?,
            algorithm: AlgorithmIdentifierOwned { oid: SM2_ENCRYPTION, parameters: None },
            key: OctetString::new(key.to_der())?,
        })
    });
    let iv = Any::encode_from(&OctetString::new(iv.as_slice())?)?;
    let enveloped = Enveloped {
        version: VERSION,
        recipients: Unsorted::sorted(recipients.collect::<der::Result<_>>()?)?,
        content: EncryptedContent {
            kind: DATA,
            algorithm: AlgorithmIdentifierOwned { oid: SM4_CBC, parameters: Some(iv) },
            content: OctetString::new(content)?,
        },
    };
    EnvelopedMessage { kind: ENVELOPED, content: enveloped }.to_der()
}

fn read_recipient(info: RecipientInfo) -> Result<(IssuerAndSerial, Ciphertext), FormError> {
    if info.version != VERSION {
        return Err(FORM.malformed("a recipient who is not named by issuer and serial number"));
    }
    FORM.expect(&info.algorithm, SM2_ENCRYPTION)?;
    let key = Ciphertext::from_der(info.key.as_bytes())
        .map_err(|_| FORM.malformed("a key that is no SM2 ciphertext"))?;
    if key.message_bytes() != SM4_KEY_BYTES {
        return Err(FORM.malformed("a key of wrong length"));
    }
    Ok((info.recipient, key))
}

fn read_iv(algorithm: &AlgorithmIdentifierOwned) -> Result<[u8; sm4::BLOCK_BYTES], FormError> {
    if algorithm.oid != SM4_CBC {
        return Err(FORM.algorithm(&algorithm.oid));
    }
    let iv = algorithm.parameters.as_ref().and_then(|iv| iv.decode_as::<OctetString>().ok());
    iv.and_then(|iv| iv.as_bytes().try_into().ok())
        .ok_or_else(|| FORM.malformed("SM4-CBC without an IV of 16 bytes"))
}

const FORM: Form = Form("enveloped message");
const VERSION: u8 = 1;
const SM4_KEY_BYTES: usize = 16;
const SM2_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap(smkit::oid::SM2_ENCRYPTION);
/// SM4-CBC (GB/T 33560-2017).
const SM4_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.156.10197.1.104.2");
