//! `changbai network down`: nodes are asked to stop, and waited for. Nothing else is ever signalled.

use changbai_node::{Process, consortium::Agency};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::{
    choose, open,
    process::{log_file, process, wait_ended},
};
use crate::{
    error::CliError,
    limits,
    messages::{Message, text, word},
    output,
    progress::Progress,
    run::{Context, EXIT_OK},
};

/// Stops the nodes that run.
pub(super) fn run(names: &[String], context: &Context) -> Result<u8, CliError> {
    let chosen = choose(&open(context)?, names)?;
    let mut stopping = Vec::new();
    let mut failed = None;
    for agency in &chosen {
        match terminate(agency) {
            Ok(Some(process)) => stopping.push((agency, process)),
            Ok(None) => say(Message::NetworkNodeIdle, agency, context)?,
            // The others are stopped all the same.
            Err(error) => failed = Some(error),
        }
    }
    let bar = Progress::steps(word(context.lang, Message::NetworkStopping), stopping.len());
    for (agency, process) in stopping {
        if wait_ended(&agency.dir) {
            bar.advance(1);
            say(Message::NetworkNodeStopped, agency, context)?;
        } else {
            failed = Some(stays(agency, process));
        }
    }
    bar.finish();
    failed.map_or(Ok(EXIT_OK), Err)
}

/// Sends SIGTERM to the node of an agency, once it is sure that the process is that node.
fn terminate(agency: &Agency) -> Result<Option<Process>, CliError> {
    let Some(seen) = process(&agency.dir)? else { return Ok(None) };
    let not_ours = || {
        let values = [("pid", &*seen.pid.to_string()), ("name", &agency.name)];
        CliError::said(Message::NetworkNotOurs, Message::NextNetworkNotOurs, &values)
    };
    let pid = i32::try_from(seen.pid).ok().and_then(Pid::from_raw).ok_or_else(not_ours)?;
    // From here on the handle means one process, even when its id is given to another one.
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else {
        return if process(&agency.dir)?.is_none() { Ok(None) } else { Err(not_ours()) };
    };
    let again = process(&agency.dir)?;
    let Some(again) = again else { return Ok(None) };
    if again.pid != seen.pid || !again.holds_lock {
        return Err(not_ours());
    }
    pidfd_send_signal(&handle, Signal::TERM).map_err(|_| not_ours())?;
    Ok(Some(again))
}

fn stays(agency: &Agency, process: Process) -> CliError {
    let (pid, seconds) = (process.pid.to_string(), limits::END_MAX.as_secs().to_string());
    let log = log_file(agency).display().to_string();
    let values =
        [("name", agency.name.as_str()), ("pid", &pid), ("seconds", &seconds), ("log", &log)];
    CliError::said(Message::NetworkStays, Message::NextNetworkLog, &values)
}

fn say(message: Message, agency: &Agency, context: &Context) -> Result<(), CliError> {
    output::line(&text(context.lang, message, &[("name", &agency.name)]))
}
