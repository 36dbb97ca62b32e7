//! What can go wrong in a command, with the data to say so; [`CliError::explain`] words it for people.

use std::{io, net::SocketAddr, path::PathBuf};

use changbai_core::FieldError;
use serde::{Deserialize, Serialize};

use crate::{
    lang::Lang,
    messages::{Message, labelled, text, word},
    output,
};

/// A failed command. The `Display` form is English, for logs; people see [`CliError::explain`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CliError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot write to standard output")]
    Output { source: io::Error },
    #[error("no node is running on {dir}")]
    NotRunning { dir: PathBuf },
    #[error("{path} is malformed: {reason}")]
    NodeFile { dir: PathBuf, path: PathBuf, reason: String },
    #[error("{path} cannot be used: {reason}")]
    Identity { path: PathBuf, reason: String },
    #[error("connection to {address} lost: {reason}")]
    Connection { address: String, attempts: u32, reason: String },
    #[error("the certificate of {address} is refused: {code}: {reason}")]
    ServerRefused { address: String, code: &'static str, reason: String },
    #[error("{address} refused our certificate with alert {alert}")]
    CertificateRefused { address: String, alert: u8 },
    #[error("unexpected answer from {address}: {reason}")]
    Answer { address: String, reason: String },
    #[error("refused: {0:?}")]
    Refused(Box<Problem>),
    #[error("{path} changed while it was read")]
    FileChanged { path: PathBuf },
    #[error("the node recorded {theirs} for {path}, which has {ours}")]
    RecordedOther { path: PathBuf, ours: String, theirs: String },
    #[error("field {given:?} is not NAME=VALUE")]
    FieldShape { given: String },
    #[error("field {name:?} twice")]
    FieldTwice { name: String },
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error("no business type {given:?}")]
    Business { given: String, known: String },
    #[error("{given} originals")]
    TooManyFiles { given: usize, limit: usize },
    #[error("{given:?} is not an evidence id: {reason}")]
    Id { given: String, reason: String },
    #[error("{given:?} is not a SM3 digest")]
    Digest { given: String },
    #[error("{given:?} is not a date")]
    Date { given: String },
    #[error("{given:?} is not an address")]
    Address { given: String },
    #[error("the node could not start: {reason}")]
    Start { dir: PathBuf, reason: String },
    #[error("{} is damaged at offset {offset}: {reason}", file.display())]
    Damaged { file: PathBuf, offset: u64, reason: String },
    #[error("{dir} is in use by process {pid}")]
    InUse { dir: PathBuf, pid: String },
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the node did not stop cleanly: {reason}")]
    Stop { reason: String },
    #[error("no randomness: {reason}")]
    Random { reason: String },
    #[error("{reason}")]
    Pki { reason: String },
    /// What the catalogue has words for, and nothing else needs to know.
    #[error("{}", text(Lang::En, *what, &listed(values)))]
    Said { what: Message, next: Option<Message>, values: Vec<(&'static str, String)> },
    #[error("the request could not be signed: {reason}")]
    Sign { reason: String },
}

/// An RFC 9457 problem, as a node answers it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    /// Stable code, for example `EV-4041`.
    pub(crate) code: String,
    /// HTTP status.
    pub(crate) status: u16,
    /// What happened, in the language asked for.
    pub(crate) title: String,
    /// This occurrence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    /// Correlates with the node's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    /// Faults inside the request's body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<Fault>,
}

/// One fault inside a request's body.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Fault {
    /// The line of a body of lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u64>,
    /// JSON Pointer (RFC 6901) to it.
    pub(crate) pointer: String,
    /// Its stable code.
    pub(crate) code: String,
    /// What is wrong there.
    pub(crate) detail: String,
}

/// An error in words: what happened and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Explained {
    pub(crate) what: String,
    pub(crate) next: Option<String>,
}

impl CliError {
    /// An error in the words of the catalogue; both messages take the same values.
    pub(crate) fn said(
        what: Message,
        next: impl Into<Option<Message>>,
        values: &[(&'static str, &str)],
    ) -> Self {
        let values = values.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self::Said { what, next: next.into(), values }
    }

    /// The error for a file that could not be read.
    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Read { path, source }
    }

    /// The error for a file that could not be written.
    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }

