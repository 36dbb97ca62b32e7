//! The binary `changbai`: starts a node, hands evidence to it, and verifies bundles offline.
//!
//! It does not decide anything about evidence: records, ids and checks belong to `changbai-core`, verdicts to
//! `changbai-receipt`, and all wiring of a node to `changbai-node`.
//!
//! One module per command; `client` is the only module that speaks to a running node, `output` the only one
//! that writes to standard output, and `messages` holds every sentence a person reads, in both languages.
//!
//! **Invariants**
//! - Exit codes: 0 success, 1 failure, 2 wrong usage; `verify`: 0 verified, 1 not verified, 2 could not be checked.
//! - Standard output carries results only; progress, logs and errors go to standard error.
//! - Files of any size are read as streams; memory does not grow with them.
//! - `verify` and `sm3` open no socket.
//!
//! ```text
//! changbai up
//! changbai evidence submit deed.pdf --bundle deed.zip
//! changbai verify deed.zip deed.pdf --trust changbai-data/trust.pem
//! ```

mod archive;
mod args;
mod channel;
mod client;
mod clock;
mod court;
mod custody;
mod directory;
mod error;
mod evidence;
mod health;
mod help;
mod lang;
mod limits;
mod logging;
mod media;
mod messages;
mod monitor;
mod network;
mod output;
mod pki;
mod progress;
mod refusal;
mod run;
mod seal;
mod sm3;
mod stream;
mod time;
mod time_stamp;
mod tls;
mod up;
mod verify;
mod witness;

fn main() -> std::process::ExitCode {
    run::run(std::env::args_os().collect())
}
