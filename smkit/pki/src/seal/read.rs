//! From shape to meaning.

use der::{
    Decode, Encode, SliceReader, Tagged,
    asn1::{BitString, GeneralizedTime, ObjectIdentifier, OctetString, UtcTime},
};
use smkit::{Sm3Digest, sm2::Signature};

use super::{
    asn1::{self, CertificateDigest, Extension, Head, Picture},
    ses::{Seal, SealPicture, SealSigners, SealVersion, SealedAs},
    signature::SealSignature,
};
use crate::{
    Certificate, FormError, TimeStampToken,
    form::Form,
    limits::{SEAL_BYTES_MAX, SEAL_SIGNATURE_BYTES_MAX, SEAL_SIGNERS_MAX},
    timestamp::GenTime,
};

/// A seal of any version: two elements on the outside are version 1.
pub(super) fn seal(der: &[u8]) -> Result<Seal, FormError> {
    if der.len() > SEAL_BYTES_MAX {
        return Err(SEAL.too_large(der.len()));
    }
    if elements(SEAL, der)? == 2 { seal_v1(SEAL.strict(der)?) } else { seal_v4(SEAL.strict(der)?) }
}

/// A signature of any version.
pub(super) fn signature(der: &[u8]) -> Result<SealSignature, FormError> {
    if der.len() > SEAL_SIGNATURE_BYTES_MAX {
        return Err(SIGNED.too_large(der.len()));
    }
    if elements(SIGNED, der)? == 2 { signature_v1(der) } else { signature_v4(der) }
}

fn seal_v4(parts: asn1::Seal) -> Result<Seal, FormError> {
    let encoded = |error: der::Error| SEAL.der(&error);
    let der = parts.to_der().map_err(encoded)?;
    let signed = parts.info.to_der().map_err(encoded)?;
    let asn1::Info { head, id, property, picture, extensions, tagged_extensions } = parts.info;
    let version = match (head_version(&head)?, parts.time_stamp.is_some()) {
        (4, false) => SealVersion::V4,
        (5, _) => SealVersion::V5,
        (4, true) => return Err(SEAL.malformed("a time stamp in a seal of version 4")),
        _ => return Err(SEAL.malformed("not of version 1, 4 or 5")),
    };
    check_extensions(SEAL, extensions.as_deref(), tagged_extensions.as_deref())?;
    let list = property.list.to_der().map_err(encoded)?;
    let signers = match property.list_kind {
        1 => certificates(&SEAL.strict::<Vec<OctetString>>(&list)?)?,
        2 => digests(&SEAL.strict::<Vec<CertificateDigest>>(&list)?)?,
        _ => return Err(SEAL.malformed("a list of signers of an unknown kind")),
    };
    let (signature, signature_der) = bits(SEAL, &parts.signature)?;
    Ok(Seal {
        der,
        signed,
        version,
        id: id.to_string(),
        vendor: head.vendor.to_string(),
        sealed_as: SealedAs::from_number(property.kind),
        name: property.name,
        signers,
        created: seconds(property.created),
        valid_from: seconds(property.valid_from),
        valid_to: seconds(property.valid_to),
        picture: read_picture(picture)?,
        maker: certificate(SEAL, &parts.certificate, parts.algorithm)?,
        signature,
        signature_der,
        time_stamp: parts.time_stamp.map(|bits| token(SEAL, &bits)).transpose()?,
    })
}

