//! Signed messages of GB/T 35275-2017 §8.

use std::fmt;

use smkit::{Sm3Digest, sm2::SigningKey, sm3};

use super::{Attributes, CmsError, Draft, Message, dialect::GB_T_35275, sign};
use crate::{
    Certificate, DistinguishedName, FormError, Purpose, RevocationList, SerialNumber,
    TimeStampToken, Validator, VerifiedPath,
};

/// A signed message (签名数据, `SignedData`), with its content inside or beside it.
///
/// Signatures are SM2 with the default signer ID over the content, or over signed attributes that hold its SM3. Parsing
/// proves form, not origin. Attributes that are not signed, a time stamp above all, must be judged on their own.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedData(Message);

/// A signer of a message to be made.
#[derive(Clone, Copy, Debug)]
pub struct CmsSigner<'a> {
    /// Whose signature it is.
    pub certificate: &'a Certificate,
    /// The certificate's key, bound to the default signer ID.
    pub key: &'a SigningKey,
    /// Whether to sign attributes with the content's digest instead of the content itself.
    pub with_attributes: bool,
    /// The signer's claim of when, in Unix seconds; only with attributes.
    pub signing_time: Option<i64>,
}

/// A signer of a message, by its own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Who issued the signer's certificate.
    pub issuer: DistinguishedName,
    /// Its serial number; `None` if it is zero or longer than 20 bytes.
    pub serial: Option<SerialNumber>,
    /// The signer's claim of when, in Unix seconds.
    pub signing_time: Option<i64>,
    /// A time stamp over the signature, in DER, not judged.
    pub time_stamp_token: Option<Vec<u8>>,
    /// How many attributes no signature covers, a time stamp included. Whoever wants every byte covered refuses others.
    pub unsigned_attributes: usize,
    /// SM3 of the signature: what such a time stamp must be over (RFC 3161 appendix A).
    pub signature_sm3: Sm3Digest,
}

/// A signer whose signature and certificate were verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSigner {
    /// From the signer's certificate to the anchor.
    pub path: VerifiedPath,
    /// The signer's claim of when, in Unix seconds; nothing proves it.
    pub signing_time: Option<i64>,
}

impl SignedData {
    /// Signs `content`, which goes into the message if `attached`. The signers' certificates go along, and
    /// `authorities`. Deterministic: the same input gives the same bytes.
    ///
    /// # Errors
    /// A key that is not its certificate's, no signer, or more of anything than [`crate::CMS_SIGNERS_MAX`] and
    /// [`crate::CMS_CERTIFICATES_MAX`] allow.
    pub fn sign(
        content: &[u8],
        attached: bool,
        signers: &[CmsSigner<'_>],
        authorities: &[Certificate],
    ) -> Result<Self, CmsError> {
        let mut certificates: Vec<Certificate> = Vec::new();
        for certificate in signers.iter().map(|signer| signer.certificate).chain(authorities) {
            if !certificates.contains(certificate) {
                certificates.push(certificate.clone());
            }
        }
        let drafts = signers
            .iter()
            .map(|signer| {
                let attributes = signer.with_attributes.then(|| {
                    Attributes::new(GB_T_35275.content, content, signer.signing_time, Vec::new())
                });
                let attributes =
                    attributes.transpose().map_err(|error| GB_T_35275.form.der(&error))?;
                Ok(Draft { certificate: signer.certificate, key: signer.key, attributes })
            })
            .collect::<Result<_, FormError>>()?;
        sign(&GB_T_35275, content, attached, drafts, &certificates).map(Self)
    }

    /// The message with a time stamp over its only signature, [`Signer::signature_sm3`], as an attribute that is not signed
    /// (RFC 3161 appendix A). Whether the token is over it is the verifier's to see.
    ///
    /// # Errors
    /// [`FormError`] for a message with several signers or one that is stamped already.
    pub fn with_time_stamp(&self, token: &TimeStampToken) -> Result<Self, FormError> {
        self.0.stamped(&GB_T_35275, token.der()).map(Self)
    }

    /// Parses DER strictly; the order of certificates and signers is free.
    ///
    /// # Errors
    /// See [`FormError`]; algorithms other than SM3 and 1.2.156.10197.1.301.1 are refused by name.
    pub fn from_der(der: &[u8]) -> Result<Self, FormError> {
        Message::from_der(&GB_T_35275, der).map(Self)
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The content, if it is inside.
    #[must_use]
    pub fn content(&self) -> Option<&[u8]> {
        self.0.content.as_deref()
    }

    /// The certificates sent along.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0.certificates
    }

    /// The revocation lists sent along, for a [`crate::Revocation`].
    #[must_use]
    pub fn revocation_lists(&self) -> &[RevocationList] {
        &self.0.lists
    }

    /// Who signed, by the message's own account.
    #[must_use]
    pub fn signers(&self) -> Vec<Signer> {
        let signers = self.0.signers.iter();
        signers
            .map(|signer| Signer {
                issuer: DistinguishedName(signer.signer.issuer.clone()),
                serial: SerialNumber::from_asn1(&signer.signer.serial),
                signing_time: signer.attributes.as_ref().and_then(Attributes::signing_time),
                time_stamp_token: signer.time_stamp.clone(),
                unsigned_attributes: signer.unsigned,
                signature_sm3: sm3(&signer.signature.to_der()),
            })
            .collect()
    }

    /// Verifies every signature, and nothing about the certificates. `beside` is the content if it is not inside; `known`
    /// are certificates that need not be in the message. Gives the signers' certificates in the message's order.
    ///
    /// # Errors
    /// The first signature that fails; see [`CmsError`].
    pub fn verify_signatures<'a>(
        &'a self,
        beside: Option<&[u8]>,
        known: &'a [Certificate],
    ) -> Result<Vec<&'a Certificate>, CmsError> {
        let content = self.0.content_with(beside)?;
        let signers = self.0.signers.iter();
        signers.map(|signer| self.0.verify_signer(signer, content, known)).collect()
    }

    /// Verifies every signature and every signer's certificate at one moment.
    ///
    /// # Errors
    /// The first signer that fails; see [`CmsError`].
    pub fn verify(
        &self,
        beside: Option<&[u8]>,
        validator: &Validator,
        purpose: Purpose,
        at_unix_seconds: i64,
    ) -> Result<Vec<VerifiedSigner>, CmsError> {
        let content = self.0.content_with(beside)?;
        self.0
            .signers
            .iter()
            .map(|signer| {
                let leaf = self.0.verify_signer(signer, content, &[])?;
                let others = self.0.certificates.iter().filter(|other| *other != leaf);
                let chain: Vec<_> = std::iter::once(leaf).chain(others).cloned().collect();
                let path = validator.verify(&chain, purpose, at_unix_seconds, None)?;
                let signing_time = signer.attributes.as_ref().and_then(Attributes::signing_time);
                Ok(VerifiedSigner { path, signing_time })
            })
            .collect()
    }
}

impl fmt::Debug for SignedData {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SignedData")
            .field("content_bytes", &self.content().map(<[u8]>::len))
            .field("signers", &self.signers())
            .finish_non_exhaustive()
    }
}
