//! What `changbai verify` answers, as JSON and in words.

use changbai_certificate::DocumentReport;
use changbai_receipt::{
    Assurance, BundleError, Element, HashedOriginal, Report, SignedVerdict, Status, Trust, Verdict,
    unreadable,
};
use serde::Serialize;

use super::UNREADABLE;
use crate::{
    error::CliError,
    lang::Lang,
    messages::{Message, labelled, text, word},
    output::{self, Table},
    run::Context,
    time,
};

/// The answer of the command: the library's report in one language, plus what the command itself could not read.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    assurance: Assurance,
    pub(super) elements: Vec<Judged>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tx_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_number: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_at_ms: Option<u64>,
    originals_sm3: Vec<String>,
    /// Of a document or a verdict: who signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_by: Option<String>,
    /// Of a signed verdict: what it states, once it is known to be genuine.
    #[serde(skip_serializing_if = "Option::is_none")]
    stated: Option<&'static str>,
}

/// One element of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) reason: String,
    pub(super) code: String,
}

impl Answer {
    pub(super) fn of(report: Report, lang: Lang) -> Self {
        let claims = report.claims;
        Self {
            verdict: report.verdict,
            assurance: report.assurance,
            elements: report.elements.into_iter().map(|e| Judged::of(e, lang)).collect(),
            evidence_id: claims.evidence_id,
            tx_id: claims.tx_id,
            block_number: claims.block_number,
            agency: claims.agency,
            recorded_at_ms: claims.recorded_at_ms,
            originals_sm3: claims.originals_sm3,
            signed_by: None,
            stated: None,
        }
    }

    /// The answer on a file that could not be read.
    pub(super) fn unread(lang: Lang) -> Self {
        Self::of(unreadable(&BundleError::Read(std::io::Error::other("unread"))), lang)
    }

    /// A certificate document: its own elements, then those of the evidence inside.
    pub(super) fn of_document(report: DocumentReport, lang: Lang) -> Self {
        let DocumentReport { verdict, elements, evidence, signatory, .. } = report;
        let inner = evidence.map(|evidence| Self::of(evidence, lang));
        let mut answer = inner.unwrap_or_else(|| Self {
            elements: Vec::new(),
            assurance: Assurance::Nothing,
            ..Self::unread(lang)
        });
        let own = elements.into_iter().map(|element| Judged::of(element, lang));
        answer.elements = own.chain(std::mem::take(&mut answer.elements)).collect();
        answer.verdict = verdict;
        answer.signed_by = signatory.map(|signatory| signatory.subject);
        answer
    }

    /// A signed verdict: whether it is genuine, and what it then states. The exit code is the stated verdict's.
    pub(super) fn of_verdict(
        bytes: &[u8],
        files: &[HashedOriginal],
        trust: Option<&Trust>,
        lang: Lang,
    ) -> Self {
        let Ok(signed) = SignedVerdict::from_bytes(bytes) else {
            // Neither a bundle nor a verdict.
            return Self::of(
                unreadable(&BundleError::NotCanonical { offset: 0, part: "head" }),
                lang,
            );
        };
        let checked = signed.check(trust, files);
        let any = |status| checked.iter().any(|element| element.status == status);
        let verdict = match (any(Status::Failed), any(Status::Unchecked)) {
            (true, _) => Verdict::NotVerified,
            (false, true) => Verdict::Unchecked,
            (false, false) => signed.statement().verdict(),
        };
        let finding = &signed.statement().finding;
        let stated = finding.elements.iter().map(|element| Judged {
            name: element.name.clone(),
            status: match element.status.as_str() {
                "proven" => Status::Proven,
                "failed" => Status::Failed,
                "absent" => Status::Absent,
                _ => Status::Unchecked,
            },
            reason: match lang {
                Lang::Zh => element.reason.clone(),
                Lang::En => element.reason_en.clone(),
            },
            code: element.code.clone(),
        });
        let own: Vec<_> = checked.into_iter().map(|e| Judged::of(e, lang)).collect();
        let claim = |name: &str| finding.claims.get(name).cloned();
        Self {
            verdict,
            assurance: Assurance::Channel,
            elements: own.into_iter().chain(stated).collect(),
            evidence_id: claim("evidence_id"),
            tx_id: claim("tx_id"),
            block_number: claim("block_number").and_then(|number| number.parse().ok()),
            agency: claim("agency"),
            recorded_at_ms: claim("recorded_at_ms").and_then(|ms| ms.parse().ok()),
            originals_sm3: Vec::new(),
            signed_by: Some(signed.node().subject()),
            stated: Some(signed.statement().verdict().name()),
        }
    }

