//! `changbai court` and `changbai directory`, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Court {
    Query(CourtQuery),
    List(CourtList),
}

#[derive(Debug, Args)]
pub(crate) struct CourtQuery {
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    #[arg(long, value_name = "ID", required_unless_present = "digest", conflicts_with = "digest")]
    pub(crate) evidence: Vec<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) digest: Option<PathBuf>,
    #[arg(long, value_name = "PURPOSE", default_value = "trial",
          value_parser = ["filing", "trial", "enforcement", "review"])]
    pub(crate) purpose: String,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CourtList {
    #[arg(value_name = "CASE")]
    pub(crate) case: String,
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Directory {
    Admit(Admit),
    List(DirectoryList),
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Admit {
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DirectoryList {
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    #[arg(long)]
    pub(crate) json: bool,
}

impl Court {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Query(args) => args.json,
            Self::List(args) => args.json,
        }
    }
}

impl Directory {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Admit(args) => args.json,
            Self::List(args) => args.json,
            Self::Show(args) => args.json,
        }
    }
}
