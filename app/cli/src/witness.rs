//! `changbai witness`: a witness of transaction logs.

use std::sync::Arc;

use changbai_node::config::Endpoint;
use changbai_node::{LocalClock, serve_witness, witness_key};

use crate::args::transparency as args;
use crate::error::{CliError, chain};
use crate::messages::{Message, text, word};
use crate::output;
use crate::refusal;
use crate::run::{Context, EXIT_OK};
use crate::up::Stop;

pub(crate) fn run(command: &args::Witness, context: &Context) -> Result<u8, CliError> {
    match command {
        args::Witness::Key(args) => key(args, context),
        args::Witness::Run(args) => serve(args, context),
    }
}

fn key(args: &args::Key, context: &Context) -> Result<u8, CliError> {
    let key = witness_key(&context.dir, args.name.as_deref());
    output::line(&key.map_err(|error| refusal::of_start(error, &context.dir))?)?;
    Ok(EXIT_OK)
}

fn serve(args: &args::Run, context: &Context) -> Result<u8, CliError> {
    let failed = |reason| CliError::Start { dir: context.dir.clone(), reason };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(chain(&error)))?;
    runtime.block_on(async {
        let mut stop = Stop::listen().map_err(|error| failed(chain(&error)))?;
        let ready = |bound: &[Endpoint]| {
            let listen: Vec<String> = bound.iter().map(ToString::to_string).collect();
            let values = [("listen", listen.join("  "))];
            let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
            // A closed pipe does not end a service.
            drop(output::line(&text(context.lang, Message::WitnessServing, &values)));
        };
        let clock = Arc::new(LocalClock);
        Box::pin(serve_witness(&context.dir, &args.listen, clock, ready, stop.wait()))
            .await
            .map_err(|error| refusal::of_start(error, &context.dir))?;
        output::note(word(context.lang, Message::UpStopped));
        Ok(EXIT_OK)
    })
}
