//! `changbai verify`: judges a bundle offline. No socket, no clock, no data directory; the bundle and the originals
//! are read as streams, whatever their size.

use std::path::Path;

use changbai_receipt::{
    Assurance, BundleError, Element, HashedOriginal, Report, Status, Trust, Verdict, hash_original,
    unreadable, verify_reader,
};
use serde::Serialize;

use crate::{
    args,
    error::{CliError, chain},
    lang::Lang,
    messages::{Message, labelled, text, word},
    output::{self, Table},
    run::Context,
    stream::{self, Metered},
    time,
};

/// Prints the verdict with a reason for each element; the exit code is the verdict's.
pub(crate) fn run(args: &args::Verify, context: &Context) -> Result<u8, CliError> {
    let lang = context.lang;
    let (originals, unread_original) = split(originals(&args.originals, lang));
    let (trust, unread_trust) = split(args.trust.as_deref().map(trust).transpose());
    let mut answer =
        judge(&args.bundle, &originals.unwrap_or_default(), trust.flatten().as_ref(), lang);
    // What could not be read is not held against the bundle, but nothing is verified without it.
    for (element, error) in [("original", unread_original), ("trust", unread_trust)] {
        if let Some(error) = error {
            answer.could_not_read(element, &error, lang);
        }
    }
    if args.json {
        output::json(&answer)?;
    } else {
        output::line(&answer.render(args.trust.is_none(), context))?;
    }
    Ok(answer.verdict.exit_code())
}

/// The answer of the command: the library's report in one language, plus what the command itself could not read.
#[derive(Debug, Serialize)]
struct Answer {
    verdict: Verdict,
    assurance: Assurance,
    elements: Vec<Judged>,
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
}

/// One element of the answer.
#[derive(Debug, Serialize)]
struct Judged {
    name: &'static str,
    status: Status,
    reason: String,
    code: &'static str,
}

/// The code of an input that could not be read.
const UNREADABLE: &str = "CL-4040";

fn judge(path: &Path, originals: &[HashedOriginal], trust: Option<&Trust>, lang: Lang) -> Answer {
    let (file, size_bytes) = match stream::open(path) {
        Ok(opened) => opened,
        Err(error) => {
            let mut answer =
                Answer::of(unreadable(&BundleError::Read(std::io::Error::other("unread"))), lang);
            answer.could_not_read("container", &error, lang);
            return answer;
        }
    };
    let mut reader = Metered::new(file, word(lang, Message::Checking), size_bytes);
    Answer::of(verify_reader(&mut reader, originals, trust), lang)
}

fn originals(paths: &[std::path::PathBuf], lang: Lang) -> Result<Vec<HashedOriginal>, CliError> {
    let hash = |path: &std::path::PathBuf| {
        let (file, size_bytes) = stream::open(path)?;
        let mut reader = Metered::new(file, word(lang, Message::Hashing), size_bytes);
        hash_original(&path.to_string_lossy(), &mut reader).map_err(CliError::read(path))
    };
    paths.iter().map(hash).collect()
}

fn trust(path: &Path) -> Result<Trust, CliError> {
    let text = stream::read_small(path)?;
    Trust::parse(&text).map_err(|error| CliError::Read {
        path: path.to_owned(),
        source: std::io::Error::new(std::io::ErrorKind::InvalidData, chain(&error)),
    })
}

fn split<T>(result: Result<T, CliError>) -> (Option<T>, Option<CliError>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(error) => (None, Some(error)),
    }
}

impl Answer {
    fn of(report: Report, lang: Lang) -> Self {
        let claims = report.claims;
        let judged = |element: Element| Judged {
            name: element.name,
            status: element.status,
            reason: match lang {
                Lang::Zh => element.reason_zh,
                Lang::En => element.reason_en,
            },
            code: element.code,
        };
        Self {
            verdict: report.verdict,
            assurance: report.assurance,
            elements: report.elements.into_iter().map(judged).collect(),
            evidence_id: claims.evidence_id,
            tx_id: claims.tx_id,
            block_number: claims.block_number,
            agency: claims.agency,
            recorded_at_ms: claims.recorded_at_ms,
            originals_sm3: claims.originals_sm3,
        }
    }

    /// Marks an element as unchecked because its input could not be read. What is already known to be wrong stays.
    fn could_not_read(&mut self, name: &str, error: &CliError, lang: Lang) {
        let open = |element: &&mut Judged| element.name == name && element.status != Status::Failed;
        if let Some(element) = self.elements.iter_mut().find(open) {
            element.status = Status::Unchecked;
            element.reason = error.explain(lang).what;
            element.code = UNREADABLE;
        }
        if self.verdict == Verdict::Verified {
            self.verdict = Verdict::Unchecked;
        }
    }

    fn render(&self, without_trust: bool, context: &Context) -> String {
        let lang = context.lang;
        let mut lines = vec![word(lang, verdict_word(self.verdict, self.assurance)).to_owned()];
        let facts = [
            (Message::EvidenceId, self.evidence_id.clone()),
            (Message::Agency, self.agency.clone()),
            (Message::RecordedAt, self.recorded_at_ms.map(|ms| time::china_time(ms, lang))),
            (Message::Transaction, self.tx_id.clone()),
        ];
        for (label, value) in facts {
            lines.extend(value.map(|value| labelled(lang, label, &output::clean(&value))));
        }
        let mut table = Table::default();
        for element in &self.elements {
            let (mark, status) = status_words(element.status, lang);
            let name = element_word(element.name).map_or(element.name, |label| word(lang, label));
            table.row([mark, name, status, element.code, &output::clean(&element.reason)]);
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

fn element_word(name: &str) -> Option<Message> {
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

#[cfg(test)]
mod tests;
