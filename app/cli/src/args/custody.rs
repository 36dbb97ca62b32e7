//! `changbai custody`, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Custody {
    Audit(Audit),
    Show(Show),
    Log(Log),
    Admit(Admit),
    Retain(Retain),
    Erase(Erase),
    Remove(Remove),
    OpenLegacy(OpenLegacy),
}

impl Custody {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::Audit(args) => args.json,
            Self::Show(args) => args.json,
            Self::Log(args) => args.json,
            _ => false,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[arg(long, conflicts_with = "unrecorded")]
    pub(crate) now: bool,
    #[arg(long)]
    pub(crate) unrecorded: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[arg(value_name = "SM3|ID")]
    pub(crate) original: String,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Log {
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) lines: usize,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Admit {
    #[arg(value_name = "SM3|ID")]
    pub(crate) original: String,
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    #[arg(long, value_name = "CERT.pem")]
    pub(crate) certificate: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Retain {
    #[arg(value_name = "SM3|ID")]
    pub(crate) original: String,
    #[arg(long, value_name = "DATE")]
    pub(crate) until: String,
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    #[arg(value_name = "SM3|ID")]
    pub(crate) original: String,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    #[arg(long)]
    pub(crate) by_order: bool,
    #[arg(long, value_name = "SM3")]
    pub(crate) record_sm3: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    #[arg(value_name = "SM3")]
    pub(crate) original: String,
}

#[derive(Debug, Args)]
pub(crate) struct OpenLegacy {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: PathBuf,
    #[arg(long, value_name = "SM3")]
    pub(crate) sm3: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}
