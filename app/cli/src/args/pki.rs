//! `changbai pki` and `changbai tls`, as data.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Pki {
    InitCa(InitCa),
    Issue(Issue),
    Csr(Csr),
    SignCsr(SignCsr),
    Install(Install),
    Revoke(Revoke),
    Crl(Crl),
    Serve(Serve),
    Show(Show),
    Verify(Verify),
}

impl Pki {
    pub(crate) fn wants_json(&self) -> bool {
        match self {
            Self::InitCa(args) => args.common.json,
            Self::Issue(args) => args.common.json,
            Self::Csr(args) => args.json,
            Self::SignCsr(args) => args.common.json,
            Self::Install(args) => args.json,
            Self::Revoke(args) => args.common.json,
            Self::Crl(args) => args.common.json,
            Self::Serve(_) => false,
            Self::Show(args) => args.json,
            Self::Verify(args) => args.json,
        }
    }
}

/// What every command that works on an authority takes.
#[derive(Debug, Args)]
pub(crate) struct Common {
    #[arg(long, value_name = "DIR")]
    pub(crate) ca: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InitCa {
    #[command(flatten)]
    pub(crate) common: Common,
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: String,
    #[arg(long, default_value_t = 7300, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(crate) days: u32,
    #[arg(long, value_name = "DIR")]
    pub(crate) below: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "below")]
    pub(crate) below_passphrase_file: Option<PathBuf>,
}

/// What kinds of certificates are issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Signing,
    Server,
    Client,
    Node,
    Operator,
    Tsa,
    Seal,
    Ocsp,
}

#[derive(Debug, Args)]
pub(crate) struct Issue {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) terms: Terms,
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: String,
    #[arg(long, value_name = "PREFIX")]
    pub(crate) out: PathBuf,
}

/// What an issued certificate says beside name and key.
#[derive(Debug, Args)]
pub(crate) struct Terms {
    #[arg(long, value_enum)]
    pub(crate) profile: Kind,
    #[arg(long)]
    pub(crate) pair: bool,
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
    #[arg(long, default_value_t = 8760, value_parser = clap::value_parser!(u32).range(1..=876_000))]
    pub(crate) hours: u32,
    #[arg(long, value_name = "CODE")]
    pub(crate) organisation_code: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Csr {
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: String,
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
    #[arg(long, value_name = "PREFIX")]
    pub(crate) out: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SignCsr {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) terms: Terms,
    #[arg(value_name = "CSR")]
    pub(crate) request: PathBuf,
    #[arg(long, value_name = "PREFIX")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    #[arg(value_name = "ANSWER")]
    pub(crate) answer: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    #[arg(long, value_name = "ROOT.pem")]
    pub(crate) trust: PathBuf,
    #[arg(long, value_name = "PREFIX")]
    pub(crate) out: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    pub(crate) common: Common,
    #[arg(value_name = "SERIAL")]
    pub(crate) serial: String,
    #[arg(long, value_name = "REASON", default_value = "unspecified")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Crl {
    #[command(flatten)]
    pub(crate) common: Common,
    #[arg(long, default_value_t = 168, value_parser = clap::value_parser!(u32).range(1..=8_760))]
    pub(crate) hours: u32,
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) common: Common,
    #[arg(long, value_name = "ADDR", default_value = "gmtls://127.0.0.1:8444")]
    pub(crate) listen: Vec<String>,
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
    #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=8_760))]
    pub(crate) hours: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a certificate is checked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Use {
    Signing,
    Server,
    Client,
    Encryption,
    Tsa,
    Seal,
    Ocsp,
    Ca,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[arg(value_name = "CHAIN.pem")]
    pub(crate) chain: PathBuf,
    #[arg(long, value_name = "ROOT.pem")]
    pub(crate) trust: PathBuf,
    #[arg(long, value_enum, default_value = "signing")]
    pub(crate) purpose: Use,
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
    #[arg(long, value_name = "RULE")]
    pub(crate) rule: Option<String>,
    #[arg(long, value_name = "CA.pem")]
    pub(crate) issuer: Option<PathBuf>,
    #[arg(long = "crl", value_name = "FILE")]
    pub(crate) lists: Vec<PathBuf>,
    #[arg(long, value_name = "UNIX_SECONDS")]
    pub(crate) at: Option<i64>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tls {
    Probe(Probe),
}

#[derive(Debug, Args)]
pub(crate) struct Probe {
    #[arg(value_name = "HOST:PORT")]
    pub(crate) address: String,
    #[arg(long, value_name = "ROOT.pem")]
    pub(crate) trust: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "enc_key")]
    pub(crate) enc_cert: Option<PathBuf>,
    #[arg(long, value_name = "FILE", requires = "enc_cert")]
    pub(crate) enc_key: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}
