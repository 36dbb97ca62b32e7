//! `changbai custody`: what an agency does with its originals, beside its node or in its place.

use std::path::Path;

use changbai_custody::{AuditEnd, Custody, CustodyError, Entry, Finding, Outcome, open_legacy};
use changbai_node::{Config, process_of};
use serde_json::json;
use smkit::{Sm3Digest, sm4::Key};

use crate::{
    args::custody::{
        Admit, Audit, Custody as Command, Erase, Log, OpenLegacy, Remove, Retain, Show,
    },
    error::{CliError, chain},
    lang::Lang,
    messages::{Message, text, word},
    output::{self, Table},
    refusal,
    run::{Context, EXIT_FAILED, EXIT_OK},
    stream, time, up,
};

pub(crate) fn run(command: &Command, context: &Context) -> Result<u8, CliError> {
    match command {
        Command::Audit(args) => audit(args, context),
        Command::Show(args) => show(args, context),
        Command::Log(args) => log(args, context),
        Command::Admit(args) => admit(args, context),
        Command::Retain(args) => retain(args, context),
        Command::Erase(args) => erase(args, context),
        Command::Remove(args) => remove(args, context),
        Command::OpenLegacy(args) => legacy(args, context),
    }
}

fn open(context: &Context) -> Result<Custody, CliError> {
    let config = up::with_environment(Config::below(&context.dir));
    changbai_node::custody::open_beside(config)
        .map_err(|error| refusal::of_start(error, &context.dir))
}

/// 0: every original is held and whole, as far as it is known; 1: some are not.
fn audit(args: &Audit, context: &Context) -> Result<u8, CliError> {
    let custody = open(context)?;
    if args.unrecorded {
        let entries = custody.unrecorded(LISTED_MAX).map_err(refused)?;
        return entries_out(&entries, args.json, context);
    }
    if args.now {
        let running = process_of(&context.dir).map_err(CliError::read(&context.dir))?;
        if running.is_some_and(|process| process.holds_lock) {
            let dir = context.dir.join("custody");
            changbai_node::custody::ask_for_audit(&dir).map_err(CliError::write(&dir))?;
            output::note(word(context.lang, Message::CustodyAsked));
            return Ok(EXIT_OK);
        }
        let ended = custody.audit(&mut |_| true, &mut |finding| {
            if matches!(finding.outcome, Outcome::Damaged | Outcome::Missing) {
                output::note(&said(finding, context.lang));
            }
        });
        if let AuditEnd::Stopped = ended.map_err(refused)? {
            return Ok(EXIT_FAILED);
        }
    }
    let state = custody.audit_state().map_err(refused)?;
    let lost = !(state.lost.is_empty() && state.unheld.is_empty());
    if args.json {
        output::json(&state)?;
    } else {
        let at = |ms: u64| match ms {
            0 => word(context.lang, Message::CustodyNever).to_owned(),
            ms => time::china_time(ms, context.lang),
        };
        let last = state.last;
        let mut table = Table::default();
        let mut row =
            |label, value: String| table.row([word(context.lang, label).to_owned(), value]);
        row(Message::CustodyAudited, at(state.ended_at_ms));
        if state.began_at_ms > 0 {
            row(Message::CustodyAuditing, at(state.began_at_ms));
        }
        row(Message::CustodyIntact, last.intact.to_string());
        row(Message::CustodyDamaged, last.damaged.to_string());
        row(Message::CustodyMissing, last.missing.to_string());
        row(Message::CustodyErased, last.erased.to_string());
        row(Message::CustodyUnrecorded, last.unrecorded.to_string());
        for sm3 in &state.lost {
            row(Message::CustodyLost, sm3.clone());
        }
        for record in &state.unheld {
            row(Message::CustodyUnheld, record.clone());
        }
        output::line(&table.render())?;
    }
    Ok(if lost { EXIT_FAILED } else { EXIT_OK })
}

fn show(args: &Show, context: &Context) -> Result<u8, CliError> {
    let custody = open(context)?;
    let entries = entries(&custody, &args.original)?;
    if args.json {
        let mut all = Vec::with_capacity(entries.len());
        for entry in &entries {
            let place = digest(&entry.sm3).and_then(|sm3| custody.place(&sm3).map_err(refused))?;
            all.push(json!({ "entry": entry, "place": place }));
        }
        output::json(&all)?;
        return Ok(EXIT_OK);
    }
    for entry in &entries {
        let mut table = Table::default();
        let mut row = |label, value: String| {
            table.row([word(context.lang, label).to_owned(), output::clean(&value)]);
        };
        row(Message::Sm3, entry.sm3.clone());
        row(Message::CustodySize, entry.size_bytes.to_string());
        let place = digest(&entry.sm3).and_then(|sm3| custody.place(&sm3).map_err(refused))?;
        row(Message::CustodyPlace, place.unwrap_or_default());
        row(Message::CustodyRecord, entry.record.clone().unwrap_or_default());
        row(Message::CustodyUntil, time::china_time(entry.retain_until_ms, context.lang));
        for wrap in &entry.keys {
            row(Message::CustodyRecipient, wrap.recipient.clone());
        }
        if let Some(erased) = &entry.erased {
            let at = time::china_time(erased.at_ms, context.lang);
            row(Message::CustodyErased, format!("{at} {}", erased.reason));
        }
        output::line(&table.render())?;
    }
    Ok(EXIT_OK)
}

fn log(args: &Log, context: &Context) -> Result<u8, CliError> {
    let lines = open(context)?.log_tail(args.lines).map_err(refused)?;
    if args.json {
        output::json(&lines)?;
        return Ok(EXIT_OK);
    }
    for line in lines {
        let event = serde_json::to_string(&line.event).unwrap_or_default();
        output::line(&format!("{}  {event}", time::china_time(line.at_ms, context.lang)))?;
    }
    Ok(EXIT_OK)
}

