//! `changbai up` and `changbai node run`: run a node until it is asked to stop.

use std::path::Path;

use changbai_node::{
    Config, ConfigError, StartError, Supervisor, Surroundings,
    config::{ENVIRONMENT_PREFIX, Endpoint},
};
use rustix::process::Signal;
use tokio::signal::unix::{self, SignalKind, signal};

use crate::{
    args,
    error::{CliError, chain},
    lang::Lang,
    limits,
    logging::Logging,
    messages::{Message, text, word},
    output::{self, Table},
    refusal,
    run::{Context, EXIT_OK},
};

/// Starts the node of a data directory, which is made at the first start.
pub(crate) fn run(args: &args::Up, context: &Context) -> Result<u8, CliError> {
    let config = config(Config::below(&context.dir), &args.listen)?;
    serve(config, context)
}

/// Starts a node by its configuration file; its directory must be there already.
pub(crate) fn run_prepared(args: &args::network::Run, context: &Context) -> Result<u8, CliError> {
    if args.detached {
        // Fails for a leader of a process group, which has no terminal to leave.
        let _ = rustix::process::setsid();
    }
    if args.attached {
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
    }
    let file = args.config.clone();
    let config = config(Config { file, ..Config::below(Path::new("")) }, &args.listen)?;
    let start_error = |error: ConfigError| refusal::of_start(error.into(), &context.dir);
    let dir = config.clone().load().map_err(start_error)?.dir;
    if !changbai_node::is_prepared(&dir) {
        let dir = dir.display().to_string();
        let (what, next) = (Message::NodeUnprepared, Message::NextNodeUnprepared);
        return Err(CliError::said(what, next, &[("dir", &dir)]));
    }
    serve(config, &Context { dir, lang: context.lang })
}

/// Starts the node, says what can be done next, waits for SIGTERM or SIGINT, and stops it in order.
fn serve(config: Config, context: &Context) -> Result<u8, CliError> {
    let start_error = |reason| CliError::Start { dir: context.dir.clone(), reason };
    let refused = |error: StartError| refusal::of_start(error, &context.dir);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("changbai")
        .build()
        .map_err(|error| start_error(chain(&error)))?;
    let result = runtime.block_on(async {
        // Listened for before the start, so that a signal during it is not lost.
        let mut stop = Stop::listen().map_err(|error| start_error(chain(&error)))?;
        let surroundings = surroundings(&config);
        let supervisor = surroundings.supervisor.clone();
        let node =
            Box::pin(changbai_node::start_in(config, surroundings)).await.map_err(refused)?;
        let facts = Facts {
            listen: node.listen(),
            dir: node.dir(),
            trust: &node.trust_file(),
            first_start: node.first_start(),
            bounded: node.clock_is_bounded(),
        };
        output::line(&welcome(&facts, context.lang))?;
        supervisor.ready();
        stop.wait().await;
        supervisor.stopping();
        output::note(word(context.lang, Message::UpStopping));
        node.shutdown().await.map_err(|error| CliError::Stop { reason: chain(&error) })?;
        output::note(word(context.lang, Message::UpStopped));
        Ok(EXIT_OK)
    });
    // A client that stopped in the middle of an upload must not hold the process.
    runtime.shutdown_timeout(limits::STOP_TIMEOUT);
    result
}

/// The log in the format of the configuration, and the service manager that asked to be told.
pub(crate) fn surroundings(config: &Config) -> Surroundings {
    let log = Logging::started();
    // What is wrong with the configuration is said by the start.
    if let (Some(log), Ok(valid)) = (&log, config.clone().load()) {
        log.format(valid.settings.node.log);
    }
    let supervisor = Supervisor::at(std::env::var_os("NOTIFY_SOCKET").as_deref());
    Surroundings { log: log.map(|log| log as _), supervisor }
}

