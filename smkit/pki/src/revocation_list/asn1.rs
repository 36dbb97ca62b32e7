//! The ASN.1 shape of a revocation list (RFC 5280 §5.1), used for reading and writing alike.

use const_oid::db::rfc5280;
use der::{
    Enumerated, Sequence,
    asn1::{BitString, GeneralizedTime, ObjectIdentifier, OctetString, Uint},
};
use spki::AlgorithmIdentifierOwned;
use x509_cert::{
    ext::{Extension, pkix::AuthorityKeyIdentifier},
    name::RdnSequence,
    time::Time,
};

use super::RevokedCertificate;
use crate::{
    FormError, RevocationReason, SerialNumber,
    asn1::{to_date_time, to_time, unix_seconds},
    form::{Form, extension},
    limits::CRL_ENTRIES_MAX,
};

/// `CertificateList`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct SignedList {
    pub(super) tbs: TbsList,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) signature: BitString,
}

/// `TBSCertList`, version 2 only.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct TbsList {
    pub(super) version: u8,
    pub(super) signature: AlgorithmIdentifierOwned,
    pub(super) issuer: RdnSequence,
    pub(super) this_update: Time,
    #[asn1(optional = "true")]
    pub(super) next_update: Option<Time>,
    #[asn1(optional = "true")]
    pub(super) revoked: Option<Vec<Revoked>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) extensions: Option<Vec<Extension>>,
}

/// An element of `revokedCertificates`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Revoked {
    serial: Uint,
    at: Time,
    #[asn1(optional = "true")]
    extensions: Option<Vec<Extension>>,
}

/// `CRLReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumerated)]
#[repr(u8)]
pub(crate) enum ReasonCode {
    Unspecified = 0,
    KeyCompromise = 1,
    CaCompromise = 2,
    AffiliationChanged = 3,
    Superseded = 4,
    CessationOfOperation = 5,
    CertificateHold = 6,
    RemoveFromCrl = 8,
    PrivilegeWithdrawn = 9,
    AaCompromise = 10,
}

impl ReasonCode {
    /// `None` for `removeFromCRL`, which stands in delta lists only.
    pub(crate) const fn reason(self) -> Option<RevocationReason> {
        RevocationReason::from_code(self as u8)
    }
}

impl From<RevocationReason> for ReasonCode {
    fn from(reason: RevocationReason) -> Self {
        match reason {
            RevocationReason::Unspecified => Self::Unspecified,
            RevocationReason::KeyCompromise => Self::KeyCompromise,
            RevocationReason::CaCompromise => Self::CaCompromise,
            RevocationReason::AffiliationChanged => Self::AffiliationChanged,
            RevocationReason::Superseded => Self::Superseded,
            RevocationReason::CessationOfOperation => Self::CessationOfOperation,
            RevocationReason::CertificateHold => Self::CertificateHold,
            RevocationReason::PrivilegeWithdrawn => Self::PrivilegeWithdrawn,
            RevocationReason::AaCompromise => Self::AaCompromise,
        }
    }
}

/// The evaluated extensions of a list.
#[derive(Default)]
pub(super) struct ListExtensions {
    pub(super) number: Option<SerialNumber>,
    pub(super) authority_key_id: Option<Vec<u8>>,
    pub(super) keeps_expired_since: Option<i64>,
}

impl ListExtensions {
    pub(super) fn read(list: Option<&[Extension]>) -> Result<Self, FormError> {
        let mut out = Self::default();
        for extension in FORM.extensions(list)? {
            let value = extension.extn_value.as_bytes();
            match extension.extn_id {
                rfc5280::ID_CE_CRL_NUMBER => {
                    let number: Uint = FORM.strict(value)?;
                    if number.as_bytes().len() > NUMBER_BYTES_MAX {
                        return Err(FORM.malformed("the number is too long"));
                    }
                    out.number = SerialNumber::from_asn1(&number);
                }
                rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER => {
                    let id: AuthorityKeyIdentifier = FORM.strict(value)?;
                    out.authority_key_id = id.key_identifier.map(|id| id.as_bytes().to_vec());
                }
                EXPIRED_CERTS_ON_CRL => {
                    let since: GeneralizedTime = FORM.strict(value)?;
                    out.keeps_expired_since = Some(unix_seconds(Time::GeneralTime(since)));
                }
                _ => FORM.pass_over(extension)?,
            }
        }
        Ok(out)
    }

