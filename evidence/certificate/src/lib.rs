//! Print the certificate of an evidence (存证证书): one layout, written as PDF, OFD and SVG.
//!
//! It signs with keys and seals that the caller brings, knows no clock, file or socket, and prints no fact that a
//! verifier has not proven: [`CertificateFacts`] come out of [`changbai_receipt::verify`](fn@changbai_receipt::verify)
//! alone.
//!
//! # Model
//!
//! [`CertificateFacts::establish`] verifies record and receipt against a trust file. A [`Certificate`] lays the facts
//! out, together with what the [`Issuer`] says about itself, as A4 pages of text runs, lines, areas and a QR code. Three
//! writers walk that list: PDF/A-3b, OFD and SVG. Record, receipt and the issuer's own statements are attached to PDF and
//! OFD, so that the document itself can be verified.
//!
//! [`Certificate::sign_pdf`] appends an SM2 signature of GB/T 35275 as an incremental update; [`judge_pdf`] makes both
//! revisions of such a file anew and compares them byte for byte, after signature, certificates and evidence.
//! [`Certificate::sign_ofd`] signs an OFD with an electronic seal. [`judge_ofd`] takes such a file apart: every byte of it
//! is covered by the signature or fixed by the format, certificates lead to the trust file's roots, record and receipt
//! are verified anew, and the pages are made anew from them and compared.
//!
//! # Invariants
//!
//! - No certificate without a verdict of `verified` against a trust file that names the channel; the one exception,
//!   originals that are not at hand, has to be asked for and is printed ([`Originals`]).
//! - A character that the font lacks is an error that names it, never an empty box.
//! - The same facts, issuer and font give the same bytes, on any machine, at any time.
//! - Text never leaves the page: what does not fit makes more pages, at most [`limits::PAGES_MAX`].
//!
//! # Cost
//!
//! Verification is the receipt's (one batch of SM2 signatures). Layout is linear in the text, one hash look-up per
//! character; the font is parsed once per process ([`FontSource::built_in`]). PDF and OFD each cut the used glyphs out
//! of the font, linear in the *font's* glyph count, and deflate about 100 kB; SVG writes the outlines of the used
//! glyphs. Memory: the pages and the file, below 2 MB.
//!
//! # Standards
//!
//! GB/T 33190-2016 (OFD), ISO 19005-3 (PDF/A-3b), ISO 32000-1 §12.8 (signatures), GB/T 35275-2017, RFC 3161, SVG 1.1,
//! GB/T 18284 (QR code); contents after 人民法院在线诉讼规则 art. 16–19 and SF/T 0076-2020.
//!
//! # Example
//!
//! ```
//! use changbai_certificate::{CertificateFacts, NotProven, Originals};
//! use changbai_receipt::{Bundle, Trust};
//! # fn f(record: Vec<u8>, receipt: Vec<u8>, trust: &Trust) -> Result<(), Box<dyn std::error::Error>> {
//! use changbai_certificate::{Certificate, FontSource, Format, Issuer};
//!
//! let bundle = Bundle::from_parts(record, receipt, None);
//! let facts = CertificateFacts::establish(&bundle, &[], trust, Originals::MayBeAbsent)?;
//! let certificate = Certificate::new(facts, Issuer::new("长春市存证平台")?, FontSource::built_in()?)?;
//! let pdf = certificate.write(Format::Pdf)?;
//! # Ok(())
//! # }
//! ```

mod bundle;
mod error;
mod facts;
mod font;
mod format;
mod issuance;
mod issuer;
mod judge;
mod layout;
pub mod limits;
mod ofd;
mod pdf;
mod process;
mod seal_picture;
mod svg;
mod time;

use issuance::Issuance;
use smkit::Sm3Digest;
use smkit_pki::{Seal, SealError, TimeStampToken};
use time::ChinaTime;

pub use bundle::{SNIFF_BYTES, judge_document, sniff, verify_bundle, verify_bundle_reader};
pub use error::CertificateError;
pub use facts::{CertificateFacts, NotProven, Originals};
pub use font::{FontError, FontSource};
pub use format::{Format, UnknownFormat};
pub use issuer::{FilingNumber, Issuer, IssuerError, Mlps};
pub use judge::{DOCUMENT_ELEMENTS, DocumentReport, Grounds, Signatory, document_reasons};
pub use layout::SealPlace;
pub use ofd::{OfdSigner, judge_ofd};
pub use pdf::{PdfSigner, SealImage, judge_pdf};
pub use process::{ProcessLog, ProcessStep};
pub use seal_picture::{draw_round_seal, seal_image, seal_picture_from_png};

/// Asks for a time stamp over a digest; what goes wrong comes back in words.
pub type Stamping<'a> = &'a dyn Fn(&Sm3Digest) -> Result<TimeStampToken, String>;

/// A certificate, laid out; [`write`](Self::write) gives its bytes in each format.
#[derive(Clone, Debug)]
pub struct Certificate {
    facts: CertificateFacts,
    issuer: Issuer,
    font: FontSource,
    layout: layout::Layout,
    time: ChinaTime,
    /// The seal whose picture the pages show; such a certificate is signed, never written without.
    seal: Option<Seal>,
    /// `issuance.json`.
    issuance: Vec<u8>,
}

