//! Asking for a time stamp.

use std::fmt;

use der::{
    Encode,
    asn1::{ObjectIdentifier, Uint},
};
use smkit::Sm3Digest;

use super::asn1::{Imprint, REQUEST, Request, VERSION};
use crate::{FormError, form::Form, limits::TIME_STAMP_REQUEST_BYTES_MAX};

/// A request for a time stamp over one SM3 digest (media type `application/timestamp-query`).
#[derive(Clone, PartialEq, Eq)]
pub struct TimeStampRequest {
    der: Vec<u8>,
    imprint: Sm3Digest,
    policy: Option<ObjectIdentifier>,
    nonce: Option<Vec<u8>>,
    wants_certificates: bool,
}

impl TimeStampRequest {
    /// Asks for a token with certificates. `nonce` must be fresh and random: it keeps old answers out.
    ///
    /// # Errors
    /// `policy` is not an object identifier in dotted form.
    pub fn new(
        imprint: &Sm3Digest,
        nonce: &[u8; 16],
        policy: Option<&str>,
    ) -> Result<Self, FormError> {
        let encoded = || -> der::Result<Vec<u8>> {
            let request = Request {
                version: VERSION,
                imprint: Imprint::new(imprint)?,
                policy: policy.map(ObjectIdentifier::new).transpose()?,
                nonce: Some(Uint::new(nonce)?),
                wants_certificates: true,
                extensions: None,
            };
            request.to_der()
        };
        Self::from_der(&encoded().map_err(|error| REQUEST.der(&error))?)
    }

    /// Parses DER strictly.
    ///
    /// # Errors
    /// See [`FormError`]; imprints with another digest than SM3 are refused by name.
    pub fn from_der(der: &[u8]) -> Result<Self, FormError> {
        let request: Request = REQUEST.read(der, TIME_STAMP_REQUEST_BYTES_MAX)?;
        if request.version != VERSION {
            return Err(REQUEST.malformed("not version 1"));
        }
        for extension in REQUEST.extensions(request.extensions.as_deref())? {
            REQUEST.pass_over(extension)?;
        }
        Ok(Self {
            der: der.to_vec(),
            imprint: request.imprint.read(REQUEST)?,
            policy: request.policy,
            nonce: read_nonce(REQUEST, request.nonce.as_ref())?,
            wants_certificates: request.wants_certificates,
        })
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The digest to be stamped.
    #[must_use]
    pub const fn imprint(&self) -> &Sm3Digest {
        &self.imprint
    }

    /// The policy asked for, in dotted form.
    #[must_use]
    pub fn policy(&self) -> Option<String> {
        self.policy.map(|policy| policy.to_string())
    }

    /// The nonce, big-endian without leading zero bytes.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// Whether the token is to hold the authority's certificates.
    #[must_use]
    pub const fn wants_certificates(&self) -> bool {
        self.wants_certificates
    }

    pub(super) const fn policy_oid(&self) -> Option<ObjectIdentifier> {
        self.policy
    }
}

impl fmt::Debug for TimeStampRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("TimeStampRequest")
            .field("imprint", &self.imprint)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

pub(super) fn read_nonce(form: Form, nonce: Option<&Uint>) -> Result<Option<Vec<u8>>, FormError> {
    let Some(nonce) = nonce else { return Ok(None) };
    if nonce.as_bytes().len() > NONCE_BYTES_MAX {
        return Err(form.malformed("a nonce of more than 32 bytes"));
    }
    Ok(Some(nonce.as_bytes().to_vec()))
}

const NONCE_BYTES_MAX: usize = 32;