/// The configuration with what flags and environment say.
fn config(config: Config, listen: &[String]) -> Result<Config, CliError> {
    if let Some(wrong) = listen.iter().find(|listen| listen.parse::<Endpoint>().is_err()) {
        return Err(CliError::Address { given: wrong.clone() });
    }
    Ok(Config { listen: listen.to_vec(), ..with_environment(config) })
}

/// The configuration with what the environment says.
pub(crate) fn with_environment(config: Config) -> Config {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX))
        .collect();
    Config { environment, ..config }
}

/// What the welcome says about the node.
struct Facts<'a> {
    listen: &'a [Endpoint],
    dir: &'a Path,
    trust: &'a Path,
    first_start: bool,
    /// Whether somebody bounds the clock's error.
    bounded: bool,
}

/// Where the node is and what to do next, as commands that can be copied.
fn welcome(facts: &Facts<'_>, lang: Lang) -> String {
    let listen: Vec<String> = facts.listen.iter().map(ToString::to_string).collect();
    let plain = listen.iter().find(|listen| listen.starts_with("http://"));
    let (dir, trust) = (facts.dir.display().to_string(), facts.trust.display().to_string());
    let started = if facts.first_start { Message::UpFirst } else { Message::UpAgain };
    let file = word(lang, Message::FileWord);
    let option = if dir == "./changbai-data" { String::new() } else { format!(" --dir {dir}") };
    let mut next = Table::default();
    for (label, command) in [
        (Message::UpSubmit, format!("changbai evidence submit {file} --bundle out.zip{option}")),
        (Message::UpHealth, format!("changbai health{option}")),
        (Message::UpVerify, format!("changbai verify out.zip {file} --trust {trust}")),
        (Message::UpDocs, plain.map_or_else(String::new, |listen| format!("{listen}/api/docs"))),
    ]
    .into_iter()
    .filter(|(_, command)| !command.is_empty())
    {
        next.row([word(lang, label).to_owned(), command]);
    }
    let lines: Vec<String> = next.render().lines().map(|line| format!("  {line}")).collect();
    let mut said = vec![
        text(lang, started, &[("dir", &dir)]),
        text(lang, Message::UpReady, &[("listen", &listen.join("  "))]),
    ];
    if !facts.bounded {
        said.push(word(lang, Message::UpUnbounded).to_owned());
    }
    said.extend([
        word(lang, Message::UpNext).to_owned(),
        lines.join("\n"),
        word(lang, Message::UpStop).to_owned(),
    ]);
    said.join("\n")
}

/// SIGTERM and SIGINT.
pub(crate) struct Stop {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Stop {
    pub(crate) fn listen() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_welcome_gives_commands_to_copy() {
        let facts = Facts {
            listen: &["http://127.0.0.1:8080".parse().unwrap()],
            dir: Path::new("/srv/data"),
            trust: Path::new("/srv/data/trust.pem"),
            first_start: true,
            bounded: false,
        };
        assert_eq!(
            welcome(&facts, Lang::En),
            "a new node was created in /srv/data: root, node and operator certificates and the ledger\n\
             the node is running: http://127.0.0.1:8080\n\
             development: nobody bounds this clock's error, and every record will say so for ever; production \
             needs [time] source = \"chrony\"\n\
             next (in another terminal):\n\
             \x20 submit evidence  changbai evidence submit FILE --bundle out.zip --dir /srv/data\n\
             \x20 see its health   changbai health --dir /srv/data\n\
             \x20 verify offline   changbai verify out.zip FILE --trust /srv/data/trust.pem\n\
             \x20 API documents    http://127.0.0.1:8080/api/docs\n\
             press Ctrl-C to stop"
        );
        let again =
            Facts { dir: Path::new("./changbai-data"), first_start: false, bounded: true, ..facts };
        let zh = welcome(&again, Lang::Zh);
        assert!(zh.contains("恢复运行") && zh.contains("changbai health\n"), "{zh}");
        assert!(!zh.contains("误差"), "{zh}");
    }
}
