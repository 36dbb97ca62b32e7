//! `changbai network up`: nodes in the background.

use super::{
    choose, next_steps, open,
    process::{Life, process, start, wait_ready},
};
use crate::{
    error::CliError,
    messages::{Message, text},
    output,
    run::{Context, EXIT_OK},
};

/// Starts the nodes that do not run yet, and waits until they are ready.
pub(super) fn run(names: &[String], context: &Context) -> Result<u8, CliError> {
    let consortium = open(context)?;
    let chosen = choose(&consortium, names)?;
    let mut started = Vec::new();
    for agency in &chosen {
        if process(&agency.dir)?.is_none() {
            started.push(start(agency, Life::Detached, context)?);
        }
    }
    wait_ready(&mut started, context)?;
    let count = chosen.len().to_string();
    output::line(&text(context.lang, Message::NetworkRunning, &[("count", &count)]))?;
    output::line(&next_steps(&steps(&chosen, context), context))?;
    Ok(EXIT_OK)
}

/// What to do with running nodes.
pub(super) fn steps(
    running: &[changbai_node::consortium::Agency],
    context: &Context,
) -> Vec<(Message, String)> {
    let dir = context.dir.display();
    let file = crate::messages::word(context.lang, Message::FileWord);
    let mut steps = Vec::new();
    if let Some(first) = running.first() {
        let node = first.dir.display();
        let submit = format!("changbai evidence submit {file} --bundle out.zip --dir {node}");
        steps.push((Message::UpSubmit, submit));
        let verify = format!("changbai verify out.zip {file} --trust {dir}/trust.pem");
        steps.push((Message::UpVerify, verify));
    }
    steps.push((Message::NetworkStatus, format!("changbai network status --dir {dir}")));
    steps.push((Message::NetworkDown, format!("changbai network down --dir {dir}")));
    steps
}
