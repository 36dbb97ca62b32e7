//! Signing a PDF: SM2 in a message of GB/T 35275 beside the file, put into an incremental update.

use std::fmt;

use smkit::sm2::SigningKey;
use smkit_pki::{Certificate as PkiCertificate, CmsSigner, SignedData};

use super::{
    FORMAT,
    appearance::{Appearance, SealImage},
    update::{Place, Prepared},
};
use crate::{Certificate, Stamping, error::CertificateError, time::ChinaTime};

/// Who signs a PDF, when, and who stamps it.
#[derive(Clone, Copy)]
pub struct PdfSigner<'a> {
    /// The signer's certificate (签名者).
    pub certificate: &'a PkiCertificate,
    /// Authorities between it and the root that verifiers trust; those alone go into the file.
    pub authorities: &'a [PkiCertificate],
    /// Its key.
    pub key: &'a SigningKey,
    /// The date of the signature, seconds since 1970.
    pub at_unix_seconds: i64,
    /// Asks for a time stamp over this digest; without it the date is the signer's own statement. What it reports is
    /// passed on in words.
    pub stamp: Option<Stamping<'a>>,
    /// Shown in the seal's place; without it that says who signed and when.
    pub picture: Option<&'a SealImage>,
}

/// Writes the certificate as a signed PDF. Its first revision is the unsigned one, byte for byte.
pub(crate) fn sign(
    certificate: &Certificate,
    signer: &PdfSigner<'_>,
) -> Result<Vec<u8>, CertificateError> {
    let unsigned = super::write(certificate)?;
    let appearance = match signer.picture {
        Some(picture) => Appearance::Picture(picture.clone()),
        None => Appearance::of(signer.certificate, signer.at_unix_seconds)?,
    };
    let prepared =
        prepare(&unsigned, &certificate.layout.seal.into(), &appearance, signer.at_unix_seconds)?;
    let by = CmsSigner {
        certificate: signer.certificate,
        key: signer.key,
        with_attributes: true,
        signing_time: Some(signer.at_unix_seconds),
    };
    let failed = |error: &dyn fmt::Display| CertificateError::write(FORMAT, error);
    let mut message = SignedData::sign(&prepared.covered(), false, &[by], signer.authorities)
        .map_err(|error| failed(&error))?;
    if let (Some(stamp), [signature]) = (signer.stamp, message.signers().as_slice()) {
        let token = stamp(&signature.signature_sm3)
            .map_err(|reason| CertificateError::TimeStamp { reason })?;
        message = message.with_time_stamp(&token).map_err(|error| failed(&error))?;
    }
    prepared
        .finish(message.der())
        .ok_or_else(|| CertificateError::write(FORMAT, "the signature is too long for its place"))
}

/// The file without its signature.
pub(super) fn prepare(
    unsigned: &[u8],
    place: &Place,
    appearance: &Appearance,
    at_unix_seconds: i64,
) -> Result<Prepared, CertificateError> {
    let at_ms = u64::try_from(at_unix_seconds).unwrap_or_default().saturating_mul(1_000);
    let signed_at = ChinaTime::new(at_ms)?.pdf();
    Prepared::new(unsigned, place, appearance, &signed_at)
        .map_err(|error| CertificateError::write(FORMAT, error))
}

impl fmt::Debug for PdfSigner<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PdfSigner")
            .field("certificate", &self.certificate.subject())
            .field("at_unix_seconds", &self.at_unix_seconds)
            .field("stamped", &self.stamp.is_some())
            .finish_non_exhaustive()
    }
}
