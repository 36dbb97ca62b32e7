//! Signs the certificates of evidence that the node hands out, with a key of its own below `identity/`.

use std::path::Path;
use std::sync::Arc;

use changbai_api::documents::{DocumentError, DocumentSigning, Documents};
use changbai_certificate::limits::FONT_BYTES_MAX;
use changbai_certificate::{Certificate, FontSource, Format, PdfSigner};
use changbai_time::{TokenSource, TokenSources};
use changbai_wire::time::Clock;
use smkit::Sm3Digest;
use smkit::sm2::{SignerId, SigningKey};
use smkit_pki::{Certificate as PkiCertificate, TimeStampToken};

use crate::config::ValidConfig;
use crate::directory::Directory;
use crate::error::StartError;
use crate::identity::{self, Service, wrong};

/// Who issues documents, and who signs them: nobody, where the agency's authority is elsewhere and issued no certificate
/// for it.
pub(crate) fn open(
    directory: &Directory,
    config: &ValidConfig,
    clock: &Arc<dyn Clock>,
    tokens: Option<Arc<TokenSources>>,
) -> Result<Documents, StartError> {
    let dir = directory.identity();
    let now_s = clock.now().at.seconds();
    let issuer = Some(config.issuer.clone());
    let font = font(config)?;
    let Some((certificate, key)) = identity::service(&dir, config, now_s, Service::Documents)?
    else {
        return Ok(Documents { issuer, signer: None, font });
    };
    let file = Service::Documents.file(&dir);
    if key.public_key() != certificate.public_key() {
        return Err(wrong(&file, &"the key beside it is not its own"));
    }
    if certificate.not_after() <= now_s {
        // What it signed stays valid; what it would sign now would not be.
        tracing::warn!(file = %file.display(), "node::document_certificate_expired");
        return Ok(Documents { issuer, signer: None, font });
    }
    let key = SigningKey::new(key, SignerId::DEFAULT).map_err(|e| wrong(&file, &e))?;
    let signer = Signer { certificate, key, clock: Arc::clone(clock), tokens };
    Ok(Documents { issuer, signer: Some(Arc::new(signer)), font })
}

/// The configured font, relative to the configuration file.
fn font(config: &ValidConfig) -> Result<Option<FontSource>, StartError> {
    let name = &config.settings.platform.font;
    if name.is_empty() {
        return Ok(None);
    }
    let folder = config.file.parent().unwrap_or_else(|| Path::new("."));
    let file = folder.join(name);
    let size = std::fs::metadata(&file).map_err(|e| StartError::file(&file, e))?.len();
    if size > FONT_BYTES_MAX as u64 {
        return Err(wrong(&file, &format!("a font of {size} bytes is too large")));
    }
    let bytes = std::fs::read(&file).map_err(|e| StartError::file(&file, e))?;
    FontSource::from_bytes(bytes).map(Some).map_err(|e| wrong(&file, &e))
}

struct Signer {
    certificate: PkiCertificate,
    key: SigningKey,
    clock: Arc<dyn Clock>,
    tokens: Option<Arc<TokenSources>>,
}

impl DocumentSigning for Signer {
    fn write(&self, certificate: &Certificate, format: Format) -> Result<Vec<u8>, DocumentError> {
        match format {
            Format::Pdf => self.pdf(certificate),
            Format::Ofd | Format::Svg => Ok(certificate.write(format)?),
        }
    }
}

impl Signer {
    /// Reading goes on without a time stamp: the certificate then says that there is none.
    fn pdf(&self, certificate: &Certificate) -> Result<Vec<u8>, DocumentError> {
        let stamp = |imprint: &Sm3Digest| self.stamp(imprint);
        let signer = PdfSigner {
            certificate: &self.certificate,
            authorities: &[],
            key: &self.key,
            at_unix_seconds: self.clock.now().at.seconds(),
            stamp: None,
            picture: None,
        };
        if self.tokens.is_some() {
            match certificate.sign_pdf(&PdfSigner { stamp: Some(&stamp), ..signer }) {
                Ok(signed) => return Ok(signed),
                Err(error) => tracing::warn!(%error, "node::document_without_time_stamp"),
            }
        }
        Ok(certificate.sign_pdf(&signer)?)
    }

    fn stamp(&self, imprint: &Sm3Digest) -> Result<TimeStampToken, String> {
        let tokens = self.tokens.as_ref().ok_or("no source of time stamps")?;
        tokens.token(imprint).map(|given| given.token().clone()).map_err(|error| error.to_string())
    }
}