    /// Writes the error to standard error: for people, or as one JSON object when the command was asked for JSON.
    pub(crate) fn report(&self, lang: Lang, json: bool) {
        let explained = self.explain(lang);
        if json {
            let object = JsonError {
                error: &explained.what,
                next: explained.next.as_deref(),
                problem: self.problem(),
            };
            output::note(&serde_json::to_string(&object).unwrap_or_default());
            return;
        }
        output::note(&labelled(lang, Message::ErrorLabel, &explained.what));
        if let Some(next) = explained.next {
            output::note(&labelled(lang, Message::NextLabel, &next));
        }
    }

    /// The error in `lang`.
    pub(crate) fn explain(&self, lang: Lang) -> Explained {
        let (what, next) = self.wording(lang);
        Explained { what: output::clean(&what), next: next.map(|next| output::clean(&next)) }
    }

    fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }

    fn wording(&self, lang: Lang) -> (String, Option<String>) {
        let say = |message, values: &[(&str, &str)]| text(lang, message, values);
        let plain = |message| Some(word(lang, message).to_owned());
        match self {
            Self::Read { path, source } => {
                let (path, reason) = (path.display().to_string(), io_reason(source, lang));
                (
                    say(Message::CannotRead, &[("path", &path), ("reason", &reason)]),
                    plain(Message::NextCheckPath),
                )
            }
            Self::Write { path, source } => {
                let (path, reason) = (path.display().to_string(), io_reason(source, lang));
                let full = source.kind() == io::ErrorKind::StorageFull;
                let next = if full { Message::NextFreeSpace } else { Message::NextCheckPath };
                (say(Message::CannotWrite, &[("path", &path), ("reason", &reason)]), plain(next))
            }
            Self::Output { source } => {
                (say(Message::CannotPrint, &[("reason", &io_reason(source, lang))]), None)
            }
            Self::NotRunning { dir } => {
                let dir = dir.display().to_string();
                let dir = [("dir", dir.as_str())];
                (say(Message::NotRunning, &dir), Some(say(Message::NextStartNode, &dir)))
            }
            Self::NodeFile { dir, path, reason } => {
                let (dir, path) = (dir.display().to_string(), path.display().to_string());
                let what = say(Message::NodeFileWrong, &[("path", &path), ("reason", reason)]);
                (what, Some(say(Message::NextRestartNode, &[("dir", &dir)])))
            }
            Self::Identity { path, reason } => {
                let path = path.display().to_string();
                let what = say(Message::IdentityWrong, &[("path", &path), ("reason", reason)]);
                (what, plain(Message::NextIdentity))
            }
            Self::Connection { address, attempts, reason } => {
                let attempts = attempts.to_string();
                let values =
                    [("address", address.as_str()), ("attempts", &attempts), ("reason", reason)];
                (say(Message::ConnectionLost, &values), plain(Message::NextRetry))
            }
            Self::ServerRefused { address, code, reason } => {
                let values = [("address", address.as_str()), ("code", code), ("reason", reason)];
                (say(Message::ServerRefused, &values), plain(Message::NextServerRefused))
            }
            Self::CertificateRefused { address, alert } => {
                let (alert, meaning) = (alert.to_string(), word(lang, alert_meaning(*alert)));
                let values =
                    [("address", address.as_str()), ("alert", &alert), ("meaning", meaning)];
                (say(Message::CertificateRefused, &values), plain(Message::NextIdentity))
            }
            Self::Answer { address, reason } => {
                let values = [("address", address.as_str()), ("reason", reason)];
                (say(Message::AnswerUnexpected, &values), plain(Message::NextVersion))
            }
            Self::Refused(problem) => (problem.wording(lang), problem.next().and_then(plain)),
            Self::FileChanged { path } => {
                let path = path.display().to_string();
                (say(Message::FileChanged, &[("path", &path)]), plain(Message::NextFile))
            }
            Self::RecordedOther { path, ours, theirs } => {
                let path = path.display().to_string();
                let values = [("path", path.as_str()), ("ours", ours), ("theirs", theirs)];
                (say(Message::RecordedOther, &values), plain(Message::NextReport))
            }
            Self::Said { what, next, values } => {
                let values = listed(values);
                (say(*what, &values), next.map(|next| say(next, &values)))
            }
            _ => self.wording_of_usage(lang),
        }
    }

    /// Errors in what was asked for, and of starting and stopping.
    fn wording_of_usage(&self, lang: Lang) -> (String, Option<String>) {
        let say = |message, values: &[(&str, &str)]| text(lang, message, values);
        let plain = |message| Some(word(lang, message).to_owned());
        match self {
            Self::FieldShape { given } => {
                (say(Message::FieldShape, &[("given", given)]), plain(Message::NextField))
            }
            Self::FieldTwice { name } => (say(Message::FieldTwice, &[("name", name)]), None),
            Self::Field(error) => (field_wording(error, lang), None),
            Self::Business { given, known } => (
                say(Message::BusinessUnknown, &[("given", given)]),
                Some(say(Message::NextBusiness, &[("known", known)])),
            ),
            Self::TooManyFiles { given, limit } => {
                let (given, limit) = (given.to_string(), limit.to_string());
                let what = say(Message::TooManyFiles, &[("given", &given), ("limit", &limit)]);
                (what, plain(Message::NextFiles))
            }
            Self::Id { given, reason } => (
                say(Message::IdWrong, &[("given", given), ("reason", reason)]),
                plain(Message::NextId),
            ),
            Self::Digest { given } => {
                (say(Message::DigestWrong, &[("given", given)]), plain(Message::NextDigest))
            }
            Self::Date { given } => {
                (say(Message::DateWrong, &[("given", given)]), plain(Message::NextDate))
            }
            Self::Address { given } => {
                (say(Message::AddressWrong, &[("given", given)]), plain(Message::NextAddress))
            }
            Self::Start { dir, reason } => {
                let dir = dir.display().to_string();
                let what = say(Message::StartFailed, &[("reason", reason)]);
                (what, Some(say(Message::NextStart, &[("dir", &dir)])))
            }
            Self::Damaged { file, offset, reason } => {
                let (file, offset) = (file.display().to_string(), offset.to_string());
                let values = [("file", file.as_str()), ("offset", &offset), ("reason", reason)];
                (say(Message::StartDamaged, &values), plain(Message::NextDamaged))
            }
            Self::InUse { dir, pid } => {
                let dir = dir.display().to_string();
                let what = say(Message::InUse, &[("dir", &dir), ("pid", pid)]);
                (what, Some(say(Message::NextInUse, &[("dir", &dir)])))
            }
            Self::Listen { address, source } => {
                let (address, reason) = (address.to_string(), io_reason(source, lang));
                let what =
                    say(Message::CannotListen, &[("address", &address), ("reason", &reason)]);
                (what, plain(Message::NextListen))
            }
            Self::Pki { reason } => (say(Message::PkiFailed, &[("reason", reason)]), None),
            Self::Stop { reason } => (say(Message::StopFailed, &[("reason", reason)]), None),
            Self::Random { reason } => (say(Message::RandomFailed, &[("reason", reason)]), None),
            Self::Sign { reason } => {
                (say(Message::SignFailed, &[("reason", reason)]), plain(Message::NextIdentity))
            }
            other => (other.to_string(), None),
        }
    }
}

