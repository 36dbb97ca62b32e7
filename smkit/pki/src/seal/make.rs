//! Making seals, and signing with them.

use std::time::Duration;

use der::{
    Encode,
    asn1::{Any, BitString, Ia5String, OctetString, PrintableString},
};
use smkit::{sm2::SigningKey, sm3};

use super::{
    SealError, SealVersion, asn1,
    read::{SEAL, SIGNED},
    ses::{Seal, SealPicture, SealSigners, SealedAs},
    signature::SealSignature,
};
use crate::{Certificate, Purpose, TimeStampToken, form::Form, timestamp::GenTime};

/// What a seal to be made says.
#[derive(Clone, Debug)]
pub struct SealTerms<'a> {
    /// [`SealVersion::V4`], or [`SealVersion::V5`] by explicit choice; version 1 is not made.
    pub version: SealVersion,
    /// The seal's code, ASCII; 14 digits in practice.
    pub id: &'a str,
    /// Who made the software, ASCII.
    pub vendor: &'a str,
    /// Whose seal it is.
    pub sealed_as: SealedAs,
    /// The seal's name.
    pub name: &'a str,
    /// Who may sign with it.
    pub signers: SealSigners,
    /// When it is made, seconds since 1970.
    pub created: i64,
    /// First second of its validity.
    pub valid_from: i64,
    /// Last second of its validity.
    pub valid_to: i64,
    /// What it looks like.
    pub picture: SealPicture,
}

/// A signature to be made with a seal.
#[derive(Clone, Copy, Debug)]
pub struct SealSigning<'a> {
    /// The seal; the signature is of its version.
    pub seal: &'a Seal,
    /// The signer's certificate, one that the seal is for.
    pub certificate: &'a Certificate,
    /// Its key.
    pub key: &'a SigningKey,
    /// The date of the signature, seconds since 1970.
    pub at: i64,
    /// What is signed.
    pub data: &'a [u8],
    /// What is signed, by name, ASCII.
    pub property: &'a str,
}

impl Seal {
    /// Makes a seal. Deterministic: the same input gives the same bytes.
    ///
    /// # Errors
    /// [`SealError::Key`]; [`SealError::Created`] for version 5 and a maker whose certificate is not valid then; a field
    /// that cannot be written.
    pub fn make(
        terms: &SealTerms<'_>,
        maker: &Certificate,
        key: &SigningKey,
    ) -> Result<Self, SealError> {
        check_key(maker, key)?;
        let v5 = terms.version == SealVersion::V5;
        // GM/T 0031-2025 checks the maker before it makes.
        if v5 && !(maker.not_before()..=maker.not_after()).contains(&terms.created) {
            return Err(SealError::Created { created: terms.created });
        }
        if terms.version == SealVersion::V1 || terms.valid_from > terms.valid_to {
            return Err(SEAL.malformed("version 1, or an end before the beginning").into());
        }
        let written = || -> der::Result<Vec<u8>> {
            let info = info(terms)?;
            let signature = key.sign(&info.to_der()?).to_der();
            asn1::Seal {
                info,
                certificate: OctetString::new(maker.der())?,
                algorithm: crate::asn1::SM2_WITH_SM3,
                signature: BitString::from_bytes(&signature)?,
                time_stamp: None,
            }
            .to_der()
        };
        let der = written().map_err(|error| SEAL.der(&error))?;
        // The strict parser has the last word.
        Ok(Self::from_der(&der)?)
    }

    /// The seal with a time stamp over [`Seal::imprint`]; version 5 alone has a place for it.
    ///
    /// # Errors
    /// Another version; [`SealError::SealTimeStamp`] for a token over something else.
    pub fn with_time_stamp(&self, token: &TimeStampToken) -> Result<Self, SealError> {
        if *token.imprint() != self.imprint() {
            return Err(SealError::SealTimeStamp(crate::TimeStampError::Imprint));
        }
        let mut parts: asn1::Seal = SEAL.strict(&self.der)?;
        let der = BitString::from_bytes(token.der()).and_then(|bits| {
            parts.time_stamp = Some(bits);
            parts.to_der()
        });
        Ok(Self::from_der(&der.map_err(|error| SEAL.der(&error))?)?)
    }
}

