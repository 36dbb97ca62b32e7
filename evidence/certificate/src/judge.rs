//! Judging a certificate document: what its own signature and seal prove, and what the evidence inside it proves.
//!
//! The same for PDF and OFD. A document that says more than its attached record and receipt, or anything that nothing
//! signs, is refused; what could not be examined is said to be so, never passed over.

mod reasons;

use changbai_receipt::{Element, HashedOriginal, Reason, Report, Status, Trust, Verdict};
use serde::{Serialize, Serializer, ser::SerializeStruct};
use smkit_pki::RevocationList;

use crate::Format;

pub use self::reasons::document_reasons;
pub(crate) use self::reasons::*;

/// The names of a document's own elements, in the order of every report.
pub const DOCUMENT_ELEMENTS: [&str; 7] =
    ["document", "signature", "seal", "chain", "revocation", "time_token", "facts"];

/// What a document is judged against.
#[derive(Clone, Copy, Debug)]
pub struct Grounds<'a> {
    /// What the reader trusts, obtained independently of the document. Without it nothing is proven.
    pub trust: Option<&'a Trust>,
    /// The reader's clock, seconds since 1970: a signature from the future is refused.
    pub now_unix_seconds: i64,
    /// Revocation lists at hand, besides those of the trust file.
    pub lists: &'a [RevocationList],
    /// Originals at hand, for the evidence inside.
    pub originals: &'a [HashedOriginal],
}

/// What judging a document found. As JSON: `{"verdict","format","elements":[…],"signatory":{…}|null,"evidence":{…}|null}`,
/// elements as in [`Report`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DocumentReport {
    /// The answer over the document's own elements and the evidence: any failed element makes it
    /// [`Verdict::NotVerified`], else any unchecked one [`Verdict::Unchecked`].
    pub verdict: Verdict,
    /// Which kind of document.
    pub format: Format,
    /// One per name in [`DOCUMENT_ELEMENTS`], in that order.
    pub elements: Vec<Element>,
    /// The report on record and receipt that are attached; `None` if they could not be taken out.
    pub evidence: Option<Report>,
    /// Who signed, by the document's own account; a fact only if `signature` and `chain` are proven.
    pub signatory: Option<Signatory>,
}

/// Who signed a document, and with which seal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Signatory {
    /// Subject of the signer's certificate (签章者), RFC 4514.
    pub subject: String,
    /// SM3 of that certificate, lower-case hex.
    pub certificate_sm3: String,
    /// When it says to have been signed, seconds since 1970.
    pub signed_at: Option<i64>,
    /// Time of the time stamp over the signature, seconds since 1970.
    pub stamped_at: Option<i64>,
    /// Code of the seal (电子印章编码).
    pub seal_id: Option<String>,
    /// Name of the seal.
    pub seal_name: Option<String>,
    /// Subject of the seal maker's certificate (制章者).
    pub seal_maker: Option<String>,
}

impl DocumentReport {
    /// The report on one finding per element.
    pub(crate) fn new(
        format: Format,
        findings: Findings,
        evidence: Option<Report>,
        signatory: Option<Signatory>,
    ) -> Self {
        let Findings { document, signature, seal, chain, revocation, time_token, facts } = findings;
        let elements = [document, signature, seal, chain, revocation, time_token, facts];
        let elements: Vec<_> = elements.into_iter().map(Finding::into_element).collect();
        let any = |status| elements.iter().any(|element| element.status == status);
        let inner = evidence.as_ref().map_or(Verdict::Verified, |report| report.verdict);
        let verdict = if any(Status::Failed) || inner == Verdict::NotVerified {
            Verdict::NotVerified
        } else if any(Status::Unchecked) || inner == Verdict::Unchecked {
            Verdict::Unchecked
        } else {
            Verdict::Verified
        };
        Self { verdict, format, elements, evidence, signatory }
    }

    /// The element of this name, one of [`DOCUMENT_ELEMENTS`].
    pub fn element(&self, name: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.name == name)
    }
}

impl Serialize for DocumentReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("DocumentReport", 5)?;
        fields.serialize_field("verdict", &self.verdict)?;
        fields.serialize_field("format", self.format.extension())?;
        fields.serialize_field("elements", &self.elements)?;
        fields.serialize_field("signatory", &self.signatory)?;
        fields.serialize_field("evidence", &self.evidence)?;
        fields.end()
    }
}

/// One finding per element of a document; each is unchecked until something was found out.
#[derive(Clone, Debug)]
pub(crate) struct Findings {
    pub(crate) document: Finding,
    pub(crate) signature: Finding,
    pub(crate) seal: Finding,
    pub(crate) chain: Finding,
    pub(crate) revocation: Finding,
    pub(crate) time_token: Finding,
    pub(crate) facts: Finding,
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            document: Finding::new(DOCUMENT_UNCHECKED),
            signature: Finding::new(SIGNATURE_UNCHECKED),
            seal: Finding::new(SEAL_UNCHECKED),
            chain: Finding::new(CHAIN_UNCHECKED),
            revocation: Finding::new(REVOCATION_UNCHECKED),
            time_token: Finding::new(TIME_TOKEN_UNCHECKED),
            facts: Finding::new(FACTS_UNCHECKED),
        }
    }
}

/// A reason and its facts, before it becomes an [`Element`].
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    reason: &'static Reason,
    zh: Vec<String>,
    en: Vec<String>,
}

impl Finding {
    pub(crate) const fn new(reason: &'static Reason) -> Self {
        Self { reason, zh: Vec::new(), en: Vec::new() }
    }

    /// Adds the fact for the next `{n}`.
    pub(crate) fn with(self, fact: impl ToString) -> Self {
        let fact = fact.to_string();
        self.in_words(fact.clone(), fact)
    }

    /// Adds the next fact in both languages.
    pub(crate) fn in_words(mut self, zh: String, en: String) -> Self {
        self.zh.push(zh);
        self.en.push(en);
        self
    }

    pub(crate) fn is_unchecked(&self) -> bool {
        self.reason.status == Status::Unchecked
    }

    pub(crate) fn is_failed(&self) -> bool {
        self.reason.status == Status::Failed
    }

    fn into_element(self) -> Element {
        Element {
            name: self.reason.element,
            status: self.reason.status,
            code: self.reason.code,
            reason_zh: fill(self.reason.zh, &self.zh),
            reason_en: fill(self.reason.en, &self.en),
        }
    }
}

/// Replaces `{0}` … in one pass, so that a fact that itself looks like `{1}` stays as it is.
fn fill(template: &str, facts: &[String]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (number, tail) = after.split_once('}').unwrap_or((after, ""));
        let fact = number.parse::<usize>().ok().and_then(|number| facts.get(number));
        out.push_str(fact.map_or("?", String::as_str));
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_on_nothing_is_unchecked_and_names_every_element() {
        let report = DocumentReport::new(Format::Ofd, Findings::default(), None, None);
        assert_eq!(report.verdict, Verdict::Unchecked);
        let names: Vec<_> = report.elements.iter().map(|element| element.name).collect();
        assert_eq!(names, DOCUMENT_ELEMENTS);
    }

    #[test]
    fn codes_rise_and_both_languages_state_the_same_facts() {
        let all = document_reasons();
        assert!(all.is_sorted_by(|a, b| a.code < b.code));
        for reason in all {
            assert!(DOCUMENT_ELEMENTS.contains(&reason.element), "{}", reason.code);
            for index in 0..4 {
                let place = format!("{{{index}}}");
                assert_eq!(reason.zh.contains(&place), reason.en.contains(&place), "{reason:?}");
            }
        }
    }
}
