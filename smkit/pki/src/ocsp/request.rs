//! Asking.

use std::fmt;

use der::{Encode, asn1::OctetString};
use x509_cert::ext::Extension;

use super::{
    CertificateId,
    asn1::{NONCE, REQUEST, Request, SingleRequest, TbsRequest},
};
use crate::{
    FormError,
    form::{Form, extension},
    limits::{OCSP_BYTES_MAX, OCSP_CERTIFICATES_MAX},
};

/// A question about certificates of one issuer or several.
///
/// A requester's name and signature are read over: everybody may ask.
#[derive(Clone, PartialEq, Eq)]
pub struct OcspRequest {
    der: Vec<u8>,
    ids: Vec<CertificateId>,
    nonce: Option<Vec<u8>>,
}

impl OcspRequest {
    /// Asks about certificates, without a nonce: an answer made earlier will do.
    ///
    /// # Errors
    /// No certificate, or more than [`crate::OCSP_CERTIFICATES_MAX`].
    pub fn new(ids: &[CertificateId]) -> Result<Self, FormError> {
        Self::build(ids, None)
    }

    /// Asks with a nonce, which must be fresh and random: only an answer made for this request will do (RFC 9654).
    ///
    /// # Errors
    /// As [`OcspRequest::new`].
    pub fn with_nonce(ids: &[CertificateId], nonce: &[u8; 32]) -> Result<Self, FormError> {
        Self::build(ids, Some(nonce))
    }

    fn build(ids: &[CertificateId], nonce: Option<&[u8]>) -> Result<Self, FormError> {
        let encoded = || -> der::Result<Vec<u8>> {
            let single =
                |id: &CertificateId| id.write().map(|id| SingleRequest { id, extensions: None });
            let tbs = TbsRequest {
                version: 0,
                requestor: None,
                list: ids.iter().map(single).collect::<der::Result<_>>()?,
                extensions: nonce
                    .map(|nonce| nonce_extension(nonce).map(|one| vec![one]))
                    .transpose()?,
            };
            Request { tbs, signature: None }.to_der()
        };
        Self::from_der(&encoded().map_err(|error| REQUEST.der(&error))?)
    }

    /// Parses DER strictly.
    ///
    /// # Errors
    /// See [`FormError`]; a `CertID` with another digest than SM3 is refused.
    pub fn from_der(der: &[u8]) -> Result<Self, FormError> {
        let Request { tbs, signature: _ } = REQUEST.read(der, OCSP_BYTES_MAX)?;
        if tbs.version != 0 {
            return Err(REQUEST.malformed("not version 1"));
        }
        if tbs.list.is_empty() {
            return Err(REQUEST.malformed("no certificate"));
        }
        if tbs.list.len() > OCSP_CERTIFICATES_MAX {
            return Err(REQUEST.too_large(tbs.list.len()));
        }
        let mut ids = Vec::with_capacity(tbs.list.len());
        for single in &tbs.list {
            for extension in REQUEST.extensions(single.extensions.as_deref())? {
                REQUEST.pass_over(extension)?;
            }
            ids.push(CertificateId::read(REQUEST, &single.id)?);
        }
        let nonce = read_nonce(REQUEST, tbs.extensions.as_deref())?;
        Ok(Self { der: der.to_vec(), ids, nonce })
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// What is asked about, in order.
    #[must_use]
    pub fn ids(&self) -> &[CertificateId] {
        &self.ids
    }

    /// The nonce.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }
}

impl fmt::Debug for OcspRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("OcspRequest").field("ids", &self.ids).finish_non_exhaustive()
    }
}

/// The nonce among extensions of which none other is evaluated.
pub(super) fn read_nonce(
    form: Form,
    list: Option<&[Extension]>,
) -> Result<Option<Vec<u8>>, FormError> {
    let mut nonce = None;
    for extension in form.extensions(list)? {
        if extension.extn_id != NONCE {
            form.pass_over(extension)?;
            continue;
        }
        let value: OctetString = form.strict(extension.extn_value.as_bytes())?;
        // RFC 9654 §2.1.
        if !(1..=NONCE_BYTES_MAX).contains(&value.as_bytes().len()) {
            return Err(form.malformed("a nonce of wrong length"));
        }
        nonce = Some(value.as_bytes().to_vec());
    }
    Ok(nonce)
}

pub(super) fn nonce_extension(nonce: &[u8]) -> der::Result<Extension> {
    extension(NONCE, &OctetString::new(nonce)?)
}

const NONCE_BYTES_MAX: usize = 128;