fn admit(args: &Admit, context: &Context) -> Result<u8, CliError> {
    let pem = stream::read_small(&args.certificate)?;
    let recipient = changbai_node::custody::recipient(&args.name, &pem).map_err(|reason| {
        let path = args.certificate.display().to_string();
        let values = [("path", path.as_str()), ("reason", &reason)];
        CliError::said(Message::CannotRead, None, &values)
    })?;
    each(&args.original, context, |custody, sm3| custody.admit(sm3, &recipient))
}

fn retain(args: &Retain, context: &Context) -> Result<u8, CliError> {
    let until_ms = time::china_day_start_ms(&args.until).ok_or_else(|| {
        CliError::said(Message::CustodyNoDate, None, &[("given", args.until.as_str())])
    })?;
    each(&args.original, context, |custody, sm3| custody.retain(sm3, until_ms))
}

fn erase(args: &Erase, context: &Context) -> Result<u8, CliError> {
    let record = args.record_sm3.as_deref().map(digest).transpose()?;
    let (reason, by_order) = (args.reason.as_str(), args.by_order);
    each(&args.original, context, |custody, sm3| {
        custody.erase_original(sm3, reason, by_order)?;
        record.map_or(Ok(()), |record| custody.erase_openings_of(&record, reason))
    })
}

fn remove(args: &Remove, context: &Context) -> Result<u8, CliError> {
    let sm3 = digest(&args.original)?;
    open(context)?.remove(&sm3).map_err(refused)?;
    output::note(&text(context.lang, Message::CustodyDone, &[("sm3", &sm3.to_string())]));
    Ok(EXIT_OK)
}

fn legacy(args: &OpenLegacy, context: &Context) -> Result<u8, CliError> {
    let key = zeroize::Zeroizing::new(stream::read_small(&args.key_file)?);
    let wrong = |reason: &dyn std::fmt::Display, path: &Path| {
        let (path, reason) = (path.display().to_string(), reason.to_string());
        CliError::said(Message::CannotRead, None, &[("path", &path), ("reason", &reason)])
    };
    let key = hex_16(key.trim()).ok_or_else(|| wrong(&"32 hexadecimal digits", &args.key_file))?;
    let expected = args.sm3.as_deref().map(digest).transpose()?;
    let envelope = std::fs::read(&args.file).map_err(CliError::read(&args.file))?;
    let content = open_legacy(&key, &envelope, expected.as_ref());
    let content = content.map_err(|error| wrong(&error, &args.file))?;
    stream::write_whole(&args.out, &content)?;
    if expected.is_none() {
        output::note(word(context.lang, Message::CustodyLegacy));
    }
    Ok(EXIT_OK)
}

/// Does something with an original, or with each one of a record.
fn each(
    original: &str,
    context: &Context,
    work: impl Fn(&Custody, &Sm3Digest) -> Result<(), CustodyError>,
) -> Result<u8, CliError> {
    let custody = open(context)?;
    for entry in entries(&custody, original)? {
        let sm3 = digest(&entry.sm3)?;
        work(&custody, &sm3).map_err(refused)?;
        output::note(&text(context.lang, Message::CustodyDone, &[("sm3", &entry.sm3)]));
    }
    Ok(EXIT_OK)
}

/// By SM3, or by evidence id.
fn entries(custody: &Custody, original: &str) -> Result<Vec<Entry>, CliError> {
    let found = match original.parse::<Sm3Digest>() {
        Ok(sm3) => custody.entry(&sm3).map_err(refused)?.into_iter().collect(),
        Err(_) => custody.originals_of(original).map_err(refused)?,
    };
    if found.is_empty() {
        return Err(CliError::said(Message::CustodyNone, None, &[("given", original)]));
    }
    Ok(found)
}

fn entries_out(entries: &[Entry], json: bool, context: &Context) -> Result<u8, CliError> {
    if json {
        output::json(&entries)?;
        return Ok(EXIT_OK);
    }
    let mut table = Table::default();
    for entry in entries {
        let until = time::china_time(entry.retain_until_ms, context.lang);
        table.row([entry.sm3.clone(), entry.size_bytes.to_string(), until]);
    }
    output::line(&table.render())?;
    Ok(EXIT_OK)
}

fn said(finding: &Finding, lang: Lang) -> String {
    let offset = finding.offset.map(|offset| offset.to_string()).unwrap_or_default();
    let values = [
        ("sm3", finding.sm3.as_str()),
        ("place", finding.place.as_deref().unwrap_or_default()),
        ("offset", &offset),
    ];
    let message = match finding.outcome {
        Outcome::Damaged => Message::CustodyIsDamaged,
        _ => Message::CustodyIsMissing,
    };
    output::clean(&text(lang, message, &values))
}

fn digest(hex: &str) -> Result<Sm3Digest, CliError> {
    hex.parse().map_err(|_| CliError::said(Message::CustodyNone, None, &[("given", hex)]))
}

fn hex_16(digits: &str) -> Option<Key> {
    if digits.len() != 32 || !digits.is_ascii() {
        return None;
    }
    let mut key = zeroize::Zeroizing::new([0_u8; 16]);
    for (to, pair) in key.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *to = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(Key::from_bytes(*key))
}

fn refused(error: CustodyError) -> CliError {
    if let CustodyError::Locked { until_ms } = error {
        let until = time::china_time(until_ms, Lang::En);
        return CliError::said(
            Message::CustodyLocked,
            Message::NextCustodyLocked,
            &[("until", &until)],
        );
    }
    CliError::said(Message::CustodyRefused, None, &[("reason", &chain(&error))])
}

/// Most originals that are listed.
const LISTED_MAX: usize = 1_000;
