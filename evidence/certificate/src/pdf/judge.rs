//! Judging a PDF certificate: its signature, and whether its pages are those that the attached evidence makes.
//!
//! Two revisions and no more. The second one, which signs, is written anew from the certificate and date in the signature;
//! the first one is made anew from the attached record and receipt. Both are compared byte for byte: whatever a PDF could
//! hide (a second update, shadow content, another widget, a script) would be a difference.

mod signature;

use std::collections::BTreeMap;

use changbai_receipt::{Bundle, Report, Verdict, verify};

use super::{
    appearance::{Appearance, SealImage},
    file::{Malformed, Revision, Table},
    object::Value,
    sign::prepare,
    update::{Place, thousandths_of},
};
use crate::{
    Certificate, CertificateFacts, FontSource, Format, Originals,
    issuance::{Issuance, LAYOUT},
    judge::{
        CHAIN_ABSENT, DOCUMENT_MALFORMED, DOCUMENT_PROVEN, DOCUMENT_UNCHECKED, DOCUMENT_UNSIGNED,
        DocumentReport, FACTS_ATTACHMENT, FACTS_DIFFER, FACTS_LAYOUT, FACTS_PROVEN,
        FACTS_UNCHECKED, FACTS_UNPROVEN, Finding, Findings, Grounds, REVOCATION_NO_CERTIFICATE,
        SEAL_ABSENT, SIGNATURE_ABSENT, TIME_TOKEN_ABSENT,
    },
    limits::{PDF_ATTACHED_BYTES_MAX, PDF_BYTES_MAX},
};

/// Judges a certificate as PDF, signed or not.
///
/// Proven is what was: a certificate made by another layout, or against a trust file that does not name the channel, is
/// `unchecked` in what could not be compared.
pub fn judge_pdf(bytes: &[u8], grounds: &Grounds<'_>) -> DocumentReport {
    let mut findings = Findings { seal: Finding::new(SEAL_ABSENT), ..Findings::default() };
    let file = match File::split(bytes) {
        Ok(file) => file,
        Err(error) => {
            findings.document = malformed(error);
            return DocumentReport::new(Format::Pdf, findings, None, None);
        }
    };
    let contents = Contents::judge(file.first, grounds, &mut findings);
    let Some(update) = &file.update else {
        findings.document = Finding::new(DOCUMENT_UNSIGNED);
        findings.signature = Finding::new(SIGNATURE_ABSENT);
        findings.chain = Finding::new(CHAIN_ABSENT);
        findings.revocation = Finding::new(REVOCATION_NO_CERTIFICATE);
        findings.time_token = Finding::new(TIME_TOKEN_ABSENT);
        return DocumentReport::new(Format::Pdf, findings, contents.evidence, None);
    };
    let mut signatory = None;
    match signature::find(bytes, &file, update) {
        Err(finding) => findings.document = finding,
        Ok(found) => {
            signatory = signature::judge(bytes, &found, grounds, &mut findings);
            findings.document = if contents.is_of_another_layout {
                Finding::new(DOCUMENT_UNCHECKED)
            } else {
                match written_anew(bytes, &file, update, &contents, &found) {
                    Ok(again) => compare(bytes, &again),
                    Err(error) => malformed(error),
                }
            };
        }
    }
    DocumentReport::new(Format::Pdf, findings, contents.evidence, signatory)
}

/// A file's two parts.
struct File<'a> {
    /// The first revision.
    first: &'a [u8],
    revision: Revision<'a>,
    /// The table of the second one, if there is one.
    update: Option<Table<'a>>,
}

