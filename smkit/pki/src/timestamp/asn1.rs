//! The ASN.1 shape of time stamps (RFC 3161 §2.4), used for reading and writing alike.

use der::{
    Sequence,
    asn1::{Any, BitString, ObjectIdentifier, OctetString, Uint},
};
use smkit::Sm3Digest;
use spki::AlgorithmIdentifierOwned;
use x509_cert::ext::{Extension, pkix::name::GeneralName};

use super::gen_time::GenTime;
use crate::{FormError, asn1, form::Form};

/// `TimeStampReq`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Request {
    pub(super) version: u8,
    pub(super) imprint: Imprint,
    #[asn1(optional = "true")]
    pub(super) policy: Option<ObjectIdentifier>,
    #[asn1(optional = "true")]
    pub(super) nonce: Option<Uint>,
    #[asn1(default = "Default::default")]
    pub(super) wants_certificates: bool,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(super) extensions: Option<Vec<Extension>>,
}

/// `MessageImprint`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Imprint {
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) digest: OctetString,
}

impl Imprint {
    pub(super) fn new(digest: &Sm3Digest) -> der::Result<Self> {
        Ok(Self {
            algorithm: AlgorithmIdentifierOwned { oid: asn1::SM3, parameters: None },
            digest: OctetString::new(digest.as_bytes().as_slice())?,
        })
    }

    pub(super) fn read(&self, form: Form) -> Result<Sm3Digest, FormError> {
        form.sm3(&self.algorithm)?;
        Sm3Digest::from_slice(self.digest.as_bytes())
            .map_err(|_| form.malformed("an imprint has not 32 bytes"))
    }
}

/// `TimeStampResp`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Response {
    pub(super) status: StatusInfo,
    #[asn1(optional = "true")]
    pub(super) token: Option<Any>,
}

/// `PKIStatusInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct StatusInfo {
    pub(super) status: u8,
    #[asn1(optional = "true")]
    pub(super) text: Option<Vec<String>>,
    #[asn1(optional = "true")]
    pub(super) failure: Option<BitString>,
}

/// `TSTInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Info {
    pub(super) version: u8,
    pub(super) policy: ObjectIdentifier,
    pub(super) imprint: Imprint,
    pub(super) serial: Uint,
    pub(super) gen_time: GenTime,
    #[asn1(optional = "true")]
    pub(super) accuracy: Option<AccuracyInfo>,
    #[asn1(default = "Default::default")]
    pub(super) ordering: bool,
    #[asn1(optional = "true")]
    pub(super) nonce: Option<Uint>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) tsa: Option<GeneralName>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(super) extensions: Option<Vec<Extension>>,
}

/// `Accuracy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Sequence)]
pub(super) struct AccuracyInfo {
    #[asn1(optional = "true")]
    pub(super) seconds: Option<u32>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) micros: Option<u16>,
}

/// `SigningCertificateV2` (RFC 5035 §3); policies are read over.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct SigningCertificate {
    pub(super) certificates: Vec<CertificateDigest>,
    #[asn1(optional = "true")]
    pub(super) policies: Option<Any>,
}

/// `ESSCertIDv2` (RFC 5035 §4); without an algorithm the digest would be SHA-256's.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct CertificateDigest {
    #[asn1(optional = "true")]
    pub(super) algorithm: Option<AlgorithmIdentifierOwned>,
    pub(super) digest: OctetString,
    #[asn1(optional = "true")]
    pub(super) issuer_serial: Option<IssuerSerial>,
}

/// `IssuerSerial` (RFC 5035 §4).
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct IssuerSerial {
    pub(super) issuer: Vec<GeneralName>,
    pub(super) serial: Uint,
}

pub(super) const REQUEST: Form = Form("time-stamp request");
pub(super) const RESPONSE: Form = Form("time-stamp response");
pub(super) const VERSION: u8 = 1;
/// id-aa-signingCertificateV2.
pub(super) const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
