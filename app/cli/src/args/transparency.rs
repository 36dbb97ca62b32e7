//! Arguments of `changbai witness` and `changbai monitor`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Witness {
    Key(Key),
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Key {
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Monitor {
    #[arg(long = "node", value_name = "URL", required_unless_present = "check")]
    pub(crate) nodes: Vec<String>,
    #[arg(long = "witness", value_name = "URL")]
    pub(crate) witnesses: Vec<String>,
    #[arg(long, value_name = "NAME", default_value = "changchun")]
    pub(crate) channel: String,
    #[arg(long, value_name = "TRUST.pem", required_unless_present = "keys")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long = "key", value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    #[arg(long = "tls-root", value_name = "ROOT.pem")]
    pub(crate) tls_roots: Vec<PathBuf>,
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) every: Option<u64>,
    #[arg(long, value_name = "FILE", conflicts_with_all = ["nodes", "witnesses", "every", "trust"])]
    pub(crate) check: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}
