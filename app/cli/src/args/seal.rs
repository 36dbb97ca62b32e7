//! `changbai seal`, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Seal {
    Make(Make),
    Show(Show),
}

impl Seal {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Make(args) => args.json,
            Self::Show(args) => args.json,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Make {
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    #[arg(long, value_name = "CODE")]
    pub(crate) id: String,
    #[arg(long, value_name = "CERT.pem")]
    pub(crate) maker_cert: PathBuf,
    #[arg(long, value_name = "KEY.pem")]
    pub(crate) maker_key: PathBuf,
    #[arg(long = "signer", value_name = "CERT.pem", required = true)]
    pub(crate) signers: Vec<PathBuf>,
    #[arg(long, value_name = "FILE.png")]
    pub(crate) picture: Option<PathBuf>,
    #[arg(long, value_name = "MM", requires = "picture", default_value_t = 40)]
    pub(crate) width_mm: u32,
    #[arg(long, value_name = "TEXT", conflicts_with = "picture")]
    pub(crate) arc: Option<String>,
    #[arg(long, value_name = "TEXT", conflicts_with = "picture")]
    pub(crate) line: Option<String>,
    #[arg(long, value_name = "FONT.otf", conflicts_with = "picture")]
    pub(crate) font: Option<PathBuf>,
    #[arg(long, default_value_t = 1095, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: u32,
    #[arg(long)]
    pub(crate) person: bool,
    #[arg(long)]
    pub(crate) digests: bool,
    #[arg(long)]
    pub(crate) v5: bool,
    #[arg(long, value_name = "SEAL.esl")]
    pub(crate) out: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "OUT.png")]
    pub(crate) picture: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}
