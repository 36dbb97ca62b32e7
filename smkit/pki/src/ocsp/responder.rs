//! Answering.

use der::Decode as _;
use der::{
    Encode,
    asn1::{Any, BitString, GeneralizedTime, Null, OctetString},
};
use smkit::{sm2::SigningKey, sm3};

use super::{
    CertificateId, CertificateStatus, OcspAnswer, OcspError, OcspFailure, OcspRequest,
    OcspResponse,
    asn1::{
        BASIC, BasicResponse, CertStatus, RESPONSE, ResponderId, Response, ResponseBytes,
        ResponseData, ResponseStatus, RevokedInfo, SingleResponse,
    },
    request::nonce_extension,
};
use crate::{
    Certificate, Purpose, Register, RevocationReason,
    asn1::{sm2_with_sm3, to_date_time},
};

/// Answers for one issuer: the issuer itself, or somebody with a certificate of [`crate::Profile::OcspResponder`].
#[derive(Clone, Debug)]
pub struct OcspResponder {
    issuer: Certificate,
    certificate: Certificate,
    key: SigningKey,
}

impl OcspResponder {
    /// Joins the parts; `key` must be bound to [`smkit::sm2::SignerId::DEFAULT`].
    ///
    /// # Errors
    /// The key is not that of `certificate`, or `certificate` is neither the issuer's own nor one it gave for this.
    pub fn new(
        issuer: Certificate,
        certificate: Certificate,
        key: SigningKey,
    ) -> Result<Self, OcspError> {
        if key.verifying_key() != certificate.verifying_key() {
            return Err(OcspError::Responder);
        }
        if certificate != issuer {
            certificate
                .verify_issued_by(&issuer)
                .and_then(|()| Purpose::OcspSigning.check_key_usage(&certificate))
                .and_then(|()| Purpose::OcspSigning.check_extended_key_usage(&certificate))
                .map_err(OcspError::ResponderCertificate)?;
        }
        Ok(Self { issuer, certificate, key })
    }

    /// Answers a request from the issuer's register; what comes back is always a whole response in DER.
    ///
    /// A certificate that was not issued is [`CertificateStatus::Unknown`]; one of another issuer refuses the request.
    #[must_use]
    pub fn answer(
        &self,
        request: &[u8],
        register: &Register,
        produced_at: i64,
        next_update: i64,
    ) -> Vec<u8> {
        let Ok(request) = OcspRequest::from_der(request) else {
            return OcspFailure::MalformedRequest.to_der();
        };
        if !request.ids().iter().all(|id| id.is_under(&self.issuer)) {
            return OcspFailure::Unauthorized.to_der();
        }
        let mut answers: Vec<OcspAnswer> = Vec::with_capacity(request.ids().len());
        for id in request.ids() {
            if answers.iter().all(|earlier| earlier.id != *id) {
                let status = status(id, register);
                let next_update = Some(next_update);
                answers.push(OcspAnswer { id: *id, status, this_update: produced_at, next_update });
            }
        }
        self.sign(&answers, produced_at, request.nonce()).map_or_else(
            |_| OcspFailure::InternalError.to_der(),
            |response| response.der().to_vec(),
        )
    }

    /// Signs answers. Deterministic: the same answers give the same bytes.
    ///
    /// # Errors
    /// [`OcspError::Form`]: no answer, two about one certificate, or a time out of range.
    pub fn sign(
        &self,
        answers: &[OcspAnswer],
        produced_at: i64,
        nonce: Option<&[u8]>,
    ) -> Result<OcspResponse, OcspError> {
        let encoding = |error: der::Error| OcspError::Form(RESPONSE.der(&error));
        let responses = answers.iter().map(write).collect::<Result<_, _>>()?;
        let key = sm3(self.certificate.public_key().as_sec1());
        let tbs = ResponseData {
            version: 0,
            responder: ResponderId::ByKey(
                OctetString::new(key.as_bytes().as_slice()).map_err(encoding)?,
            ),
            produced_at: time(produced_at)?,
            responses,
            extensions: nonce
                .map(|nonce| nonce_extension(nonce).map(|one| vec![one]))
                .transpose()
                .map_err(encoding)?,
        };
        let signature = self.key.sign(&tbs.to_der().map_err(encoding)?).to_der();
        let delegated = self.certificate != self.issuer;
        let certificate = delegated
            .then(|| Any::from_der(self.certificate.der()))
            .transpose()
            .map_err(encoding)?;
        let basic = BasicResponse {
            tbs,
            algorithm: sm2_with_sm3(),
            signature: BitString::from_bytes(&signature).map_err(encoding)?,
            certificates: certificate.map(|certificate| vec![certificate]),
        };
        let response = OctetString::new(basic.to_der().map_err(encoding)?).map_err(encoding)?;
        let bytes = Some(ResponseBytes { kind: BASIC, response });
        let response = Response { status: ResponseStatus::Successful, bytes };
        // The strict parser has the last word.
        OcspResponse::from_der(&response.to_der().map_err(encoding)?)
    }
}

fn status(id: &CertificateId, register: &Register) -> CertificateStatus {
    match register.find(&id.serial()).map(|entry| entry.revoked) {
        None => CertificateStatus::Unknown,
        Some(None) => CertificateStatus::Good,
        Some(Some(revoked)) => CertificateStatus::Revoked(revoked),
    }
}

fn write(answer: &OcspAnswer) -> Result<SingleResponse, OcspError> {
    let status = match answer.status {
        CertificateStatus::Good => CertStatus::Good(Null),
        CertificateStatus::Unknown => CertStatus::Unknown(Null),
        CertificateStatus::Revoked(revoked) => CertStatus::Revoked(RevokedInfo {
            // There is no place for an invalidity date: the earlier of the two is what counts.
            at: time(revoked.since())?,
            reason: (revoked.reason != RevocationReason::Unspecified)
                .then(|| revoked.reason.into()),
        }),
    };
    Ok(SingleResponse {
        id: answer.id.write().map_err(|error| RESPONSE.der(&error))?,
        status,
        this_update: time(answer.this_update)?,
        next_update: answer.next_update.map(time).transpose()?,
        extensions: None,
    })
}

fn time(unix_seconds: i64) -> Result<GeneralizedTime, OcspError> {
    to_date_time(unix_seconds)
        .map(GeneralizedTime::from_date_time)
        .ok_or_else(|| RESPONSE.malformed("a time out of range").into())
}