    pub(super) fn write(&self) -> der::Result<Vec<Extension>> {
        let mut out = Vec::new();
        if let Some(id) = &self.authority_key_id {
            let id = AuthorityKeyIdentifier {
                key_identifier: Some(OctetString::new(id.as_slice())?),
                ..AuthorityKeyIdentifier::default()
            };
            out.push(extension(rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER, &id)?);
        }
        if let Some(number) = self.number {
            out.push(extension(rfc5280::ID_CE_CRL_NUMBER, &number.to_asn1()?)?);
        }
        if let Some(since) = self.keeps_expired_since.and_then(to_date_time) {
            out.push(extension(EXPIRED_CERTS_ON_CRL, &GeneralizedTime::from_date_time(since))?);
        }
        Ok(out)
    }
}

pub(super) fn read_entries(list: Option<&[Revoked]>) -> Result<Vec<RevokedCertificate>, FormError> {
    let list = list.unwrap_or_default();
    if list.len() > CRL_ENTRIES_MAX {
        return Err(FORM.too_large(list.len()));
    }
    let mut entries = list.iter().map(Revoked::read).collect::<Result<Vec<_>, _>>()?;
    entries.sort_unstable_by_key(|entry| entry.serial);
    if entries.array_windows().any(|[one, next]| one.serial == next.serial) {
        return Err(FORM.malformed("a serial number is listed twice"));
    }
    Ok(entries)
}

impl Revoked {
    fn read(&self) -> Result<RevokedCertificate, FormError> {
        let serial = SerialNumber::from_asn1(&self.serial)
            .ok_or_else(|| FORM.malformed("a serial number is zero or too long"))?;
        let (mut reason, mut invalid_since) = (RevocationReason::Unspecified, None);
        for extension in FORM.extensions(self.extensions.as_deref())? {
            let value = extension.extn_value.as_bytes();
            match extension.extn_id {
                rfc5280::ID_CE_CRL_REASONS => {
                    let code: ReasonCode = FORM.strict(value)?;
                    reason =
                        code.reason().ok_or_else(|| FORM.malformed("an entry of a delta list"))?;
                }
                rfc5280::ID_CE_INVALIDITY_DATE => {
                    let since: GeneralizedTime = FORM.strict(value)?;
                    invalid_since = Some(unix_seconds(Time::GeneralTime(since)));
                }
                _ => FORM.pass_over(extension)?,
            }
        }
        let revoked_at = unix_seconds(self.at);
        Ok(RevokedCertificate { serial, revoked_at, reason, invalid_since })
    }

    /// `None` for a time outside 1970 to 9999.
    pub(super) fn write(revoked: &RevokedCertificate) -> der::Result<Option<Self>> {
        let Some(at) = to_time(revoked.revoked_at) else { return Ok(None) };
        let mut extensions = Vec::new();
        // RFC 5280 §5.3.1: "unspecified" is said by saying nothing.
        if revoked.reason != RevocationReason::Unspecified {
            let code = ReasonCode::from(revoked.reason);
            extensions.push(extension(rfc5280::ID_CE_CRL_REASONS, &code)?);
        }
        if let Some(since) = revoked.invalid_since {
            let Some(since) = to_date_time(since) else { return Ok(None) };
            let since = GeneralizedTime::from_date_time(since);
            extensions.push(extension(rfc5280::ID_CE_INVALIDITY_DATE, &since)?);
        }
        let serial = revoked.serial.to_asn1()?;
        let extensions = (!extensions.is_empty()).then_some(extensions);
        Ok(Some(Self { serial, at, extensions }))
    }
}

pub(super) const FORM: Form = Form("revocation list");
/// The `INTEGER` that means version 2.
pub(super) const VERSION_2: u8 = 1;
/// expiredCertsOnCRL (ITU-T X.509 §9.5.2.8).
const EXPIRED_CERTS_ON_CRL: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.60");
/// RFC 5280 §5.2.3.
const NUMBER_BYTES_MAX: usize = 20;
