//! `changbai channel`, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Channel {
    List(List),
    Info(Info),
    Join(Join),
    Genesis(Genesis),
    Update(Update),
}

impl Channel {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::List(args) => args.json,
            Self::Info(args) => args.json,
            Self::Update(args) => args.json,
            Self::Join(_) | Self::Genesis(_) => false,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Info {
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "OUT.toml")]
    pub(crate) config: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Join {
    #[arg(value_name = "GENESIS.block")]
    pub(crate) genesis: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Genesis {
    #[arg(long, value_name = "CHANNEL.toml")]
    pub(crate) config: PathBuf,
    #[arg(long, value_name = "GENESIS.block")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    #[arg(long, value_name = "NEW.toml", required_unless_present = "input")]
    pub(crate) config: Option<PathBuf>,
    #[arg(long = "in", value_name = "FILE", conflicts_with = "config")]
    pub(crate) input: Option<PathBuf>,
    #[arg(long, value_name = "DIR")]
    pub(crate) sign_with: Vec<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[arg(long)]
    pub(crate) submit: bool,
    #[arg(long)]
    pub(crate) json: bool,
}
