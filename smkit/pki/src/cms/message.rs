//! A parsed `SignedData` of either dialect, and the verification of its signatures.

use der::{
    Decode, Encode,
    asn1::{Any, OctetString},
};
use smkit::sm2::Signature;

use super::{
    Attributes, CmsError, Dialect,
    asn1::{IssuerAndSerial, SignedMessage, SignerInfo},
    attributes::{attribute, is_attributes},
};
use crate::{
    Certificate, FormError, RevocationList, SerialNumber,
    limits::{CMS_BYTES_MAX, CMS_CERTIFICATES_MAX, CMS_LISTS_MAX, CMS_SIGNERS_MAX},
    unsorted::Unsorted,
};

/// A signed message of one dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) der: Vec<u8>,
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) certificates: Vec<Certificate>,
    pub(super) lists: Vec<RevocationList>,
    pub(crate) signers: Vec<MessageSigner>,
}

/// One signer of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageSigner {
    pub(crate) signer: IssuerAndSerial,
    pub(crate) attributes: Option<Attributes>,
    pub(crate) signature: Signature,
    pub(super) time_stamp: Option<Vec<u8>>,
    /// How many attributes are not signed, the time stamp included.
    pub(super) unsigned: usize,
}

impl Message {
    pub(crate) fn from_der(dialect: &Dialect, der: &[u8]) -> Result<Self, FormError> {
        let form = dialect.form;
        let SignedMessage { kind, content: signed }: SignedMessage =
            form.read(der, CMS_BYTES_MAX)?;
        if kind != dialect.kind {
            return Err(form.malformed("another kind of message"));
        }
        if signed.version != dialect.version {
            return Err(form.malformed("another version"));
        }
        if signed.content.kind != dialect.content {
            return Err(form.malformed("another kind of content"));
        }
        if signed.digests.0.is_empty() || signed.signers.0.is_empty() {
            return Err(form.malformed("no signer"));
        }
        let too_many = |count: usize, max: usize| {
            if count > max { Err(form.too_large(count)) } else { Ok(()) }
        };
        too_many(signed.digests.0.len(), CMS_SIGNERS_MAX)?;
        too_many(signed.signers.0.len(), CMS_SIGNERS_MAX)?;
        too_many(count(signed.certificates.as_ref()), CMS_CERTIFICATES_MAX)?;
        too_many(count(signed.lists.as_ref()), CMS_LISTS_MAX)?;
        signed.digests.0.iter().try_for_each(|digest| form.sm3(digest))?;
        let signers = signed.signers.0.into_iter().map(|signer| read_signer(dialect, signer));
        Ok(Self {
            der: der.to_vec(),
            content: signed.content.content.map(OctetString::into_bytes).map(Into::into),
            certificates: read_each(dialect, signed.certificates.as_ref(), |der| {
                Certificate::from_der(der).map_err(FormError::from)
            })?,
            lists: read_each(dialect, signed.lists.as_ref(), RevocationList::from_der)?,
            signers: signers.collect::<Result<_, _>>()?,
        })
    }

    /// The message with a time stamp over its only signature (RFC 3161 appendix A).
    pub(super) fn stamped(&self, dialect: &Dialect, token: &[u8]) -> Result<Self, FormError> {
        let form = dialect.form;
        let mut message: SignedMessage = form.read(&self.der, CMS_BYTES_MAX)?;
        let [signer] = message.content.signers.0.as_mut_slice() else {
            return Err(form.malformed("not exactly one signer"));
        };
        if signer.unsigned.is_some() {
            return Err(form.malformed("a signature that is stamped already"));
        }
        let stamp = Any::from_der(token)
            .and_then(|token| attribute(TIME_STAMP_TOKEN, &token))
            .map_err(|error| form.der(&error))?;
        signer.unsigned = Some(Unsorted(vec![stamp]));
        let der = message.to_der().map_err(|error| form.der(&error))?;
        Self::from_der(dialect, &der)
    }

