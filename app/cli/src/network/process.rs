//! A node as a process: started, waited for, signalled.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use changbai_node::{
    config::{ENVIRONMENT_PREFIX, FILE},
    consortium::Agency,
    process_of,
};
use serde_json::Value;

use crate::{
    client::{Call, Client},
    error::{CliError, io_reason},
    limits,
    messages::{Message, word},
    progress::Progress,
    run::Context,
    stream,
};

/// How long a started process lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Until it is stopped.
    Detached,
    /// Not longer than this command.
    Attached,
}

/// A node that was started and may not be ready yet.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) agency: Agency,
    pub(super) child: Child,
}

/// Where a node started here writes what it says.
pub(super) fn log_file(agency: &Agency) -> PathBuf {
    agency.dir.join("node.log")
}

/// Starts the node of an agency; its settings come from its file alone.
pub(super) fn start(agency: &Agency, life: Life, context: &Context) -> Result<Started, CliError> {
    use std::os::unix::process::CommandExt as _;
    let log = log_file(agency);
    let program = std::env::current_exe().map_err(CliError::read("changbai"))?;
    let file = OpenOptions::new().create(true).append(true).open(&log);
    let file = file.map_err(CliError::write(&log))?;
    let mut command = Command::new(program);
    command.args(["--lang", context.lang.tag(), "node", "run", "--config"]);
    command.arg(agency.dir.join(FILE));
    match life {
        Life::Detached => command.arg("--detached"),
        // Ctrl-C is for this command, which then stops its nodes in order.
        Life::Attached => command.arg("--attached").process_group(0),
    };
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(ENVIRONMENT_PREFIX) {
            command.env_remove(name);
        }
    }
    let errors = file.try_clone().map_err(CliError::write(&log))?;
    command.stdin(Stdio::null()).stdout(file).stderr(errors);
    let child = command.spawn().map_err(CliError::read("changbai"))?;
    Ok(Started { agency: agency.clone(), child })
}

/// Waits until all of them answer, whatever they answer.
pub(super) fn wait_ready(started: &mut [Started], context: &Context) -> Result<(), CliError> {
    let bar = Progress::steps(word(context.lang, Message::NetworkStarting), started.len());
    let begun = now();
    let mut waiting: Vec<&mut Started> = started.iter_mut().collect();
    while !waiting.is_empty() {
        let mut left = Vec::new();
        for node in waiting {
            let name = node.agency.name.clone();
            let log = log_file(&node.agency).display().to_string();
            if let Ok(Some(status)) = node.child.try_wait() {
                let reason = last_line(&node.agency).unwrap_or_else(|| status.to_string());
                let values = [("name", name.as_str()), ("reason", &reason), ("log", &log)];
                return Err(CliError::said(Message::NetworkDied, Message::NextNetworkLog, &values));
            }
            if begun.elapsed() > limits::READY_MAX {
                let seconds = limits::READY_MAX.as_secs().to_string();
                let values = [("name", name.as_str()), ("seconds", &seconds), ("log", &log)];
                return Err(CliError::said(Message::NetworkSlow, Message::NextNetworkLog, &values));
            }
            if is_ready(&node.agency.dir, node.child.id(), context) {
                bar.advance(1);
            } else {
                left.push(node);
            }
        }
        waiting = left;
        if !waiting.is_empty() {
            thread::sleep(limits::READY_POLL);
        }
    }
    bar.finish();
    Ok(())
}

/// Waits until no process runs on the directory; false when it takes longer than allowed.
pub(super) fn wait_ended(dir: &Path) -> bool {
    let begun = now();
    while begun.elapsed() < limits::END_MAX {
        if matches!(process_of(dir), Ok(None)) {
            return true;
        }
        thread::sleep(limits::READY_POLL);
    }
    false
}

/// The process on a data directory.
pub(super) fn process(dir: &Path) -> Result<Option<changbai_node::Process>, CliError> {
    process_of(dir).map_err(CliError::read(dir.join("LOCK")))
}

fn is_ready(dir: &Path, pid: u32, context: &Context) -> bool {
    let Ok(text) = stream::read_small(&dir.join("node.json")) else { return false };
    let file: Value = serde_json::from_str(&text).unwrap_or_default();
    if file.get("pid").and_then(Value::as_u64) != Some(u64::from(pid)) {
        return false;
    }
    let context = Context { dir: dir.to_owned(), lang: context.lang };
    let call = Call { path: "/api/v1/health", also_status: Some(503), ..Call::default() };
    Client::anonymous(&context).and_then(|client| client.hasty().json::<Value>(&call)).is_ok()
}

/// What a node that ended said about it.
fn last_line(agency: &Agency) -> Option<String> {
    let text = std::fs::read(log_file(agency)).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut lines: Vec<&str> = text.lines().rev().filter(|line| !line.is_empty()).take(2).collect();
    lines.reverse();
    (!lines.is_empty()).then(|| lines.join(" "))
}

/// A cause in the words of `context`.
pub(super) fn reason(error: &std::io::Error, context: &Context) -> String {
    io_reason(error, context.lang)
}

#[expect(clippy::disallowed_methods, reason = "bounds a wait for other processes")]
fn now() -> Instant {
    Instant::now()
}