    /// Marks an element as unchecked because its input could not be read. What is already known to be wrong stays.
    pub(super) fn could_not_read(&mut self, name: &str, error: &CliError, lang: Lang) {
        let open = |element: &&mut Judged| element.name == name && element.status != Status::Failed;
        if let Some(element) = self.elements.iter_mut().find(open) {
            element.status = Status::Unchecked;
            element.reason = error.explain(lang).what;
            element.code = UNREADABLE.to_owned();
        }
        if self.verdict == Verdict::Verified {
            self.verdict = Verdict::Unchecked;
        }
    }

    pub(super) fn render(&self, without_trust: bool, context: &Context) -> String {
        let lang = context.lang;
        let mut lines = vec![word(lang, verdict_word(self.verdict, self.assurance)).to_owned()];
        let facts = [
            (Message::EvidenceId, self.evidence_id.clone()),
            (Message::Agency, self.agency.clone()),
            (Message::RecordedAt, self.recorded_at_ms.map(|ms| time::china_time(ms, lang))),
            (Message::Transaction, self.tx_id.clone()),
            (Message::SignedBy, self.signed_by.clone()),
            (Message::StatedVerdict, self.stated.map(|stated| stated_word(stated, lang))),
        ];
        for (label, value) in facts {
            lines.extend(value.map(|value| labelled(lang, label, &output::clean(&value))));
        }
        let mut table = Table::default();
        for element in &self.elements {
            let (mark, status) = status_words(element.status, lang);
            let name = element_word(&element.name);
            let name = name.map_or(element.name.as_str(), |label| word(lang, label));
            table.row([mark, name, status, &element.code, &output::clean(&element.reason)]);
        }
        lines.push(table.render());
        // Roots are the next step only for a bundle that could be read.
        if without_trust && self.evidence_id.is_some() {
            let dir = context.dir.display().to_string();
            let next = text(lang, Message::NextTrust, &[("dir", &dir)]);
            lines.push(labelled(lang, Message::NextLabel, &next));
        }
        lines.join("\n")
    }
}

impl Judged {
    fn of(element: Element, lang: Lang) -> Self {
        Self {
            name: element.name.to_owned(),
            status: element.status,
            reason: match lang {
                Lang::Zh => element.reason_zh,
                Lang::En => element.reason_en,
            },
            code: element.code.to_owned(),
        }
    }
}

fn stated_word(stated: &str, lang: Lang) -> String {
    let verdicts = [Verdict::Verified, Verdict::NotVerified, Verdict::Unchecked];
    let verdict = verdicts.into_iter().find(|verdict| verdict.name() == stated);
    verdict
        .map_or("", |verdict| match lang {
            Lang::Zh => verdict.chinese(),
            Lang::En => verdict.english(),
        })
        .to_owned()
}

fn verdict_word(verdict: Verdict, assurance: Assurance) -> Message {
    match verdict {
        Verdict::Verified if assurance == Assurance::Roots => Message::VerdictVerifiedByRoots,
        Verdict::Verified => Message::VerdictVerified,
        Verdict::NotVerified => Message::VerdictNotVerified,
        Verdict::Unchecked => Message::VerdictUnchecked,
    }
}

fn status_words(status: Status, lang: Lang) -> (&'static str, &'static str) {
    let (mark, message) = match status {
        Status::Proven => ("+", Message::StatusProven),
        Status::Failed => ("X", Message::StatusFailed),
        Status::Absent => ("-", Message::StatusAbsent),
        Status::Unchecked => ("?", Message::StatusUnchecked),
    };
    (mark, word(lang, message))
}

pub(super) fn element_word(name: &str) -> Option<Message> {
    Some(match name {
        "container" => Message::ElementContainer,
        "record" => Message::ElementRecord,
        "transaction" => Message::ElementTransaction,
        "inclusion" => Message::ElementInclusion,
        "header" => Message::ElementHeader,
        "certificates" => Message::ElementCertificates,
        "trust" => Message::ElementTrust,
        "original" => Message::ElementOriginal,
        "disclosures" => Message::ElementDisclosures,
        "validators" => Message::ElementValidators,
        "document" => Message::ElementDocument,
        "signature" => Message::ElementSignature,
        "chain" => Message::ElementChain,
        "facts" => Message::ElementFacts,
        "verdict_signature" => Message::ElementVerdictSignature,
        "verdict_signer" => Message::ElementVerdictSigner,
        "verdict_inputs" => Message::ElementVerdictInputs,
        "batch" => Message::ElementBatch,
        "log_consistency" => Message::ElementLogConsistency,
        "witness" => Message::ElementWitness,
        "time_token" => Message::ElementTimeToken,
        "time_bound" => Message::ElementTimeBound,
        "process_log" => Message::ElementProcessLog,
        "seal" => Message::ElementSeal,
        "revocation" => Message::ElementRevocation,
        _ => return None,
    })
}
