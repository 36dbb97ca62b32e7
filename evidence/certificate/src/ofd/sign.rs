//! Signing an OFD with a seal.
//!
//! Order of GB/T 33190 §18 and GM/T 0099: all files → `Signatures.xml` → `Signature.xml` with a digest of each →
//! `SignedValue.dat` over it.

use std::fmt;

use smkit::sm2::SigningKey;
use smkit_pki::{Certificate as PkiCertificate, Seal, SealError, SealSignature, SealSigning};

use super::{FORMAT, members, pack, package::Member, parts, picture_area, signature_xml};
use crate::{Certificate, Stamping, error::CertificateError};

/// Who signs an OFD, when, and who stamps it.
#[derive(Clone, Copy)]
pub struct OfdSigner<'a> {
    /// The signer's certificate (签章者), one that the seal is for.
    pub certificate: &'a PkiCertificate,
    /// Its key.
    pub key: &'a SigningKey,
    /// The date of the signature, seconds since 1970.
    pub at_unix_seconds: i64,
    /// Asks for a time stamp over this digest; without it the date is the signer's own statement. What it reports is
    /// passed on in words.
    pub stamp: Option<Stamping<'a>>,
}

/// Writes the certificate as a signed OFD.
pub(crate) fn sign(
    certificate: &Certificate,
    signer: &OfdSigner<'_>,
) -> Result<Vec<u8>, CertificateError> {
    let seal = certificate.seal.as_ref().ok_or(CertificateError::Seal(SealError::Signature))?;
    let mut members = covered(certificate, seal)?;
    let xml = signature_xml(certificate, seal, &members, signer.at_unix_seconds)?;
    let mut signature = SealSignature::sign(SealSigning {
        seal,
        certificate: signer.certificate,
        key: signer.key,
        at: signer.at_unix_seconds,
        data: &xml,
        property: signature_xml::SIGNATURE,
    })?;
    if let Some(stamp) = signer.stamp {
        let token = stamp(&signature.imprint());
        let token = token.map_err(|reason| CertificateError::TimeStamp { reason })?;
        signature = signature.with_time_stamp(&token)?;
    }
    members.push((name(signature_xml::SIGNATURE), xml));
    members.push((name(signature_xml::SIGNED_VALUE), signature.der().to_vec()));
    pack(&members)
}

/// Every member that the signature covers, in the order of the package.
pub(super) fn covered(
    certificate: &Certificate,
    seal: &Seal,
) -> Result<Vec<Member>, CertificateError> {
    let mut members = members(certificate)?;
    let list = signature_xml::list().map_err(|error| CertificateError::write(FORMAT, error))?;
    members.push((parts::SIGNATURES.to_owned(), list));
    members.push((name(signature_xml::SEAL), seal.der().to_vec()));
    Ok(members)
}

/// `Signature.xml` over these members.
pub(super) fn signature_xml(
    certificate: &Certificate,
    seal: &Seal,
    members: &[Member],
    at_unix_seconds: i64,
) -> Result<Vec<u8>, CertificateError> {
    let place = certificate.layout.seal;
    let area = picture_area(place, seal.picture());
    let page = parts::page_id(place.page.saturating_sub(1));
    signature_xml::write(members, at_unix_seconds, page, area)
}

/// A path from the root of the package as the name of a member.
pub(super) fn name(path: &str) -> String {
    path.trim_start_matches('/').to_owned()
}

impl fmt::Debug for OfdSigner<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("OfdSigner")
            .field("certificate", &self.certificate.subject())
            .field("at_unix_seconds", &self.at_unix_seconds)
            .field("stamped", &self.stamp.is_some())
            .finish_non_exhaustive()
    }
}
