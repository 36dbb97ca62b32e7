//! What verification answers: a verdict, and a reason for each element.

use changbai_core::{Record, canonical};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::reasons::Reason;

/// The names of the elements, in the order of every report.
pub const ELEMENTS: [&str; 18] = [
    "container",
    "record",
    "transaction",
    "inclusion",
    "header",
    "certificates",
    "trust",
    "original",
    "disclosures",
    "validators",
    "batch",
    "log_consistency",
    "witness",
    "time_token",
    "time_bound",
    "process_log",
    "seal",
    "revocation",
];

/// The answer to the whole question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Every element is proven (or rightly absent).
    Verified,
    /// At least one element is contradicted.
    NotVerified,
    /// Nothing is contradicted, but something could not be examined.
    Unchecked,
}

/// What vouches for the validators, and so how much a [`Verdict::Verified`] is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// The reader's trust file names the channel: they are its validators.
    Channel,
    /// Roots alone: they hold certificates as validators of some channel. Enough where one agency trusts its own
    /// root; where others hold certificates below that root, any of them could have made the receipt.
    Roots,
    /// Nothing: they were not established.
    Nothing,
}

/// The answer for one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Examined and right.
    Proven,
    /// Examined and wrong.
    Failed,
    /// Not there, and need not be.
    Absent,
    /// Could not be examined.
    Unchecked,
}

/// One element's answer with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// One of [`ELEMENTS`].
    pub name: &'static str,
    /// The answer.
    pub status: Status,
    /// Stable code of the reason, `VF-nnnn`.
    pub code: &'static str,
    /// The reason in Chinese.
    pub reason_zh: String,
    /// The reason in English.
    pub reason_en: String,
}

/// What verification found. As JSON: `{"verdict":"verified|not_verified|unchecked","assurance":"channel|roots|nothing",
/// "elements":[{"name","status","code","reason","reason_en"}],"evidence_id",…}`, `reason` in Chinese; unknown facts are
/// `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The answer: any failed element makes it [`Verdict::NotVerified`], else any unchecked one
    /// [`Verdict::Unchecked`], else it is [`Verdict::Verified`].
    pub verdict: Verdict,
    /// What vouches for the validators.
    pub assurance: Assurance,
    /// One per name in [`ELEMENTS`], in that order.
    pub elements: Vec<Element>,
    /// What record and receipt say. Facts only if the verdict is [`Verdict::Verified`], claims otherwise.
    pub claims: Claims,
}

/// What record and receipt say about themselves, as far as they could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// The evidence id.
    pub evidence_id: Option<String>,
    /// Code of the business type.
    pub business_type: Option<String>,
    /// Name of the agency.
    pub agency: Option<String>,
    /// When the record was made, Unix milliseconds.
    pub recorded_at_ms: Option<u64>,
    /// The transaction id, lower-case hex.
    pub tx_id: Option<String>,
    /// The channel.
    pub channel: Option<String>,
    /// The block that holds the transaction.
    pub block_number: Option<u64>,
    /// The block whose header vouches for it.
    pub header_number: Option<u64>,
    /// Time in that header, Unix milliseconds: the record existed no later, by the validators' clock.
    pub header_time_ms: Option<u64>,
    /// How many validators the receipt names. Whoever knows how many the channel had should compare.
    pub validators: Option<usize>,
    /// Hash of the validator set that the header commits to, lower-case hex; the same for all headers between two
    /// changes of the set, so that it can be compared with other receipts and with the channel's configuration.
    pub validators_hash: Option<String>,
    /// SM3 of each original, in the record's order, lower-case hex.
    pub originals_sm3: Vec<String>,
}

/// A reason and its facts, before it becomes an [`Element`].
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) reason: &'static Reason,
    facts: Vec<String>,
}

impl Verdict {
    /// `verified`, `not_verified` or `unchecked`, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::NotVerified => "not_verified",
            Self::Unchecked => "unchecked",
        }
    }

    /// The verdict in Chinese.
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Verified => "核验通过",
            Self::NotVerified => "核验不通过",
            Self::Unchecked => "未能完成核验",
        }
    }

    /// The verdict in English.
    pub const fn english(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::NotVerified => "not verified",
            Self::Unchecked => "could not be checked",
        }
    }

    /// Exit code of a command that verifies: 0, 1 or 2.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::NotVerified => 1,
            Self::Unchecked => 2,
        }
    }
}