impl Problem {
    /// What to do about it, where the node's own words do not say so.
    fn next(&self) -> Option<Message> {
        match self.code.as_str() {
            "AU-4018" => Some(Message::NextFile),
            "AU-4012" | "AU-4015" | "AU-4016" | "AU-4017" | "AU-4030" => {
                Some(Message::NextIdentity)
            }
            _ if matches!(self.status, 429 | 503 | 504) => Some(Message::NextRetry),
            _ => None,
        }
    }

    fn wording(&self, lang: Lang) -> String {
        let mut out = text(lang, Message::Refused, &[("title", &self.title)]);
        let detail = self.detail.iter().cloned();
        let errors = self.errors.iter().map(|fault| match fault.line {
            Some(line) => {
                let values = [("line", line.to_string()), ("detail", fault.detail.clone())];
                text(lang, Message::AtLine, &values.each_ref().map(|(n, v)| (*n, v.as_str())))
            }
            None => format!("{}: {}", fault.pointer, fault.detail),
        });
        for part in detail.chain(errors).filter(|part| !part.is_empty()) {
            out.push_str(match lang {
                Lang::Zh => "；",
                Lang::En => "; ",
            });
            out.push_str(&part);
        }
        if !self.code.is_empty() {
            let code = text(lang, Message::Code, &[("code", &self.code)]);
            out.push_str(&match lang {
                Lang::Zh => format!("（{code}）"),
                Lang::En => format!(" ({code})"),
            });
        }
        out
    }
}