    /// The content: inside, or given beside the message.
    pub(crate) fn content_with<'a>(
        &'a self,
        beside: Option<&'a [u8]>,
    ) -> Result<&'a [u8], CmsError> {
        match (self.content.as_deref(), beside) {
            (Some(inside), None) => Ok(inside),
            (None, Some(beside)) => Ok(beside),
            (Some(inside), Some(beside)) if inside == beside => Ok(inside),
            _ => Err(CmsError::Content),
        }
    }

    /// Verifies one signature over `content`, and gives the certificate whose key made it.
    pub(crate) fn verify_signer<'a>(
        &'a self,
        signer: &MessageSigner,
        content: &[u8],
        known: &'a [Certificate],
    ) -> Result<&'a Certificate, CmsError> {
        let mut certificates = self.certificates.iter().chain(known);
        let certificate =
            certificates.find(|certificate| signer.signer.names(certificate)).ok_or_else(|| {
                let serial = SerialNumber::from_asn1(&signer.signer.serial);
                let serial = serial.map(|serial| serial.to_string()).unwrap_or_default();
                CmsError::NoCertificate { serial }
            })?;
        let key = certificate.verifying_key();
        let verified = match &signer.attributes {
            // GB/T 35275-2017 §8.2: without attributes the content octets themselves are signed.
            None if is_attributes(content) => return Err(CmsError::Disguised),
            None => key.verify(content, &signer.signature),
            Some(attributes) if !attributes.is_of(content) => return Err(CmsError::Digest),
            Some(attributes) => {
                let signed = attributes.signed_bytes().map_err(|_| CmsError::Signature)?;
                key.verify(&signed, &signer.signature)
            }
        };
        verified.map(|()| certificate).map_err(|_| CmsError::Signature)
    }
}

fn count<T>(set: Option<&Unsorted<T>>) -> usize {
    set.map_or(0, |set| set.0.len())
}

fn read_signer(dialect: &Dialect, info: SignerInfo) -> Result<MessageSigner, FormError> {
    let form = dialect.form;
    if info.version != SIGNER_VERSION {
        return Err(form.malformed("a signer who is not named by issuer and serial number"));
    }
    form.sm3(&info.digest)?;
    form.expect(&info.algorithm, dialect.signature)?;
    if info.attributes.is_none() && dialect.attributes_required {
        return Err(form.malformed("a signature without attributes"));
    }
    let attributes = info
        .attributes
        .map(|attributes| Attributes::read(form, attributes, dialect.content))
        .transpose()?;
    let unsigned = info.unsigned.as_ref().map_or(0, |unsigned| unsigned.0.len());
    let time_stamp = info.unsigned.as_ref().and_then(|unsigned| {
        let found = unsigned.0.iter().find(|attribute| attribute.oid == TIME_STAMP_TOKEN)?;
        found.values.iter().next().map(Encode::to_der)
    });
    Ok(MessageSigner {
        signer: info.signer,
        attributes,
        signature: form.signature_octets(info.signature.as_bytes())?,
        time_stamp: time_stamp.transpose().map_err(|error| form.der(&error))?,
        unsigned,
    })
}

fn read_each<T>(
    dialect: &Dialect,
    set: Option<&Unsorted<Any>>,
    read: impl Fn(&[u8]) -> Result<T, FormError>,
) -> Result<Vec<T>, FormError> {
    let elements = set.map(|set| set.0.as_slice()).unwrap_or_default();
    elements
        .iter()
        .map(|element| read(&element.to_der().map_err(|error| dialect.form.der(&error))?))
        .collect()
}

/// The signer is named by issuer and serial number (RFC 5652 §5.3).
pub(super) const SIGNER_VERSION: u8 = 1;
/// id-aa-timeStampToken (RFC 3161 appendix A).
const TIME_STAMP_TOKEN: der::asn1::ObjectIdentifier =
    der::asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.14");