impl Certificate {
    /// Lays the facts out.
    ///
    /// # Errors
    /// [`CertificateError::MissingGlyph`] names the first character that the font lacks; the others name what is too
    /// long.
    pub fn new(
        facts: CertificateFacts,
        issuer: Issuer,
        font: FontSource,
    ) -> Result<Self, CertificateError> {
        Self::laid_out(facts, issuer, font, None)
    }

    /// The same certificate laid out for this seal, whose picture stands in its place: for [`Certificate::sign_ofd`].
    ///
    /// # Errors
    /// [`CertificateError::Picture`] for a picture that is no PNG; as [`Certificate::new`].
    pub fn with_seal(&self, seal: Seal) -> Result<Self, CertificateError> {
        if !seal.picture().kind.eq_ignore_ascii_case("PNG") {
            return Err(CertificateError::Picture { reason: "it is no PNG" });
        }
        Self::laid_out(self.facts.clone(), self.issuer.clone(), self.font.clone(), Some(seal))
    }

    fn laid_out(
        facts: CertificateFacts,
        issuer: Issuer,
        font: FontSource,
        seal: Option<Seal>,
    ) -> Result<Self, CertificateError> {
        let layout = layout::lay_out(&font, &facts, &issuer, seal.is_some())?;
        let time = ChinaTime::new(facts.parts().time.at_ms)?;
        let issuance = Issuance::of(&facts, &issuer, &font).to_bytes();
        Ok(Self { facts, issuer, font, layout, time, seal, issuance })
    }

    /// The certificate that a document says it is: what it takes from its issuer is taken from there.
    pub(crate) fn anew(
        facts: CertificateFacts,
        issuance: Issuance,
        font: FontSource,
    ) -> Result<Self, CertificateError> {
        let Issuance { findings, issuer, originals_compared, .. } = issuance;
        Self::new(CertificateFacts { findings, originals_compared, ..facts }, issuer, font)
    }

    /// The certificate's bytes, the same at each call.
    ///
    /// # Errors
    /// [`CertificateError::Write`]; [`CertificateError::Seal`] for one laid out for a seal, which must not be seen without
    /// the signature.
    pub fn write(&self, format: Format) -> Result<Vec<u8>, CertificateError> {
        if self.seal.is_some() {
            return Err(CertificateError::Seal(SealError::Signature));
        }
        match format {
            Format::Pdf => pdf::write(self),
            Format::Ofd => ofd::write(self),
            Format::Svg => svg::write(self).map(String::into_bytes),
        }
    }

    /// Signs the certificate as PDF: the bytes of [`write`](Self::write) and an incremental update with an SM2 signature of
    /// GB/T 35275. The same at each call with the same date and stamp.
    ///
    /// # Errors
    /// [`CertificateError::Write`]: the key is not the certificate's, or the signature too long for its place;
    /// [`CertificateError::TimeStamp`].
    pub fn sign_pdf(&self, signer: &PdfSigner<'_>) -> Result<Vec<u8>, CertificateError> {
        pdf::sign(self, signer)
    }

    /// Signs the certificate with the seal it was laid out for, as OFD; the same at each call with the same date and
    /// stamp.
    ///
    /// # Errors
    /// [`CertificateError::Seal`]: no seal, a signer it is not for, a date outside its validity; whatever `signer.stamp`
    /// reports.
    pub fn sign_ofd(&self, signer: &OfdSigner<'_>) -> Result<Vec<u8>, CertificateError> {
        ofd::sign(self, signer)
    }

    /// Number of pages.
    pub fn page_count(&self) -> usize {
        self.layout.pages.len()
    }

    /// Where the electronic seal belongs.
    pub fn seal_place(&self) -> SealPlace {
        self.layout.seal
    }

    /// Every line of text, in drawing order; what a reader of any format must find.
    pub fn lines(&self) -> Vec<String> {
        self.layout.runs().map(layout::TextRun::text).collect()
    }

    fn title(&self) -> String {
        format!("区块链电子数据存证证书 {}", self.facts.record().id())
    }

    /// 32 hexadecimal digits that name the document: from the record's digest.
    fn document_id(&self) -> String {
        let mut id = self.facts.record().digest().to_string();
        id.truncate(32);
        id
    }

    /// Name, description and bytes of each attached file.
    fn attachments(&self) -> Vec<(&'static str, &'static str, &[u8])> {
        let mut files: Vec<(&str, &str, &[u8])> = vec![
            ("record.json", "存证记录 evidence record", &self.facts.record_bytes),
            ("receipt.json", "凭据 receipt", &self.facts.receipt_bytes),
            ("issuance.json", "出证说明 issuer's statement", &self.issuance),
        ];
        let further = self.facts.further.iter();
        files.extend(further.map(|(name, bytes)| (*name, "证明材料 proof", bytes.as_slice())));
        files
    }
}
