//! Signs the certificates that the node hands out: OFD with its electronic seal (电子印章), PDF with the same key.

pub(crate) mod font;
mod keys;

use std::sync::Arc;

use changbai_api::documents::{DocumentError, DocumentSigning, Documents};
use changbai_certificate::{Certificate, Format, OfdSigner, PdfSigner, SealImage, seal_image};
use changbai_time::{TokenSource, TokenSources};
use changbai_wire::time::Clock;
use smkit::Sm3Digest;
use smkit_pki::TimeStampToken;

use self::keys::SealKeys;
use crate::config::ValidConfig;
use crate::directory::Directory;
use crate::error::StartError;

/// The node's seal, where it has one; made now where it has none and the agency's authority lies here.
pub(crate) fn open(
    directory: &Directory,
    config: &ValidConfig,
    clock: &Arc<dyn Clock>,
    stamps: Option<Arc<TokenSources>>,
) -> Result<Documents, StartError> {
    let now_s = clock.now().at.seconds();
    let issuer = Some(config.issuer.clone());
    let font = font::open(config)?;
    let Some(keys) = keys::open(&directory.identity(), config, now_s)? else {
        return Ok(Documents { issuer, signer: None, font });
    };
    let clock = Arc::clone(clock);
    // A picture that cannot be shown in a PDF is no obstacle: the page then says who signed.
    let image = seal_image(keys.seal.picture())
        .inspect_err(|error| tracing::warn!(%error, "node::seal_picture_not_shown"))
        .ok();
    let signer = Sealer { keys, image, clock, stamps };
    Ok(Documents { issuer, signer: Some(Arc::new(signer)), font })
}

/// Holds the key; it never leaves the node.
struct Sealer {
    keys: SealKeys,
    image: Option<SealImage>,
    clock: Arc<dyn Clock>,
    stamps: Option<Arc<TokenSources>>,
}

impl DocumentSigning for Sealer {
    /// Without an answer of any source of time stamps, the document goes out without one, and says so.
    fn write(&self, certificate: &Certificate, format: Format) -> Result<Vec<u8>, DocumentError> {
        let Some(source) = &self.stamps else { return self.sign(certificate, format, None) };
        let ask = |imprint: &Sm3Digest| {
            source.token(imprint).map(|token| token.token().clone()).map_err(|e| e.to_string())
        };
        self.sign(certificate, format, Some(&ask)).or_else(|error| {
            tracing::warn!(%error, "node::document_without_time_stamp");
            self.sign(certificate, format, None)
        })
    }
}

impl Sealer {
    fn sign(
        &self,
        certificate: &Certificate,
        format: Format,
        stamp: Option<&AskStamp<'_>>,
    ) -> Result<Vec<u8>, DocumentError> {
        let SealKeys { seal, certificate: signer, key } = &self.keys;
        let at_unix_seconds = self.clock.now().at.seconds();
        Ok(match format {
            Format::Ofd => certificate.with_seal(seal.clone())?.sign_ofd(&OfdSigner {
                certificate: signer,
                key,
                at_unix_seconds,
                stamp,
            })?,
            Format::Pdf => certificate.sign_pdf(&PdfSigner {
                certificate: signer,
                authorities: &[],
                key,
                at_unix_seconds,
                stamp,
                picture: self.image.as_ref(),
            })?,
            // For screens: it has no place for a signature.
            Format::Svg => certificate.write(format)?,
        })
    }
}

/// Asks for a time stamp over a digest.
type AskStamp<'a> = dyn Fn(&Sm3Digest) -> Result<TimeStampToken, String> + 'a;
