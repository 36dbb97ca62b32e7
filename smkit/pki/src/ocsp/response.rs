//! Answers, and whether to believe them.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use der::{
    Encode,
    asn1::{Any, GeneralizedTime},
};
use smkit::{Sm3Digest, sm2::Signature, sm3};
use x509_cert::time::Time;

use super::{
    CertificateId, OcspError, OcspRequest,
    asn1::{
        BASIC, BasicResponse, CertStatus, RESPONSE, ResponderId, Response, ResponseBytes,
        ResponseStatus, SingleResponse,
    },
    request::read_nonce,
};
use crate::{
    Certificate, FormError, PathError, Purpose, RevocationReason, RevokedCertificate,
    asn1::unix_seconds,
    limits::{OCSP_BYTES_MAX, OCSP_CERTIFICATES_MAX, OCSP_RESPONDERS_MAX},
    path,
};

/// A responder's answer, parsed and immutable; cloning is cheap.
///
/// Parsing proves form, not origin: see [`OcspResponse::verify`].
#[derive(Clone)]
pub struct OcspResponse(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    tbs_der: Vec<u8>,
    responder: ResponderId,
    produced_at: i64,
    answers: Vec<OcspAnswer>,
    nonce: Option<Vec<u8>>,
    signature: Signature,
    certificates: Vec<Certificate>,
    /// The issuer in whose name this was found to speak.
    verified: OnceLock<Sm3Digest>,
}

/// What is said about one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OcspAnswer {
    /// Which certificate.
    pub id: CertificateId,
    /// What is known of it.
    pub status: CertificateStatus,
    /// When that was known, in Unix seconds.
    pub this_update: i64,
    /// When more will be known, in Unix seconds; `None` means at any time.
    pub next_update: Option<i64>,
}

/// The state of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Issued, and not revoked.
    Good,
    /// Revoked.
    Revoked(RevokedCertificate),
    /// The responder does not know it.
    Unknown,
}

/// Why a responder gave no answer (`OCSPResponseStatus`, RFC 6960 §4.2.1). Nobody signs this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OcspFailure {
    /// 1: the request was malformed.
    MalformedRequest,
    /// 2: something broke.
    InternalError,
    /// 3: later, perhaps.
    TryLater,
    /// 5: requests must be signed.
    SignatureRequired,
    /// 6: this responder does not answer that.
    Unauthorized,
}

impl OcspFailure {
    /// The name of the standard.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SignatureRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }

    /// The whole response that says so, in DER.
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        let status = match self {
            Self::MalformedRequest => ResponseStatus::MalformedRequest,
            Self::InternalError => ResponseStatus::InternalError,
            Self::TryLater => ResponseStatus::TryLater,
            Self::SignatureRequired => ResponseStatus::SigRequired,
            Self::Unauthorized => ResponseStatus::Unauthorized,
        };
        // Five bytes of constant form.
        Response { status, bytes: None }.to_der().unwrap_or_default()
    }
}

impl OcspResponse {
    /// Parses DER strictly.
    ///
    /// # Errors
    /// [`OcspError::Form`]; [`OcspError::Failure`] if it is well-formed and no answer.
    pub fn from_der(der: &[u8]) -> Result<Self, OcspError> {
        let response: Response = RESPONSE.read(der, OCSP_BYTES_MAX)?;
        let ResponseBytes { kind, response } = match (response.status, response.bytes) {
            (ResponseStatus::Successful, Some(bytes)) => bytes,
            (ResponseStatus::Successful, None) => {
                return Err(RESPONSE.malformed("success without an answer").into());
            }
            (_, Some(_)) => return Err(RESPONSE.malformed("an answer without success").into()),
            (status, None) => return Err(failure(status)),
        };
        if kind != BASIC {
            return Err(RESPONSE.malformed("not a basic response").into());
        }
        let basic: BasicResponse = RESPONSE.strict(response.as_bytes())?;
        RESPONSE.sm2_with_sm3(&basic.algorithm)?;
        let signature = RESPONSE.signature(&basic.signature)?;
        let tbs = basic.tbs;
        if tbs.version != 0 {
            return Err(RESPONSE.malformed("not version 1").into());
        }
        let tbs_der = tbs.to_der().map_err(|error| RESPONSE.der(&error))?;
        Ok(Self(Arc::new(Inner {
            der: der.to_vec(),
            tbs_der,
            produced_at: general(tbs.produced_at),
            answers: read_answers(&tbs.responses)?,
            nonce: read_nonce(RESPONSE, tbs.extensions.as_deref())?,
            responder: tbs.responder,
            signature,
            certificates: read_certificates(basic.certificates.as_deref())?,
            verified: OnceLock::new(),
        })))
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// When it was signed, in Unix seconds.
    #[must_use]
    pub fn produced_at(&self) -> i64 {
        self.0.produced_at
    }

    /// What is said, in order.
    #[must_use]
    pub fn answers(&self) -> &[OcspAnswer] {
        &self.0.answers
    }

    /// What is said about one certificate.
    #[must_use]
    pub fn find(&self, id: &CertificateId) -> Option<&OcspAnswer> {
        self.0.answers.iter().find(|answer| answer.id == *id)
    }

    /// Verifies that this speaks for `issuer`: signed by its key, or by a responder with a certificate of that issuer for
    /// [`Purpose::OcspSigning`], valid when it signed. The answer for one issuer is remembered. Says nothing about
    /// freshness, nor about the issuer's own certificate; a responder's certificate is not itself looked up.
    ///
    /// # Errors
    /// See [`OcspError`].
    pub fn verify(&self, issuer: &Certificate) -> Result<(), OcspError> {
        if self.0.verified.get() == Some(&issuer.sm3()) {
            return Ok(());
        }
        let signer = if self.is_signed_as(issuer) {
            issuer
        } else {
            let delegate = self.0.certificates.iter().find(|found| self.is_signed_as(found));
            let delegate = delegate.ok_or(OcspError::Responder)?;
            self.check_delegate(delegate, issuer).map_err(OcspError::ResponderCertificate)?;
            delegate
        };
        signer
            .verifying_key()
            .verify(&self.0.tbs_der, &self.0.signature)
            .map_err(|_| OcspError::Signature)?;
        let _ = self.0.verified.set(issuer.sm3());
        Ok(())
    }

    /// [`OcspResponse::verify`], and that this answers `request`: its nonce, if it has one, and every certificate.
    ///
    /// # Errors
    /// See [`OcspError`].
    pub fn verify_for(&self, request: &OcspRequest, issuer: &Certificate) -> Result<(), OcspError> {
        self.verify(issuer)?;
        if request.nonce().is_some() && request.nonce() != self.0.nonce.as_deref() {
            return Err(OcspError::Nonce);
        }
        if request.ids().iter().all(|id| self.find(id).is_some()) {
            Ok(())
        } else {
            Err(OcspError::Unanswered)
        }
    }

    fn is_signed_as(&self, certificate: &Certificate) -> bool {
        match &self.0.responder {
            ResponderId::ByName(name) => name == certificate.subject_name(),
            ResponderId::ByKey(digest) => {
                let key = certificate.public_key().as_sec1();
                digest.as_bytes() == sm3(key).as_bytes()
                    || certificate.subject_key_id() == Some(digest.as_bytes())
            }
        }
    }

    fn check_delegate(
        &self,
        delegate: &Certificate,
        issuer: &Certificate,
    ) -> Result<(), PathError> {
        delegate.verify_issued_by(issuer)?;
        let path = [delegate, issuer];
        path::check(&path, self.0.produced_at, Purpose::OcspSigning)
    }
}

impl PartialEq for OcspResponse {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for OcspResponse {}

impl fmt::Debug for OcspResponse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("OcspResponse")
            .field("produced_at", &self.0.produced_at)
            .field("answers", &self.0.answers)
            .finish_non_exhaustive()
    }
}

