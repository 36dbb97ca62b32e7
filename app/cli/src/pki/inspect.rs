//! The commands that look.

use serde_json::{Value, json};
use smkit_pki::{
    Admission, AlternativeNames, Certificate, CertificationRequest, PathError, Purpose, Revocation,
    RevocationList, RevocationMode, SubjectRule, TrustAnchors, Validator,
};

use super::files::{certificates, failed, wrong};
use super::issue::now_s;
use crate::args::pki as args;
use crate::error::CliError;
use crate::lang::Lang;
use crate::messages::{Message, labelled, text, word};
use crate::output::{self, Table};
use crate::run::{Context, EXIT_FAILED, EXIT_OK};
use crate::{stream, time};

/// Shows certificates, a request or a revocation list, whatever the file holds.
pub(super) fn show(args: &args::Show, context: &Context) -> Result<u8, CliError> {
    let pem = stream::read_small(&args.file)?;
    let found = if pem.contains("BEGIN CERTIFICATE REQUEST") {
        let request = CertificationRequest::from_pem(&pem).map_err(|e| wrong(&args.file, &e))?;
        vec![json!({
            "kind": "request",
            "subject": request.subject().to_string(),
            "hosts": hosts(request.hosts()),
        })]
    } else if pem.contains("BEGIN X509 CRL") {
        let list = RevocationList::from_pem(&pem).map_err(|e| wrong(&args.file, &e))?;
        let entries: Vec<Value> = list
            .entries()
            .iter()
            .map(|one| {
                json!({ "serial": one.serial.to_string(), "revoked_at": one.revoked_at,
                    "reason": one.reason.name() })
            })
            .collect();
        vec![json!({
            "kind": "crl",
            "issuer": list.issuer().to_string(),
            "number": list.number().map(|number| number.to_string()),
            "this_update": list.this_update(),
            "next_update": list.next_update(),
            "entries": entries,
        })]
    } else {
        let found = Certificate::pem_many(&pem).map_err(|e| wrong(&args.file, &e))?;
        found.iter().map(describe).collect()
    };
    if args.json {
        output::json(&found)?;
    } else {
        let rendered: Vec<String> = found.iter().map(|one| render(one, context.lang)).collect();
        output::line(&rendered.join("\n\n"))?;
    }
    Ok(EXIT_OK)
}

/// Everything that is read of a certificate.
pub(crate) fn describe(certificate: &Certificate) -> Value {
    let usages = certificate.extended_key_usage();
    json!({
        "kind": "certificate",
        "subject": certificate.subject(),
        "issuer": certificate.issuer(),
        "serial": certificate.serial_hex(),
        "sm3": certificate.sm3().to_string(),
        "not_before": certificate.not_before(),
        "not_after": certificate.not_after(),
        "ca": certificate.is_ca(),
        "key_usage": format!("{:?}", certificate.key_usage()),
        "extended_key_usage": usages.map(|usages| {
            usages.oids().iter().map(ToString::to_string).collect::<Vec<_>>()
        }),
        "hosts": certificate.alternative_names().map(hosts),
        "organisation_code": certificate.organisation_code(),
        "crl_uris": certificate.crl_uris(),
        "ocsp_uris": certificate.ocsp_uris(),
    })
}

fn hosts(names: &AlternativeNames) -> Vec<String> {
    let addresses = names.ip.iter().map(ToString::to_string);
    names.dns.iter().cloned().chain(addresses).collect()
}

/// One fact a line; times as people read them, absent facts not at all.
pub(crate) fn render(facts: &Value, lang: Lang) -> String {
    let mut table = Table::default();
    for (name, value) in facts.as_object().into_iter().flatten() {
        let shown = match value {
            Value::Null => continue,
            Value::Array(list) if list.is_empty() => continue,
            Value::String(text) => output::clean(text),
            Value::Number(seconds) if TIMES.contains(&name.as_str()) => {
                let ms = seconds.as_u64().unwrap_or(0).saturating_mul(1_000);
                time::china_time(ms, lang)
            }
            other => other.to_string(),
        };
        table.row([name.clone(), shown]);
    }
    table.render()
}

/// Judges a chain as a node would, and says the first reason against it.
pub(super) fn verify(args: &args::Verify, context: &Context) -> Result<u8, CliError> {
    let chain = certificates(&args.chain)?;
    let anchors = TrustAnchors::from_certificates(certificates(&args.trust)?);
    let mut lists = Vec::new();
    for path in &args.lists {
        let list = RevocationList::from_pem(&stream::read_small(path)?);
        lists.push(list.map_err(|e| wrong(path, &e))?);
    }
    let mode = if lists.is_empty() { RevocationMode::Off } else { RevocationMode::Required };
    let validator = match admissions(args)? {
        None => Validator::admitting_all(anchors),
        Some(admissions) => Validator::new(anchors, admissions),
    };
    let validator = validator.with_revocation(Revocation::new(mode, lists));
    let at = args.at.unwrap_or_else(now_s);
    let judged = validator.verify(&chain, purpose(args.purpose), at, args.host.as_deref());
    let (code, answer) = match &judged {
        Ok(path) => {
            let path: Vec<String> = path.certificates().iter().map(Certificate::subject).collect();
            (EXIT_OK, json!({ "verified": true, "path": path }))
        }
        Err(error) => (EXIT_FAILED, refused(error)),
    };
    if args.json {
        output::json(&answer)?;
    } else {
        output::line(&verdict(&judged.map(drop), context.lang))?;
    }
    Ok(code)
}

fn admissions(args: &args::Verify) -> Result<Option<Vec<Admission>>, CliError> {
    let rule = args.rule.as_deref().map(str::parse::<SubjectRule>).transpose();
    let rule = rule.map_err(|error| failed(&error))?;
    let issuers = match (&args.issuer, &rule) {
        (Some(path), _) => certificates(path)?,
        (None, Some(_)) => certificates(&args.trust)?,
        (None, None) => return Ok(None),
    };
    let admit = |issuer: &Certificate| {
        let admission = Admission::under(issuer.sm3());
        match &rule {
            Some(rule) => admission.with_subject(rule.clone()),
            None => admission,
        }
    };
    Ok(Some(issuers.iter().map(admit).collect()))
}

fn refused(error: &PathError) -> Value {
    json!({ "verified": false, "code": error.code(), "reason": error.to_string() })
}

/// The verdict on a chain in words.
pub(crate) fn verdict(judged: &Result<(), PathError>, lang: Lang) -> String {
    match judged {
        Ok(()) => word(lang, Message::ChainVerified).to_owned(),
        Err(error) => {
            let reason = match lang {
                Lang::Zh => error.text_zh(),
                Lang::En => error.to_string(),
            };
            let code = text(lang, Message::Code, &[("code", error.code())]);
            let refused = labelled(lang, Message::ChainRefused, &reason);
            format!("{refused} ({code})")
        }
    }
}

const fn purpose(wanted: args::Use) -> Purpose {
    match wanted {
        args::Use::Signing => Purpose::Signing,
        args::Use::Server => Purpose::TlsServer,
        args::Use::Client => Purpose::TlsClient,
        args::Use::Encryption => Purpose::TlcpEncryption,
        args::Use::Tsa => Purpose::TimeStamping,
        args::Use::Seal => Purpose::Seal,
        args::Use::Ocsp => Purpose::OcspSigning,
        args::Use::Ca => Purpose::CertificateSign,
    }
}

const TIMES: [&str; 4] = ["not_before", "not_after", "this_update", "next_update"];
