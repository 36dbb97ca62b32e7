//! The ASN.1 shape of a certificate (RFC 5280 §4.1), used for reading and writing alike.
//!
//! Own structures rather than those of `x509-cert`, whose fields can only be filled by its builder; unique identifiers,
//! which RFC 5280 §4.1.2.8 forbids CAs to emit, have no field here and are therefore refused.

use std::time::Duration;

use der::{
    DateTime, Sequence,
    asn1::{BitString, ObjectIdentifier, Uint},
};
use smkit::sm2::PublicKey;
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::{ext::Extension, name::RdnSequence, time::Validity};

use crate::CertificateError;

/// `Certificate`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(crate) struct SignedCertificate {
    pub(crate) tbs: TbsCertificate,
    pub(crate) algorithm: AlgorithmIdentifierOwned,
    pub(crate) signature: BitString,
}

/// `TBSCertificate`, version 3 only.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(crate) struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(crate) version: u8,
    pub(crate) serial_number: Uint,
    pub(crate) signature: AlgorithmIdentifierOwned,
    pub(crate) issuer: RdnSequence,
    pub(crate) validity: Validity,
    pub(crate) subject: RdnSequence,
    pub(crate) subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    pub(crate) extensions: Option<Vec<Extension>>,
}

/// The `INTEGER` that means version 3.
pub(crate) const VERSION_3: u8 = 2;
pub(crate) const EC_PUBLIC_KEY: ObjectIdentifier =
    ObjectIdentifier::new_unwrap(smkit::oid::EC_PUBLIC_KEY);
pub(crate) const SM2_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap(smkit::oid::SM2_CURVE);
pub(crate) const SM2_WITH_SM3: ObjectIdentifier =
    ObjectIdentifier::new_unwrap(smkit::oid::SM2_WITH_SM3);
pub(crate) const SM3: ObjectIdentifier = ObjectIdentifier::new_unwrap(smkit::oid::SM3);
pub(crate) const ORGANISATION_CODE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap(smkit::oid::ORGANISATION_CODE);

/// `SubjectPublicKeyInfo` of an SM2 key.
pub(crate) fn key_info(key: &PublicKey) -> der::Result<SubjectPublicKeyInfoOwned> {
    Ok(SubjectPublicKeyInfoOwned {
        algorithm: AlgorithmIdentifierOwned {
            oid: EC_PUBLIC_KEY,
            parameters: Some((&SM2_CURVE).into()),
        },
        subject_public_key: BitString::from_bytes(key.as_sec1())?,
    })
}

/// The SM2 key of a `SubjectPublicKeyInfo`.
pub(crate) fn read_key(info: &SubjectPublicKeyInfoOwned) -> Result<PublicKey, CertificateError> {
    if info.algorithm.oid != EC_PUBLIC_KEY {
        return Err(CertificateError::key_algorithm(&info.algorithm.oid));
    }
    let curve = info.algorithm.parameters.as_ref().and_then(|any| any.decode_as().ok());
    if curve != Some(SM2_CURVE) {
        return Err(CertificateError::key_algorithm(&curve.unwrap_or(EC_PUBLIC_KEY)));
    }
    let key = info.subject_public_key.as_bytes();
    let key = key.ok_or_else(|| CertificateError::malformed("the key has unused bits"))?;
    Ok(PublicKey::from_sec1(key)?)
}

/// Seconds since 1970; a `Time` is between 1970 and 9999.
pub(crate) fn unix_seconds(time: x509_cert::time::Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
}

/// `UTCTime` up to 2049, `GeneralizedTime` from 2050 (RFC 5280 §4.1.2.5); `None` outside 1970 to 9999.
pub(crate) fn to_time(unix_seconds: i64) -> Option<x509_cert::time::Time> {
    to_date_time(unix_seconds).map(Into::into)
}

/// `None` outside 1970 to 9999.
pub(crate) fn to_date_time(unix_seconds: i64) -> Option<DateTime> {
    let since_1970 = Duration::from_secs(u64::try_from(unix_seconds).ok()?);
    DateTime::from_unix_duration(since_1970).ok()
}

/// SM2-with-SM3 as we emit it: parameters absent (GM/T 0015-2023; both forms occur in the field).
pub(crate) const fn sm2_with_sm3() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid: SM2_WITH_SM3, parameters: None }
}