impl Status {
    /// `proven`, `failed`, `absent` or `unchecked`, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Failed => "failed",
            Self::Absent => "absent",
            Self::Unchecked => "unchecked",
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Element", 5)?;
        fields.serialize_field("name", self.name)?;
        fields.serialize_field("status", &self.status)?;
        fields.serialize_field("code", self.code)?;
        fields.serialize_field("reason", &self.reason_zh)?;
        fields.serialize_field("reason_en", &self.reason_en)?;
        fields.end()
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let claims = &self.claims;
        let mut fields = serializer.serialize_struct("Report", 15)?;
        fields.serialize_field("verdict", &self.verdict)?;
        fields.serialize_field("assurance", &self.assurance)?;
        fields.serialize_field("elements", &self.elements)?;
        fields.serialize_field("evidence_id", &claims.evidence_id)?;
        fields.serialize_field("business_type", &claims.business_type)?;
        fields.serialize_field("agency", &claims.agency)?;
        fields.serialize_field("recorded_at_ms", &claims.recorded_at_ms)?;
        fields.serialize_field("tx_id", &claims.tx_id)?;
        fields.serialize_field("channel", &claims.channel)?;
        fields.serialize_field("block_number", &claims.block_number)?;
        fields.serialize_field("header_number", &claims.header_number)?;
        fields.serialize_field("header_time_ms", &claims.header_time_ms)?;
        fields.serialize_field("validators", &claims.validators)?;
        fields.serialize_field("validators_hash", &claims.validators_hash)?;
        fields.serialize_field("originals_sm3", &claims.originals_sm3)?;
        fields.end()
    }
}

impl Report {
    /// The report on one finding per element, in any order. An element without a finding would be an omission of
    /// this crate: the verdict is then [`Verdict::Unchecked`] at best.
    pub(crate) fn new(findings: Vec<Finding>, claims: Claims, assurance: Assurance) -> Self {
        let mut elements: Vec<_> = findings.into_iter().map(Finding::into_element).collect();
        elements.sort_by_key(|element| ELEMENTS.iter().position(|name| *name == element.name));
        let verdict = verdict(&elements);
        Self { verdict, assurance, elements, claims }
    }

    /// Puts an answer in the place of the one for the same element, and draws the verdict anew: for documents that
    /// other crates judge (the certificate's signature and seal).
    ///
    /// What has failed stays failed.
    pub fn settle(&mut self, answer: Element) {
        match self.elements.iter_mut().find(|element| element.name == answer.name) {
            Some(element) if element.status == Status::Failed => {}
            Some(element) => *element = answer,
            None => self.elements.push(answer),
        }
        self.verdict = verdict(&self.elements);
    }

    /// The element of this name, one of [`ELEMENTS`].
    pub fn element(&self, name: &str) -> Option<&Element> {
        self.elements.iter().find(|element| element.name == name)
    }

    /// The report as one line of compact JSON.
    pub fn to_json(&self) -> String {
        // Strings, integers and null only: writing them cannot fail.
        let bytes = canonical::to_bytes(self).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }
}

impl Reason {
    /// The element's answer for this reason; `facts` take the places of `{0}`, `{1}` ….
    pub fn said_of(&self, facts: &[String]) -> Element {
        Element {
            name: self.element,
            status: self.status,
            code: self.code,
            reason_zh: fill(self.zh, facts),
            reason_en: fill(self.en, facts),
        }
    }
}

impl Claims {
    pub(crate) fn of_record(&mut self, record: &Record) {
        let parts = record.parts();
        self.evidence_id = Some(parts.id.to_string());
        self.business_type = Some(parts.business_type.code().to_owned());
        self.agency = Some(parts.agency.name.clone());
        self.recorded_at_ms = Some(parts.time.at_ms);
        self.originals_sm3 =
            record.originals().iter().map(|original| original.sm3.to_string()).collect();
    }
}

impl Finding {
    pub(crate) const fn new(reason: &'static Reason) -> Self {
        Self { reason, facts: Vec::new() }
    }

    /// Adds the fact for the next `{n}`.
    pub(crate) fn with(mut self, fact: impl ToString) -> Self {
        self.facts.push(fact.to_string());
        self
    }

    pub(crate) fn into_element(self) -> Element {
        self.reason.said_of(&self.facts)
    }
}

fn verdict(elements: &[Element]) -> Verdict {
    let any = |status| elements.iter().any(|element| element.status == status);
    let complete = elements.iter().map(|element| element.name).eq(ELEMENTS);
    match (any(Status::Failed), any(Status::Unchecked) || !complete) {
        (true, _) => Verdict::NotVerified,
        (false, true) => Verdict::Unchecked,
        (false, false) => Verdict::Verified,
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
