//! Documents that leave the platform: who is said to issue them, and who signs them.

use std::sync::Arc;

use changbai_certificate::{
    Certificate, CertificateError, CertificateFacts, FontSource, Format, Issuer,
};

/// What the node adds to a certificate of an evidence (存证证书).
#[derive(Clone, Default)]
pub struct Documents {
    /// Who issues it; without one the record's agency does, under its own name.
    pub issuer: Option<Issuer>,
    /// Signs it; without one it is handed out unsigned, which its page says.
    pub signer: Option<Arc<dyn DocumentSigning>>,
    /// A font for what the built-in one cannot write; without one such a certificate is refused (`EV-4160`).
    pub font: Option<FontSource>,
}

/// Signs certificates, with a key that it keeps to itself.
pub trait DocumentSigning: Send + Sync {
    /// The certificate in this format, signed or sealed if the format can be. Blocks for signatures, and for a time
    /// stamp where one is asked for elsewhere.
    ///
    /// # Errors
    /// [`DocumentError`]; nothing unsigned is handed out instead.
    fn write(&self, certificate: &Certificate, format: Format) -> Result<Vec<u8>, DocumentError>;
}

/// Why there is no signed document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The certificate itself could not be written.
    #[error("the certificate cannot be written")]
    Certificate(#[from] CertificateError),
    /// It could not be signed, sealed or stamped.
    #[error("the certificate cannot be signed: {reason}")]
    Signature {
        /// What failed; free of secrets.
        reason: String,
    },
}

impl Documents {
    /// Lays the facts out with the built-in font, which every verifier has, or else with the configured one.
    pub(crate) fn lay_out(
        &self,
        facts: CertificateFacts,
        issuer: Issuer,
    ) -> Result<Certificate, CertificateError> {
        let built_in = FontSource::built_in()?;
        let Some(font) = &self.font else { return Certificate::new(facts, issuer, built_in) };
        match Certificate::new(facts.clone(), issuer.clone(), built_in) {
            Err(CertificateError::MissingGlyph { .. }) => {
                Certificate::new(facts, issuer, font.clone())
            }
            made => made,
        }
    }

    /// The certificate in this format, signed if there is a signer.
    pub(crate) fn write(
        &self,
        certificate: &Certificate,
        format: Format,
    ) -> Result<Vec<u8>, DocumentError> {
        match &self.signer {
            Some(signer) => signer.write(certificate, format),
            None => Ok(certificate.write(format)?),
        }
    }
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents")
            .field("issuer", &self.issuer)
            .field("signs", &self.signer.is_some())
            .field("font", &self.font)
            .finish()
    }
}