fn seal_v1(parts: asn1::SealV1) -> Result<Seal, FormError> {
    let encoded = |error: der::Error| SEAL.der(&error);
    let der = parts.to_der().map_err(encoded)?;
    let asn1::SealV1 { info, sign } = parts;
    if head_version(&info.head)? != 1 {
        return Err(SEAL.malformed("not of version 1, 4 or 5"));
    }
    check_extensions(SEAL, info.extensions.as_deref(), info.tagged_extensions.as_deref())?;
    let maker = certificate(SEAL, &sign.certificate, sign.algorithm)?;
    let (signature, signature_der) = bits(SEAL, &sign.signature)?;
    let asn1::SignInfoV1 { certificate, algorithm, .. } = sign;
    let signed = asn1::SignedV1 { info, certificate, algorithm };
    let signed_der = signed.to_der().map_err(encoded)?;
    let asn1::InfoV1 { head, id, property, picture, .. } = signed.info;
    Ok(Seal {
        der,
        signed: signed_der,
        version: SealVersion::V1,
        id: id.to_string(),
        vendor: head.vendor.to_string(),
        sealed_as: SealedAs::from_number(property.kind),
        name: property.name,
        signers: certificates(&property.list)?,
        created: utc_seconds(&property.created),
        valid_from: utc_seconds(&property.valid_from),
        valid_to: utc_seconds(&property.valid_to),
        picture: read_picture(picture)?,
        maker,
        signature,
        signature_der,
        time_stamp: None,
    })
}

fn signature_v4(der: &[u8]) -> Result<SealSignature, FormError> {
    let parts: asn1::Signature = SIGNED.strict(der)?;
    let signed = parts.to_sign.to_der().map_err(|error| SIGNED.der(&error))?;
    let asn1::ToSign { version, seal, time, data_hash, property, extensions } = parts.to_sign;
    check_extensions(SIGNED, extensions.as_deref(), None)?;
    let seal = seal_v4(seal)?;
    if version != seal.version.number() {
        return Err(SIGNED.malformed("signature and seal of different versions"));
    }
    let (signature, signature_der) = bits(SIGNED, &parts.signature)?;
    Ok(SealSignature {
        der: der.to_vec(),
        signed,
        seal,
        signed_at: seconds(time),
        data_hash: digest(&data_hash)?,
        property: property.to_string(),
        signer: certificate(SIGNED, &parts.certificate, parts.algorithm)?,
        signature,
        signature_der,
        time_stamp: parts.time_stamp.map(|bits| token(SIGNED, &bits)).transpose()?,
    })
}

fn signature_v1(der: &[u8]) -> Result<SealSignature, FormError> {
    let parts: asn1::SignatureV1 = SIGNED.strict(der)?;
    let signed = parts.to_sign.to_der().map_err(|error| SIGNED.der(&error))?;
    let to_sign = parts.to_sign;
    if to_sign.version != 1 {
        return Err(SIGNED.malformed("signature and seal of different versions"));
    }
    let (signature, signature_der) = bits(SIGNED, &parts.signature)?;
    Ok(SealSignature {
        der: der.to_vec(),
        signed,
        seal: seal_v1(to_sign.seal)?,
        signed_at: time_v1(&to_sign.time)?,
        data_hash: digest(&to_sign.data_hash)?,
        property: to_sign.property.to_string(),
        signer: certificate(SIGNED, &to_sign.certificate, to_sign.algorithm)?,
        signature,
        signature_der,
        time_stamp: None,
    })
}

/// How many elements the outer SEQUENCE has; at most three are told apart.
fn elements(form: Form, der: &[u8]) -> Result<usize, FormError> {
    let count = || -> der::Result<usize> {
        let mut outer = SliceReader::new(der)?;
        let inner = der::asn1::AnyRef::decode(&mut outer)?;
        inner.tag().assert_eq(der::Tag::Sequence)?;
        let mut rest = SliceReader::new(inner.value())?;
        let mut count = 0_usize;
        while count < 3 && !der::Reader::is_finished(&rest) {
            der::asn1::AnyRef::decode(&mut rest)?;
            count = count.saturating_add(1);
        }
        Ok(count)
    };
    count().map_err(|error| form.der(&error))
}

fn head_version(head: &Head) -> Result<u8, FormError> {
    if head.id.as_str() == super::make::HEAD_ID {
        Ok(head.version)
    } else {
        Err(SEAL.malformed("it does not begin with ES"))
    }
}

fn certificate(
    form: Form,
    octets: &OctetString,
    algorithm: ObjectIdentifier,
) -> Result<Certificate, FormError> {
    if algorithm != crate::asn1::SM2_WITH_SM3 {
        return Err(form.algorithm(&algorithm));
    }
    Ok(Certificate::from_der(octets.as_bytes())?)
}