impl<'a> File<'a> {
    fn split(bytes: &'a [u8]) -> Result<Self, Malformed> {
        if bytes.len() > PDF_BYTES_MAX {
            return Err(Malformed { what: "the end of a file of bounded size", at: PDF_BYTES_MAX });
        }
        let last = Table::last(bytes)?;
        let Some(previous) = last.trailer.get("Prev") else {
            return Ok(Self { first: bytes, revision: Revision::only(bytes)?, update: None });
        };
        let wrong = Malformed { what: "the first revision", at: last.start };
        let start = previous.natural().filter(|start| *start < last.start).ok_or(wrong)?;
        let first = bytes.get(..Table::at(bytes, start)?.end).ok_or(wrong)?;
        Ok(Self { first, revision: Revision::only(first)?, update: Some(last) })
    }
}

/// What the first revision holds.
#[derive(Default)]
struct Contents {
    evidence: Option<Report>,
    certificate: Option<Certificate>,
    is_of_another_layout: bool,
}

impl Contents {
    fn judge(first: &[u8], grounds: &Grounds<'_>, findings: &mut Findings) -> Self {
        let (contents, facts) = Self::compare(first, grounds);
        findings.facts = facts;
        contents
    }

    fn compare(first: &[u8], grounds: &Grounds<'_>) -> (Self, Finding) {
        let lacking = |what: &str| (Self::default(), Finding::new(FACTS_ATTACHMENT).with(what));
        let attached = Revision::only(first).and_then(|r| r.attachments(PDF_ATTACHED_BYTES_MAX));
        let mut attached: BTreeMap<_, _> = match attached {
            Ok(attached) => attached.into_iter().collect(),
            Err(error) => return lacking(&error.to_string()),
        };
        let (Some(record), Some(receipt)) =
            (attached.remove("record.json"), attached.remove("receipt.json"))
        else {
            return lacking("record.json, receipt.json");
        };
        let mut bundle = Bundle::from_parts(record, receipt, None);
        bundle.batch = attached.remove("batch.json");
        bundle.checkpoint = attached.remove("checkpoint.json");
        bundle.process = attached.remove("process.json");
        let issuance = attached.get("issuance.json").and_then(|bytes| Issuance::from_bytes(bytes));
        let is_of_another_layout =
            issuance.as_ref().is_some_and(|issuance| issuance.layout != LAYOUT);
        let bare = |evidence, finding| {
            (Self { evidence: Some(evidence), certificate: None, is_of_another_layout }, finding)
        };
        let evidence = verify(&bundle, grounds.originals, grounds.trust);
        let Some(trust) = grounds.trust else {
            return bare(evidence, Finding::new(FACTS_UNCHECKED));
        };
        let facts = CertificateFacts::reported(&bundle, &evidence, trust, Originals::MayBeAbsent);
        let facts = match facts {
            Ok(facts) => facts,
            Err(_) if evidence.verdict == Verdict::NotVerified => {
                return bare(evidence, Finding::new(FACTS_UNPROVEN));
            }
            Err(_) => return bare(evidence, Finding::new(FACTS_UNCHECKED)),
        };
        let Some(issuance) = issuance else {
            return bare(evidence, Finding::new(FACTS_ATTACHMENT).with("issuance.json"));
        };
        if is_of_another_layout {
            let layout = format!("layout {}", issuance.layout);
            return bare(evidence, Finding::new(FACTS_LAYOUT).with(layout));
        }
        let font = match FontSource::built_in() {
            Ok(font) if font.sm3().to_string() == issuance.font_sm3 => font,
            _ => {
                let font = format!("font SM3 {}", issuance.font_sm3);
                return bare(evidence, Finding::new(FACTS_LAYOUT).with(font));
            }
        };
        let again = Certificate::anew(facts, issuance, font)
            .and_then(|certificate| Ok((certificate.write(Format::Pdf)?, certificate)));
        match again {
            Ok((again, certificate)) => {
                let finding = match difference(first, &again) {
                    None => Finding::new(FACTS_PROVEN),
                    Some(at) => Finding::new(FACTS_DIFFER)
                        .in_words(format!("第 {at} 字节"), format!("byte {at}")),
                };
                let certificate = Some(certificate);
                (Self { evidence: Some(evidence), certificate, is_of_another_layout }, finding)
            }
            Err(error) => bare(evidence, Finding::new(FACTS_DIFFER).with(error)),
        }
    }
}

