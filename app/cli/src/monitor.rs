//! `changbai monitor`: compares what several places show of one log.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use changbai_merkle::VerifierKey;
use changbai_node::{LocalClock, LogMonitor, MonitorConfig, Seen, Sight, judge_misbehaviour};
use changbai_receipt::Trust;
use serde_json::{Value, json};
use smkit_pki::Certificate;

use crate::args::transparency as args;
use crate::error::{CliError, chain};
use crate::lang::Lang;
use crate::messages::{Message, text, word};
use crate::output;
use crate::refusal;
use crate::run::{Context, EXIT_FAILED, EXIT_OK, EXIT_UNCHECKED};
use crate::stream;
use crate::up::Stop;

/// 0: everything agrees, 1: something contradicts, 2: not everything could be looked at.
pub(crate) fn run(args: &args::Monitor, context: &Context) -> Result<u8, CliError> {
    let keys = keys(&args.keys)?;
    if let Some(file) = &args.check {
        return check(file, &keys, args.json, context);
    }
    let refused = |error| refusal::of_start(error, &context.dir);
    let failed = |reason| CliError::Start { dir: context.dir.clone(), reason };
    let config = MonitorConfig {
        dir: context.dir.clone(),
        channel: args.channel.clone(),
        nodes: args.nodes.clone(),
        witnesses: args.witnesses.clone(),
        keys,
        trust: args.trust.as_deref().map(trust).transpose()?,
        tls_roots: roots(&args.tls_roots)?,
    };
    let mut monitor = LogMonitor::open(config, Arc::new(LocalClock)).map_err(refused)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(chain(&error)))?;
    runtime.block_on(async {
        let mut stop = Stop::listen().map_err(|error| failed(chain(&error)))?;
        loop {
            let sights = monitor.look().await.map_err(refused)?;
            for sight in &sights {
                if args.json {
                    output::json(&value(sight))?;
                } else {
                    output::line(&sentence(sight, context.lang))?;
                }
            }
            let code = code(&sights);
            let Some(every) = args.every.filter(|_| code != EXIT_FAILED) else { return Ok(code) };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(every)) => {}
                () = stop.wait() => return Ok(code),
            }
        }
    })
}

fn check(
    file: &Path,
    keys: &[VerifierKey],
    as_json: bool,
    context: &Context,
) -> Result<u8, CliError> {
    let judged = judge_misbehaviour(file, keys);
    let (first, second) = judged.map_err(|error| refusal::of_start(error, &context.dir))?;
    if as_json {
        output::json(&json!({
            "origin": first.origin,
            "first": { "size": first.size, "root": first.root.to_string() },
            "second": { "size": second.size, "root": second.root.to_string() },
            "proven": true,
        }))?;
    } else {
        let (sizes, file) = ([first.size, second.size].map(|s| s.to_string()), path(file));
        let [first_size, second_size] = sizes;
        let values = [
            ("file", file.as_str()),
            ("origin", &first.origin),
            ("first", &first_size),
            ("second", &second_size),
        ];
        output::line(&text(context.lang, Message::MisbehaviourProven, &values))?;
    }
    Ok(EXIT_OK)
}

fn code(sights: &[Sight]) -> u8 {
    let any = |wanted: fn(&Seen) -> bool| sights.iter().any(|sight| wanted(&sight.seen));
    if any(|seen| matches!(seen, Seen::Contradicts { .. })) {
        EXIT_FAILED
    } else if any(|seen| !matches!(seen, Seen::Consistent { .. })) {
        EXIT_UNCHECKED
    } else {
        EXIT_OK
    }
}

fn sentence(sight: &Sight, lang: Lang) -> String {
    let source = ("source", sight.source.as_str());
    match &sight.seen {
        Seen::Consistent { size, grown, behind } => {
            let [size, grown, behind] = [size, grown, behind].map(ToString::to_string);
            let values = [source, ("size", &size), ("grown", &grown), ("behind", &behind)];
            text(lang, Message::MonitorConsistent, &values)
        }
        Seen::Contradicts { kind, proven, file } => {
            let kind = match *kind {
                "same_size" => Message::MonitorSameSize,
                "other_beginning" => Message::MonitorOtherBeginning,
                "rollback" => Message::MonitorRollback,
                _ => Message::MonitorUnproven,
            };
            let worth =
                if *proven { Message::MonitorConvicts } else { Message::MonitorNoConviction };
            let file = path(file);
            let values =
                [source, ("kind", word(lang, kind)), ("file", &file), ("worth", word(lang, worth))];
            text(lang, Message::MonitorContradicts, &values)
        }
        Seen::Unchecked(reason) => {
            text(lang, Message::MonitorUnchecked, &[source, ("reason", reason)])
        }
        _ => sight.source.clone(),
    }
}

fn value(sight: &Sight) -> Value {
    let source = &sight.source;
    match &sight.seen {
        Seen::Consistent { size, grown, behind } => json!({
            "source": source, "seen": "consistent", "size": size, "grown": grown, "behind": behind,
        }),
        Seen::Contradicts { kind, proven, file } => json!({
            "source": source, "seen": "contradicts", "kind": kind, "proven": proven,
            "file": path(file),
        }),
        Seen::Unchecked(reason) => {
            json!({ "source": source, "seen": "unchecked", "reason": reason })
        }
        _ => json!({ "source": source }),
    }
}

fn keys(texts: &[String]) -> Result<Vec<VerifierKey>, CliError> {
    let read = |text: &String| {
        let key = VerifierKey::from_text(text);
        key.map_err(|_| CliError::Pki { reason: format!("{text}: not the key of a log") })
    };
    texts.iter().map(read).collect()
}

fn trust(path: &Path) -> Result<Trust, CliError> {
    Trust::parse(&stream::read_small(path)?).map_err(|error| malformed(path, chain(&error)))
}

fn roots(paths: &[PathBuf]) -> Result<Vec<Certificate>, CliError> {
    let mut roots = Vec::new();
    for path in paths {
        let many = Certificate::pem_many(&stream::read_small(path)?);
        roots.extend(many.map_err(|error| malformed(path, error.to_string()))?);
    }
    Ok(roots)
}

fn malformed(path: &Path, reason: String) -> CliError {
    let source = std::io::Error::new(std::io::ErrorKind::InvalidData, reason);
    CliError::Read { path: path.to_owned(), source }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