/// A refused field in words; the value is not repeated, it may be personal.
fn field_wording(error: &FieldError, lang: Lang) -> String {
    let label = |name: &str, chinese: &str| match lang {
        Lang::Zh => chinese.to_owned(),
        Lang::En => name.to_owned(),
    };
    match error {
        FieldError::Unknown { business_type, name } => {
            let known: Vec<String> =
                business_type.schema().iter().map(|spec| label(spec.name, spec.chinese)).collect();
            let business = label(business_type.code(), business_type.chinese());
            let known = known.join(match lang {
                Lang::Zh => "、",
                Lang::En => ", ",
            });
            let values = [("name", name.as_str()), ("business", &business), ("known", &known)];
            text(lang, Message::FieldUnknown, &values)
        }
        FieldError::Missing { business_type, name, chinese } => {
            let business = label(business_type.code(), business_type.chinese());
            let values = [("business", business.as_str()), ("name", &label(name, chinese))];
            text(lang, Message::FieldMissing, &values)
        }
        FieldError::TooLong { name, chinese, chars_max } => {
            let limit = chars_max.to_string();
            text(lang, Message::FieldTooLong, &[("name", &label(name, chinese)), ("limit", &limit)])
        }
        FieldError::Format { name, chinese, expected } => {
            let values = [("name", label(name, chinese)), ("expected", (*expected).to_owned())];
            text(lang, Message::FieldFormat, &values.each_ref().map(|(k, v)| (*k, v.as_str())))
        }
        FieldError::Twice { name, chinese } => {
            text(lang, Message::FieldTwice, &[("name", &label(name, chinese))])
        }
        other => other.to_string(),
    }
}

/// What an alert says about the certificate that was shown (RFC 8446 §6.2).
const fn alert_meaning(alert: u8) -> Message {
    match alert {
        43 => Message::AlertUnsupported,
        44 => Message::AlertRevoked,
        45 => Message::AlertExpired,
        48 => Message::AlertUnknownCa,
        49 => Message::AlertDenied,
        116 => Message::AlertRequired,
        _ => Message::AlertBad,
    }
}

fn listed<'a>(values: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    values.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// An error and its sources in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some errors repeat their source in their own words.
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// The shape of an error on standard error under `--json`.
#[derive(Serialize)]
struct JsonError<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
    #[serde(flatten)]
    problem: Option<&'a Problem>,
}

/// The cause of an I/O error in `lang`, for the causes people meet; others in the system's own words.
pub(crate) fn io_reason(error: &io::Error, lang: Lang) -> String {
    let message = match error.kind() {
        io::ErrorKind::NotFound => Message::CauseNotFound,
        io::ErrorKind::PermissionDenied => Message::CausePermission,
        io::ErrorKind::IsADirectory => Message::CauseDirectory,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Message::CauseFull,
        io::ErrorKind::AddrInUse => Message::CauseAddressInUse,
        io::ErrorKind::FileTooLarge => Message::CauseTooLarge,
        _ => return error.to_string(),
    };
    word(lang, message).to_owned()
}

#[cfg(test)]
mod tests;