/// The whole file, made from its first revision, its signature and its picture.
fn written_anew(
    bytes: &[u8],
    file: &File<'_>,
    update: &Table<'_>,
    contents: &Contents,
    found: &signature::Found,
) -> Result<Vec<u8>, Malformed> {
    let wrong = |what| Malformed { what, at: update.start };
    let (Some(signer), Some(at)) = (found.certificate(), found.signed_at()) else {
        return Err(wrong("the signer's certificate and date"));
    };
    let place = match &contents.certificate {
        Some(certificate) => certificate.layout.seal.into(),
        None => place(bytes, file, update)?,
    };
    let appearance = match picture(bytes, file, update)? {
        Some(picture) => Appearance::Picture(picture),
        None => Appearance::of(signer, at).map_err(|_| wrong("the appearance"))?,
    };
    let prepared = prepare(file.first, &place, &appearance, at).map_err(|_| wrong("the update"))?;
    prepared.finish(found.message.der()).ok_or_else(|| wrong("the signature"))
}

/// Where the file says that the signature stands.
fn place(bytes: &[u8], file: &File<'_>, update: &Table<'_>) -> Result<Place, Malformed> {
    let wrong = Malformed { what: "the place of the signature", at: update.start };
    let first = file.revision.table.size()?;
    let widget = update.object(bytes, first.saturating_add(1))?.value;
    let rect = widget.array("Rect").unwrap_or_default();
    let rect: Option<Vec<i64>> = rect.iter().map(thousandths_of).collect();
    let Some([left, bottom, right, _]) = rect.as_deref() else { return Err(wrong) };
    let on = widget.reference("P").ok_or(wrong)?;
    let page = file.revision.pages()?.iter().position(|page| *page == on).ok_or(wrong)?;
    let side = right.saturating_sub(*left);
    Ok(Place { page: page.saturating_add(1), left: *left, bottom: *bottom, side })
}

/// The picture in the seal's place, if there is one.
fn picture(
    bytes: &[u8],
    file: &File<'_>,
    update: &Table<'_>,
) -> Result<Option<SealImage>, Malformed> {
    let first = file.revision.table.size()?;
    let appearance = update.object(bytes, first.saturating_add(2))?.value;
    let resources = appearance.dictionary("Resources");
    if resources.is_none_or(|resources| resources.get("XObject").is_none()) {
        return Ok(None);
    }
    let wrong = Malformed { what: "the picture of the seal", at: update.start };
    let colours = update.object(bytes, first.saturating_add(3))?;
    let opacity = update.object(bytes, first.saturating_add(4))?;
    let side = |key: &str| {
        let side = colours.value.get(key).and_then(Value::natural);
        side.and_then(|side| u32::try_from(side).ok()).ok_or(wrong)
    };
    let (width, height) = (side("Width")?, side("Height")?);
    let data = |stream: Option<&[u8]>| stream.map(<[u8]>::to_vec).ok_or(wrong);
    Ok(Some(SealImage::as_found(width, height, data(colours.stream)?, data(opacity.stream)?)))
}

fn compare(bytes: &[u8], again: &[u8]) -> Finding {
    match difference(bytes, again) {
        None => Finding::new(DOCUMENT_PROVEN),
        Some(at) => Finding::new(DOCUMENT_MALFORMED).in_words(
            format!("第 {at} 字节起与规定写法不同"),
            format!("byte {at} is not as written"),
        ),
    }
}

/// The first byte that differs.
fn difference(one: &[u8], other: &[u8]) -> Option<usize> {
    if one == other {
        return None;
    }
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    Some(same)
}

fn malformed(error: Malformed) -> Finding {
    let Malformed { what, at } = error;
    Finding::new(DOCUMENT_MALFORMED)
        .in_words(format!("第 {at} 字节处（{what}）"), format!("{what}, byte {at}"))
}
