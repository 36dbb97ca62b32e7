//! `changbai up --agencies N`: a whole consortium for as long as this command runs.

use std::{process::Child, time::Duration};

use changbai_node::consortium::{self, Plan};
use rustix::process::{Pid, Signal, kill_process};

use super::{
    make, next_steps,
    process::{Life, Started, process, reason, start, wait_ready},
    up::steps,
};
use crate::{
    error::{CliError, chain},
    messages::{Message, text, word},
    output, refusal,
    run::{Context, EXIT_OK},
    up::Stop,
};

/// Makes the consortium where there is none, runs all its nodes until SIGINT or SIGTERM, and stops them in order.
pub(crate) fn run(agencies: usize, context: &Context) -> Result<u8, CliError> {
    let found = consortium::read(&context.dir);
    let consortium = match found.map_err(|error| refusal::of_start(error, &context.dir))? {
        Some(consortium) => consortium,
        None => make(&Plan { agencies, ..Plan::default() }, context)?,
    };
    let found = consortium.agencies.len();
    if found != agencies {
        let (dir, found) = (context.dir.display().to_string(), found.to_string());
        let values = [("dir", dir.as_str()), ("found", &found), ("asked", &agencies.to_string())];
        return Err(CliError::said(Message::NetworkOther, Message::NextNetworkOther, &values));
    }
    for agency in &consortium.agencies {
        if let Some(process) = process(&agency.dir)? {
            let pid = process.pid.to_string();
            return Err(CliError::InUse { dir: agency.dir.clone(), pid });
        }
    }
    let failed =
        |error: std::io::Error| CliError::Start { dir: context.dir.clone(), reason: chain(&error) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(failed)?.block_on(async {
        // Listened for before the start, so that a signal during it is not lost.
        let mut stop = Stop::listen().map_err(failed)?;
        let mut nodes = Nodes(Vec::new());
        for agency in &consortium.agencies {
            nodes.0.push(start(agency, Life::Attached, context)?);
        }
        wait_ready(&mut nodes.0, context)?;
        let count = nodes.0.len().to_string();
        output::line(&text(context.lang, Message::NetworkRunning, &[("count", &count)]))?;
        output::line(&next_steps(&steps(&consortium.agencies, context), context))?;
        output::line(word(context.lang, Message::UpStop))?;
        tokio::select! {
            () = stop.wait() => {}
            () = watch(&mut nodes, context) => {}
        }
        output::note(word(context.lang, Message::UpStopping));
        nodes.stop(context)?;
        output::note(word(context.lang, Message::UpStopped));
        Ok(EXIT_OK)
    })
}

/// The nodes; whatever ends this command ends them.
struct Nodes(Vec<Started>);

impl Nodes {
    /// Asks all to stop, then waits for each.
    fn stop(&mut self, context: &Context) -> Result<(), CliError> {
        self.0.iter().for_each(|node| terminate(&node.child));
        let mut failed = None;
        for mut node in self.0.drain(..) {
            match node.child.wait() {
                Ok(status) if status.success() => {}
                Ok(status) => failed = Some((node, status.to_string())),
                Err(error) => failed = Some((node, reason(&error, context))),
            }
        }
        let Some((node, reason)) = failed else { return Ok(()) };
        Err(CliError::Stop { reason: format!("{}: {reason}", node.agency.name) })
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.0.iter().for_each(|node| terminate(&node.child));
        self.0.iter_mut().for_each(|node| drop(node.child.wait()));
    }
}

/// Says so when a node ends by itself; returns when none is left.
async fn watch(nodes: &mut Nodes, context: &Context) {
    while !nodes.0.is_empty() {
        nodes.0.retain_mut(|node| {
            let Ok(Some(status)) = node.child.try_wait() else { return true };
            let (name, reason) = (node.agency.name.as_str(), status.to_string());
            let values = [("name", name), ("reason", &reason)];
            output::note(&text(context.lang, Message::NetworkNodeEnded, &values));
            false
        });
        tokio::time::sleep(WATCH).await;
    }
}

/// A child that has not been waited for keeps its id.
fn terminate(child: &Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
}

const WATCH: Duration = Duration::from_millis(200);
