//! From arguments to an exit code: language, logging, dispatch.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::error::ErrorKind;

use crate::{
    archive,
    args::{self, Command, Evidence, pki::Tls},
    channel, clock, court, custody, directory,
    error::CliError,
    evidence, health, help,
    lang::{self, Lang},
    logging::Logging,
    monitor, network, output, pki, seal, sm3, time_stamp, tls, up, verify, witness,
};

/// What every command needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// The node's data directory.
    pub(crate) dir: PathBuf,
    /// The language of messages.
    pub(crate) lang: Lang,
}

/// Success.
pub(crate) const EXIT_OK: u8 = 0;
/// The command failed; `verify`: not verified.
pub(crate) const EXIT_FAILED: u8 = 1;
/// Wrong usage; `verify`: could not be checked.
pub(crate) const EXIT_UNCHECKED: u8 = 2;

/// Runs one command line, program name included.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    let lang = lang::choose(&arguments, |name| std::env::var_os(name));
    let cli = match args::parse(arguments, lang) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, lang),
    };
    let usual = || PathBuf::from(cli.command.usual_dir());
    let context = Context { dir: cli.global.dir.unwrap_or_else(usual), lang };
    start_logging(&cli.command);
    let json = cli.command.wants_json();
    let code = dispatch(cli.command, &context).unwrap_or_else(|error| {
        error.report(lang, json);
        EXIT_FAILED
    });
    ExitCode::from(code)
}

fn dispatch(command: Command, context: &Context) -> Result<u8, CliError> {
    match command {
        Command::Up(args::Up { agencies: Some(agencies), .. }) => {
            network::foreground::run(agencies, context)
        }
        Command::Up(args) => up::run(&args, context),
        Command::Channel(command) => channel::run(&command, context),
        Command::Court(command) => court::run(&command, context),
        Command::Directory(command) => directory::run(&command, context),
        Command::Network(command) => network::run(&command, context),
        Command::Node(args::network::Node::Run(args)) => up::run_prepared(&args, context),
        Command::Node(command) => archive::run(&command, context),
        Command::Evidence(Evidence::Submit(args)) => evidence::submit::run(&args, context),
        Command::Evidence(Evidence::Batch(args)) => evidence::batch::run(&args, context),
        Command::Evidence(Evidence::Get(args)) => evidence::read::get(&args, context),
        Command::Evidence(Evidence::List(args)) => evidence::read::list(&args, context),
        Command::Evidence(Evidence::Bundle(args)) => evidence::bundle::run(&args, context),
        Command::Evidence(Evidence::Certificate(args)) => {
            evidence::certificate::run(&args, context)
        }
        Command::Verify(args) => verify::run(&args, context),
        Command::Sm3(args) => sm3::run(&args, context),
        Command::Health(args) => health::run(&args, context),
        Command::Time(args::Time::Check(args)) => clock::check(&args, context),
        Command::Time(args::Time::Stamp(args)) => time_stamp::stamp(&args, context),
        Command::Time(args::Time::Verify(args)) => time_stamp::verify(&args, context),
        Command::Custody(command) => custody::run(&command, context),
        Command::Pki(command) => pki::run(&command, context),
        Command::Seal(command) => seal::run(&command, context),
        Command::Tls(Tls::Probe(args)) => tls::probe(&args, context),
        Command::Witness(command) => witness::run(&command, context),
        Command::Monitor(args) => monitor::run(&args, context),
    }
}

/// Help and version go to standard output with code 0; wrong usage to standard error with code 2.
fn usage(error: &clap::Error, lang: Lang) -> ExitCode {
    let rendered = error.render().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let printed = output::line(rendered.trim_end());
        return ExitCode::from(if printed.is_ok() { EXIT_OK } else { EXIT_FAILED });
    }
    if let (Lang::Zh, Some(sentence)) = (lang, help::usage_error_zh(error.kind())) {
        output::note(sentence);
    }
    output::note(rendered.trim_end());
    ExitCode::from(EXIT_UNCHECKED)
}

/// Logs go to standard error: a node tells what it does, a client only what is wrong. `CHANGBAI_LOG` overrides.
fn start_logging(command: &Command) {
    let serves = matches!(
        command,
        Command::Up(_)
            | Command::Node(args::network::Node::Run(_))
            | Command::Pki(args::pki::Pki::Serve(_))
            | Command::Witness(args::transparency::Witness::Run(_))
    );
    let default = if serves { "warn,changbai=info" } else { "warn" };
    let spec = std::env::var_os("CHANGBAI_LOG").and_then(|spec| spec.into_string().ok());
    Logging::start(spec, default);
}
