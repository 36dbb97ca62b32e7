//! `changbai pki serve`: the authority as a service.

use std::sync::Arc;

use changbai_node::config::Endpoint;
use changbai_node::{AuthorityConfig, LocalClock, serve_authority};

use super::files::authority;
use crate::args::pki as args;
use crate::error::{CliError, chain};
use crate::messages::{Message, text, word};
use crate::output;
use crate::run::{Context, EXIT_OK};
use crate::up::Stop;

pub(super) fn run(args: &args::Serve, context: &Context) -> Result<u8, CliError> {
    let store = authority(&args.common)?;
    let read = |text: &String| {
        text.parse::<Endpoint>().map_err(|()| CliError::Address { given: text.clone() })
    };
    let listen = args.listen.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let hosts = if args.hosts.is_empty() {
        ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec()
    } else {
        args.hosts.clone()
    };
    let config = AuthorityConfig { listen, hosts, hours: args.hours };
    let failed = |reason| CliError::Start { dir: args.common.ca.clone(), reason };
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
            drop(output::line(&text(context.lang, Message::PkiServing, &values)));
        };
        let clock = Arc::new(LocalClock);
        Box::pin(serve_authority(store, config, clock, ready, stop.wait()))
            .await
            .map_err(|error| failed(chain(&error)))?;
        output::note(word(context.lang, Message::UpStopped));
        Ok(EXIT_OK)
    })
}