fn certificates(list: &[OctetString]) -> Result<SealSigners, FormError> {
    check_count(list.len())?;
    let list = list.iter().map(|octets| Ok(Certificate::from_der(octets.as_bytes())?));
    list.collect::<Result<_, FormError>>().map(SealSigners::Certificates)
}

fn digests(list: &[CertificateDigest]) -> Result<SealSigners, FormError> {
    check_count(list.len())?;
    // The digest's algorithm is named by a text of nobody's register; with 32 bytes it can only be SM3 here.
    let list = list.iter().map(|one| Sm3Digest::from_slice(one.digest.as_bytes()));
    let list = list.collect::<Result<_, _>>();
    list.map(SealSigners::Digests)
        .map_err(|_| SEAL.malformed("a digest of a certificate has not 32 bytes"))
}

fn check_count(count: usize) -> Result<(), FormError> {
    match count {
        0 => Err(SEAL.malformed("nobody may sign with it")),
        1..=SEAL_SIGNERS_MAX => Ok(()),
        more => Err(SEAL.too_large(more)),
    }
}

/// None of them is evaluated, so none may be critical.
fn check_extensions(
    form: Form,
    untagged: Option<&[Extension]>,
    tagged: Option<&[Extension]>,
) -> Result<(), FormError> {
    if untagged.is_some() && tagged.is_some() {
        return Err(form.malformed("two lists of extensions"));
    }
    for extension in untagged.into_iter().chain(tagged).flatten() {
        if extension.critical == Some(true) {
            let id = extension.id;
            return Err(form.malformed(format!("unknown critical extension {id}")));
        }
    }
    Ok(())
}

fn read_picture(picture: Picture) -> Result<SealPicture, FormError> {
    let Picture { kind, data, width, height } = picture;
    let sides = 1..=SIDE_MM_MAX;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(SEAL.malformed("a picture without a size, or of more than a metre"));
    }
    let data = data.into_bytes().into();
    Ok(SealPicture { kind: kind.to_string(), data, width_mm: width, height_mm: height })
}

fn bits(form: Form, bits: &BitString) -> Result<(Signature, Vec<u8>), FormError> {
    let bytes = bits.as_bytes().unwrap_or_default().to_vec();
    Ok((form.signature(bits)?, bytes))
}

fn digest(bits: &BitString) -> Result<Sm3Digest, FormError> {
    let bytes = bits.as_bytes().unwrap_or_default();
    Sm3Digest::from_slice(bytes).map_err(|_| SIGNED.malformed("a digest that has not 32 bytes"))
}

fn token(form: Form, bits: &BitString) -> Result<TimeStampToken, FormError> {
    let bytes = bits.as_bytes().ok_or_else(|| form.malformed("a time stamp with unused bits"))?;
    TimeStampToken::from_der(bytes)
}

/// `UTCTime`, `GeneralizedTime`, or a time stamp, which then says when.
fn time_v1(bits: &BitString) -> Result<i64, FormError> {
    let bytes = bits.as_bytes().unwrap_or_default();
    if let Ok(time) = UtcTime::from_der(bytes) {
        return Ok(utc_seconds(&time));
    }
    if let Ok(time) = GeneralizedTime::from_der(bytes) {
        return Ok(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX));
    }
    let token = TimeStampToken::from_der(bytes).map_err(|_| SIGNED.malformed("no time"))?;
    Ok(i64::try_from(token.gen_time().as_secs()).unwrap_or(i64::MAX))
}

fn seconds(time: GenTime) -> i64 {
    i64::try_from(time.since_1970().as_secs()).unwrap_or(i64::MAX)
}

fn utc_seconds(time: &UtcTime) -> i64 {
    i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
}

pub(super) const SEAL: Form = Form("electronic seal");
pub(super) const SIGNED: Form = Form("signature with an electronic seal");
const SIDE_MM_MAX: u32 = 1_000;