impl SealSignature {
    /// Signs. Deterministic: the same input gives the same bytes.
    ///
    /// # Errors
    /// [`SealError::Key`], [`SealError::NotListed`], [`SealError::Validity`] for a date outside the seal's; a field that
    /// cannot be written.
    pub fn sign(signing: SealSigning<'_>) -> Result<Self, SealError> {
        let SealSigning { seal, certificate, key, at, data, property } = signing;
        check_key(certificate, key)?;
        if !seal.is_for(certificate) {
            return Err(SealError::NotListed);
        }
        if !(seal.valid_from..=seal.valid_to).contains(&at) {
            return Err(SealError::Validity { at });
        }
        let parts: asn1::Seal = SEAL.strict(&seal.der)?;
        let written = || -> der::Result<Vec<u8>> {
            let to_sign = asn1::ToSign {
                version: seal.version.number(),
                seal: parts,
                time: time(at)?,
                data_hash: BitString::from_bytes(sm3(data).as_bytes())?,
                property: Ia5String::new(property)?,
                extensions: None,
            };
            let signature = key.sign(&to_sign.to_der()?).to_der();
            asn1::Signature {
                to_sign,
                certificate: OctetString::new(certificate.der())?,
                algorithm: crate::asn1::SM2_WITH_SM3,
                signature: BitString::from_bytes(&signature)?,
                time_stamp: None,
            }
            .to_der()
        };
        let der = written().map_err(|error| SIGNED.der(&error))?;
        Ok(Self::from_der(&der)?)
    }

    /// The signature with a time stamp over [`SealSignature::imprint`].
    ///
    /// # Errors
    /// [`SealError::TimeStamp`] for a token over something else; a signature of version 1.
    pub fn with_time_stamp(&self, token: &TimeStampToken) -> Result<Self, SealError> {
        if *token.imprint() != self.imprint() {
            return Err(SealError::TimeStamp(crate::TimeStampError::Imprint));
        }
        let mut parts: asn1::Signature = SIGNED.strict(&self.der)?;
        let der = BitString::from_bytes(token.der()).and_then(|bits| {
            parts.time_stamp = Some(bits);
            parts.to_der()
        });
        Ok(Self::from_der(&der.map_err(|error: der::Error| FORM.der(&error))?)?)
    }
}

fn info(terms: &SealTerms<'_>) -> der::Result<asn1::Info> {
    let (list_kind, list) = match &terms.signers {
        SealSigners::Certificates(list) => {
            let list = list.iter().map(|one| OctetString::new(one.der()));
            (1, Any::encode_from(&list.collect::<der::Result<Vec<_>>>()?)?)
        }
        SealSigners::Digests(list) => {
            let list = list.iter().map(|one| {
                let kind = PrintableString::new("SM3")?;
                let digest = OctetString::new(one.as_bytes().as_slice())?;
                Ok(asn1::CertificateDigest { kind, digest })
            });
            (2, Any::encode_from(&list.collect::<der::Result<Vec<_>>>()?)?)
        }
    };
    Ok(asn1::Info {
        head: asn1::Head {
            id: Ia5String::new(HEAD_ID)?,
            version: terms.version.number(),
            vendor: Ia5String::new(terms.vendor)?,
        },
        id: Ia5String::new(terms.id)?,
        property: asn1::Property {
            kind: terms.sealed_as.number(),
            name: terms.name.to_owned(),
            list_kind,
            list,
            created: time(terms.created)?,
            valid_from: time(terms.valid_from)?,
            valid_to: time(terms.valid_to)?,
        },
        picture: asn1::Picture {
            kind: Ia5String::new(&terms.picture.kind)?,
            data: OctetString::new(terms.picture.data.as_slice())?,
            width: terms.picture.width_mm,
            height: terms.picture.height_mm,
        },
        extensions: None,
        tagged_extensions: None,
    })
}

/// A signature that nobody could verify would only be found out by its reader.
fn check_key(certificate: &Certificate, key: &SigningKey) -> Result<(), SealError> {
    let fits = key.verifying_key() == certificate.verifying_key()
        && Purpose::Seal.check_key_usage(certificate).is_ok()
        && Purpose::Seal.check_extended_key_usage(certificate).is_ok();
    if fits { Ok(()) } else { Err(SealError::Key) }
}

fn time(unix_seconds: i64) -> der::Result<GenTime> {
    let since_1970 = u64::try_from(unix_seconds).map_err(|_| der::ErrorKind::DateTime)?;
    Ok(GenTime::new(Duration::from_secs(since_1970)).ok_or(der::ErrorKind::DateTime)?)
}

const FORM: Form = SIGNED;
pub(super) const HEAD_ID: &str = "ES";
