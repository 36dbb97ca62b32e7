//! The command line, as data. Descriptions live in [`crate::help`], in both languages.

pub(crate) mod channel;
pub(crate) mod court;
pub(crate) mod custody;
pub(crate) mod network;
pub(crate) mod pki;
pub(crate) mod seal;
pub(crate) mod transparency;

use std::{ffi::OsString, path::PathBuf};

use changbai_certificate::Format;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{help, lang::Lang, limits};

/// Parses a command line; help and usage errors are in `lang`.
pub(crate) fn parse(args: Vec<OsString>, lang: Lang) -> Result<Cli, clap::Error> {
    let mut command = command(lang);
    let matches = command.try_get_matches_from_mut(args)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The clap command with descriptions in `lang`.
pub(crate) fn command(lang: Lang) -> clap::Command {
    help::describe(Cli::command(), lang)
}

#[derive(Debug, Parser)]
#[command(
    name = "changbai",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Args)]
pub(crate) struct Global {
    #[arg(long, global = true, env = "CHANGBAI_DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Looked up by [`crate::lang::choose`] before parsing; here so that clap knows it.
    #[arg(long, global = true, value_enum, hide_possible_values = true)]
    pub(crate) lang: Option<Lang>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Up(Up),
    #[command(subcommand)]
    Evidence(Evidence),
    Verify(Verify),
    Sm3(Sm3),
    Health(Health),
    #[command(subcommand)]
    Time(Time),
    #[command(subcommand)]
    Channel(channel::Channel),
    #[command(subcommand)]
    Court(court::Court),
    #[command(subcommand)]
    Directory(court::Directory),
    #[command(subcommand)]
    Network(network::Network),
    #[command(subcommand)]
    Node(network::Node),
    #[command(subcommand)]
    Custody(custody::Custody),
    #[command(subcommand)]
    Pki(pki::Pki),
    #[command(subcommand)]
    Seal(seal::Seal),
    #[command(subcommand)]
    Tls(pki::Tls),
    #[command(subcommand)]
    Witness(transparency::Witness),
    Monitor(transparency::Monitor),
}

impl Command {
    /// The directory that is meant where none is named.
    pub(crate) fn usual_dir(&self) -> &'static str {
        match self {
            Self::Network(_) | Self::Up(Up { agencies: Some(_), .. }) => "./changbai-network",
            Self::Witness(_) => "./changbai-witness",
            Self::Monitor(_) => "./changbai-monitor",
            _ => "./changbai-data",
        }
    }

    /// True when results and errors are to be JSON.
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Channel(command) => command.wants_json(),
            Self::Court(command) => command.wants_json(),
            Self::Directory(command) => command.wants_json(),
            Self::Network(network::Network::Status(args)) => args.json,
            Self::Up(_) | Self::Sm3(_) | Self::Node(_) | Self::Network(_) | Self::Witness(_) => {
                false
            }
            Self::Evidence(Evidence::Submit(args)) => args.json,
            Self::Evidence(Evidence::Batch(args)) => args.json,
            Self::Evidence(Evidence::Get(args)) => args.json,
            Self::Evidence(Evidence::List(args)) => args.json,
            Self::Evidence(Evidence::Bundle(args)) => args.json,
            Self::Evidence(Evidence::Certificate(args)) => args.json,
            Self::Verify(args) => args.json,
            Self::Health(args) => args.json,
            Self::Time(Time::Check(args)) => args.json,
            Self::Time(Time::Stamp(args)) => args.json,
            Self::Time(Time::Verify(args)) => args.json,
            Self::Custody(command) => command.wants_json(),
            Self::Pki(command) => command.wants_json(),
            Self::Seal(command) => command.wants_json(),
            Self::Tls(pki::Tls::Probe(args)) => args.json,
            Self::Monitor(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
    #[arg(long, value_name = "N", conflicts_with = "listen")]
    pub(crate) agencies: Option<usize>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    Submit(Submit),
    Batch(Batch),
    Get(Get),
    List(List),
    Bundle(Bundle),
    Certificate(Certificate),
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    #[arg(long, value_name = "TYPE", default_value = "general")]
    pub(crate) business: String,
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(crate) fields: Vec<String>,
    #[arg(long)]
    pub(crate) digest_only: bool,
    #[arg(long, value_name = "OUT.zip")]
    pub(crate) bundle: Option<PathBuf>,
    #[arg(long, value_name = "ID")]
    pub(crate) previous: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Batch {
    #[arg(value_name = "FILE", required_unless_present = "ndjson")]
    pub(crate) files: Vec<PathBuf>,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "business", "fields"])]
    pub(crate) ndjson: Option<PathBuf>,
    #[arg(long, value_name = "TYPE", default_value = "general")]
    pub(crate) business: String,
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(crate) fields: Vec<String>,
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long, value_name = "HEX", conflicts_with = "file")]
    pub(crate) sm3: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[arg(long, value_name = "TYPE")]
    pub(crate) business: Option<String>,
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<String>,
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) limit: u32,
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Bundle {
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) no_originals: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Certificate {
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[arg(long, value_name = "pdf|ofd|svg", default_value = "pdf")]
    pub(crate) format: Format,
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[arg(value_name = "BUNDLE")]
    pub(crate) bundle: PathBuf,
    #[arg(value_name = "ORIGINAL", num_args = 0..=limits::ORIGINALS_MAX)]
    pub(crate) originals: Vec<PathBuf>,
    #[arg(long, value_name = "ROOT.pem")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Sm3 {
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Health {
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Time {
    Check(TimeCheck),
    Stamp(TimeStamp),
    Verify(TimeVerify),
}

#[derive(Debug, Args)]
pub(crate) struct TimeCheck {
    #[arg(long, value_name = "ADDR")]
    pub(crate) chrony: Option<String>,
    #[arg(long, value_name = "URL")]
    pub(crate) tsa: Option<String>,
    #[command(flatten)]
    pub(crate) tsa_trust: TsaTrust,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TimeStamp {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "URL")]
    pub(crate) tsa: String,
    #[command(flatten)]
    pub(crate) tsa_trust: TsaTrust,
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whom to believe about time.
#[derive(Debug, Args)]
pub(crate) struct TsaTrust {
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_trust: Option<PathBuf>,
    #[arg(long, value_name = "OID")]
    pub(crate) policy: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TimeVerify {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(value_name = "TOKEN")]
    pub(crate) token: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests;