fn failure(status: ResponseStatus) -> OcspError {
    OcspError::Failure(match status {
        ResponseStatus::MalformedRequest => OcspFailure::MalformedRequest,
        // Success is dealt with before.
        ResponseStatus::Successful | ResponseStatus::InternalError => OcspFailure::InternalError,
        ResponseStatus::TryLater => OcspFailure::TryLater,
        ResponseStatus::SigRequired => OcspFailure::SignatureRequired,
        ResponseStatus::Unauthorized => OcspFailure::Unauthorized,
    })
}

fn read_answers(list: &[SingleResponse]) -> Result<Vec<OcspAnswer>, FormError> {
    if list.is_empty() {
        return Err(RESPONSE.malformed("no answer"));
    }
    if list.len() > OCSP_CERTIFICATES_MAX {
        return Err(RESPONSE.too_large(list.len()));
    }
    let mut answers: Vec<OcspAnswer> = Vec::with_capacity(list.len());
    for single in list {
        let answer = read_answer(single)?;
        if answers.iter().any(|earlier| earlier.id == answer.id) {
            return Err(RESPONSE.malformed("two answers about one certificate"));
        }
        answers.push(answer);
    }
    Ok(answers)
}

fn read_answer(single: &SingleResponse) -> Result<OcspAnswer, FormError> {
    for extension in RESPONSE.extensions(single.extensions.as_deref())? {
        RESPONSE.pass_over(extension)?;
    }
    let id = CertificateId::read(RESPONSE, &single.id)?;
    let status = match &single.status {
        CertStatus::Good(_) => CertificateStatus::Good,
        CertStatus::Unknown(_) => CertificateStatus::Unknown,
        CertStatus::Revoked(info) => {
            let reason = info.reason.map(|code| {
                code.reason().ok_or_else(|| RESPONSE.malformed("a reason of delta lists"))
            });
            CertificateStatus::Revoked(RevokedCertificate {
                serial: id.serial(),
                revoked_at: general(info.at),
                reason: reason.transpose()?.unwrap_or(RevocationReason::Unspecified),
                invalid_since: None,
            })
        }
    };
    let (this_update, next_update) = (general(single.this_update), single.next_update.map(general));
    if next_update.is_some_and(|next_update| next_update < this_update) {
        return Err(RESPONSE.malformed("nextUpdate before thisUpdate"));
    }
    Ok(OcspAnswer { id, status, this_update, next_update })
}

fn read_certificates(list: Option<&[Any]>) -> Result<Vec<Certificate>, FormError> {
    let list = list.unwrap_or_default();
    if list.len() > OCSP_RESPONDERS_MAX {
        return Err(RESPONSE.too_large(list.len()));
    }
    list.iter()
        .map(|found| {
            let der = found.to_der().map_err(|error| RESPONSE.der(&error))?;
            Ok(Certificate::from_der(&der)?)
        })
        .collect()
}

fn general(time: GeneralizedTime) -> i64 {
    unix_seconds(Time::GeneralTime(time))
}
