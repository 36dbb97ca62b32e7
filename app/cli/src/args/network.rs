//! `changbai network` and `changbai node`, as data.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Network {
    Init(Init),
    Up(Names),
    Down(Names),
    Status(Status),
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) agencies: usize,
    #[arg(long, value_name = "M")]
    pub(crate) validators: Option<usize>,
    #[arg(long, value_name = "ID", default_value = "changchun")]
    pub(crate) channel: String,
    #[arg(long, value_name = "POLICY")]
    pub(crate) endorsement: Option<String>,
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: Vec<IpAddr>,
    #[arg(long, value_name = "PORT")]
    pub(crate) port_base: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct Names {
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Node {
    Run(Run),
    VerifyLog(VerifyLog),
    Export(Export),
    Snapshot(Snapshot),
    Import(Import),
}

#[derive(Debug, Args)]
pub(crate) struct VerifyLog {
    #[arg(long, value_name = "ID")]
    pub(crate) channel: Option<String>,
    #[arg(long)]
    pub(crate) deep: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[arg(long, value_name = "ID")]
    pub(crate) channel: Option<String>,
    #[arg(long, value_name = "BLOCK", default_value_t = 0)]
    pub(crate) first: u64,
    #[arg(long, value_name = "BLOCK")]
    pub(crate) last: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Snapshot {
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[arg(long, value_name = "ID")]
    pub(crate) channel: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "ID")]
    pub(crate) channel: Option<String>,
    #[arg(long)]
    pub(crate) snapshot: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
    /// For a node that shall outlive the terminal.
    #[arg(long, hide = true)]
    pub(crate) detached: bool,
    /// For a node that shall not outlive the command that started it.
    #[arg(long, hide = true, conflicts_with = "detached")]
    pub(crate) attached: bool,
}
