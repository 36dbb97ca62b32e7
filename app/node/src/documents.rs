//! Signs the certificates of evidence that the node hands out, with keys of its own below `identity/`: PDF with a document
//! key, OFD with its electronic seal (电子印章).

mod seal;

use std::path::Path;
use std::sync::Arc;

use changbai_api::documents::{DocumentError, DocumentSigning, Documents};
use changbai_certificate::{
    Certificate, CertificateError, Format, OfdSigner, PdfSigner, SealImage, seal_image,
};
use changbai_time::{TokenSource, TokenSources};
use changbai_wire::time::Clock;
use smkit::Sm3Digest;
use smkit::sm2::{SignerId, SigningKey};
use smkit_pki::{Certificate as PkiCertificate, TimeStampToken};

use self::seal::SealKeys;
use crate::config::ValidConfig;
use crate::directory::Directory;
use crate::error::StartError;
use crate::identity::{self, Service, wrong};

/// Who issues documents, and who signs them: nobody, where the agency's authority is elsewhere and issued no certificate
/// for it, and there is no seal.
pub(crate) fn open(
    directory: &Directory,
    config: &ValidConfig,
    clock: &Arc<dyn Clock>,
    tokens: Option<Arc<TokenSources>>,
) -> Result<Documents, StartError> {
    let dir = directory.identity();
    let now_s = clock.now().at.seconds();
    let issuer = Some(config.issuer.clone());
    let seal = seal::open(&dir, config, now_s)?;
    // A picture that cannot be shown in a PDF is no obstacle: the page then says who signed.
    let picture = seal.as_ref().and_then(|keys| {
        let image = seal_image(keys.seal.picture());
        image.inspect_err(|error| tracing::warn!(%error, "node::seal_picture_not_shown")).ok()
    });
    let document = document_key(&dir, config, now_s)?;
    if document.is_none() && seal.is_none() {
        return Ok(Documents { issuer, signer: None });
    }
    let signer = Signer { document, seal, picture, clock: Arc::clone(clock), tokens };
    Ok(Documents { issuer, signer: Some(Arc::new(signer)) })
}

/// What PDFs are signed with.
fn document_key(
    dir: &Path,
    config: &ValidConfig,
    now_s: i64,
) -> Result<Option<(PkiCertificate, SigningKey)>, StartError> {
    let Some((certificate, key)) = identity::service(dir, config, now_s, Service::Documents)?
    else {
        return Ok(None);
    };
    let file = Service::Documents.file(dir);
    if key.public_key() != certificate.public_key() {
        return Err(wrong(&file, &"the key beside it is not its own"));
    }
    if certificate.not_after() <= now_s {
        // What it signed stays valid; what it would sign now would not be.
        tracing::warn!(file = %file.display(), "node::document_certificate_expired");
        return Ok(None);
    }
    let key = SigningKey::new(key, SignerId::DEFAULT).map_err(|e| wrong(&file, &e))?;
    Ok(Some((certificate, key)))
}

/// Holds the keys; they never leave the node.
struct Signer {
    document: Option<(PkiCertificate, SigningKey)>,
    seal: Option<SealKeys>,
    /// The seal's picture, as PDFs show it.
    picture: Option<SealImage>,
    clock: Arc<dyn Clock>,
    tokens: Option<Arc<TokenSources>>,
}

type Stamp<'a> = &'a dyn Fn(&Sm3Digest) -> Result<TimeStampToken, String>;

impl DocumentSigning for Signer {
    fn write(&self, certificate: &Certificate, format: Format) -> Result<Vec<u8>, DocumentError> {
        let at_unix_seconds = self.clock.now().at.seconds();
        let signed = match (format, &self.document, &self.seal) {
            (Format::Pdf, Some((by, key)), _) => self.stamped(&|stamp| {
                certificate.sign_pdf(&PdfSigner {
                    certificate: by,
                    authorities: &[],
                    key,
                    at_unix_seconds,
                    stamp,
                    picture: self.picture.as_ref(),
                })
            }),
            (Format::Ofd, _, Some(SealKeys { seal, certificate: by, key })) => {
                let laid_out = certificate.with_seal(seal.clone())?;
                self.stamped(&|stamp| {
                    laid_out.sign_ofd(&OfdSigner { certificate: by, key, at_unix_seconds, stamp })
                })
            }
            // What nothing signs says so on its page; SVG is for screens.
            _ => certificate.write(format),
        };
        Ok(signed?)
    }
}

impl Signer {
    /// Reading goes on without a time stamp: the document's own verification then says that there is none.
    fn stamped(
        &self,
        sign: &dyn Fn(Option<Stamp<'_>>) -> Result<Vec<u8>, CertificateError>,
    ) -> Result<Vec<u8>, CertificateError> {
        if self.tokens.is_some() {
            let stamp = |imprint: &Sm3Digest| self.stamp(imprint);
            match sign(Some(&stamp)) {
                Ok(signed) => return Ok(signed),
                Err(error) => tracing::warn!(%error, "node::document_without_time_stamp"),
            }
        }
        sign(None)
    }

    fn stamp(&self, imprint: &Sm3Digest) -> Result<TimeStampToken, String> {
        let tokens = self.tokens.as_ref().ok_or("no source of time stamps")?;
        tokens.token(imprint).map(|given| given.token().clone()).map_err(|error| error.to_string())
    }
}
