//! Granting time stamps.

use std::time::Duration;

use der::{
    Decode, Encode,
    asn1::{ObjectIdentifier, OctetString, Uint},
};
use smkit::sm2::SigningKey;
use spki::AlgorithmIdentifierOwned;
use x509_cert::{attr::Attribute, ext::pkix::name::GeneralName, name::Name};

use super::{
    Accuracy, TimeStampError, TimeStampFailure, TimeStampRequest, TimeStampResponse,
    TimeStampToken,
    asn1::{CertificateDigest, Imprint, Info, SIGNING_CERTIFICATE, SigningCertificate, VERSION},
    gen_time::GenTime,
    token::FORM,
};
use crate::{
    Certificate, Purpose, SerialNumber, asn1,
    cms::{Attributes, Draft, TIME_STAMP, attribute, sign},
};

/// A time-stamp authority (时间戳服务机构): certificate, key and policy.
#[derive(Clone, Debug)]
pub struct TimeStampAuthority {
    certificate: Certificate,
    key: SigningKey,
    policy: ObjectIdentifier,
    authorities: Vec<Certificate>,
}

/// What one token is to state.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// The token's serial number: never used before by this authority.
    pub serial: SerialNumber,
    /// The time, since 1970 in UTC.
    pub gen_time: Duration,
    /// How far the time may be off, as measured; `None` claims nothing.
    pub accuracy: Option<Accuracy>,
}

impl TimeStampAuthority {
    /// Joins the parts: `policy` in dotted form, `authorities` the certificates above, sent to who wants certificates.
    ///
    /// # Errors
    /// The key is not the certificate's, or the certificate is not for [`Purpose::TimeStamping`]; no policy.
    pub fn new(
        certificate: Certificate,
        key: SigningKey,
        policy: &str,
        authorities: Vec<Certificate>,
    ) -> Result<Self, TimeStampError> {
        if key.verifying_key() != certificate.verifying_key() {
            return Err(TimeStampError::SigningCertificate);
        }
        Purpose::TimeStamping
            .check_key_usage(&certificate)
            .and_then(|()| Purpose::TimeStamping.check_extended_key_usage(&certificate))
            .map_err(TimeStampError::Path)?;
        let policy = ObjectIdentifier::new(policy).map_err(|_| TimeStampError::Policy)?;
        Ok(Self { certificate, key, policy, authorities })
    }

    /// The certificate that signs.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Whether this authority could grant `request`; the failure to send ([`TimeStampFailure::to_der`]) if not.
    ///
    /// # Errors
    /// [`TimeStampFailure::UnacceptedPolicy`].
    pub fn check(&self, request: &TimeStampRequest) -> Result<(), TimeStampFailure> {
        match request.policy_oid() {
            Some(policy) if policy != self.policy => Err(TimeStampFailure::UnacceptedPolicy),
            _ => Ok(()),
        }
    }

    /// Signs a token for `request`. Deterministic: the same input gives the same bytes.
    ///
    /// # Errors
    /// [`TimeStampError::Policy`] where [`TimeStampAuthority::check`] fails; [`TimeStampError::Time`].
    pub fn grant(
        &self,
        request: &TimeStampRequest,
        grant: Grant,
    ) -> Result<TimeStampResponse, TimeStampError> {
        self.check(request).map_err(|_| TimeStampError::Policy)?;
        let gen_time = GenTime::new(grant.gen_time).ok_or(TimeStampError::Time)?;
        let encoding = |error: der::Error| TimeStampError::Form(FORM.der(&error));
        let info = self.info(request, grant, gen_time).and_then(|info| info.to_der());
        let info = info.map_err(encoding)?;
        let attributes = self
            .signing_certificate()
            .and_then(|named| Attributes::new(TIME_STAMP.content, &info, None, vec![named]))
            .map_err(encoding)?;
        let draft =
            Draft { certificate: &self.certificate, key: &self.key, attributes: Some(attributes) };
        let mut certificates = Vec::new();
        if request.wants_certificates() {
            certificates.push(self.certificate.clone());
            certificates.extend_from_slice(&self.authorities);
        }
        let message = sign(&TIME_STAMP, &info, true, vec![draft], &certificates)?;
        TimeStampResponse::granted(&TimeStampToken::from_der(&message.der)?)
    }

    fn info(
        &self,
        request: &TimeStampRequest,
        grant: Grant,
        gen_time: GenTime,
    ) -> der::Result<Info> {
        let name = Name::from_der(&self.certificate.subject_name().to_der()?)?;
        Ok(Info {
            version: VERSION,
            policy: self.policy,
            imprint: Imprint::new(request.imprint())?,
            serial: grant.serial.to_asn1()?,
            gen_time,
            accuracy: grant.accuracy.map(Accuracy::write),
            ordering: false,
            nonce: request.nonce().map(Uint::new).transpose()?,
            tsa: Some(GeneralName::DirectoryName(name)),
            extensions: None,
        })
    }

    fn signing_certificate(&self) -> der::Result<Attribute> {
        let named = CertificateDigest {
            algorithm: Some(AlgorithmIdentifierOwned { oid: asn1::SM3, parameters: None }),
            digest: OctetString::new(self.certificate.sm3().as_bytes().as_slice())?,
            issuer_serial: None,
        };
        let value = SigningCertificate { certificates: vec![named], policies: None };
        attribute(SIGNING_CERTIFICATE, &value)
    }
}
