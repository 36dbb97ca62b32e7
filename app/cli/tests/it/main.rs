//! The built binary from outside: exit codes, streams, languages; and real nodes as child processes that are killed,
//! damaged and toured.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod archive;
mod batch;
mod chronyd;
mod client;
mod consortium;
mod custody;
mod damage;
mod faults;
mod gm_tls;
mod kill;
mod network;
mod node;
mod offline;
mod operations;
mod seals;
mod time_tokens;
mod tour;
mod transparency;
mod trusted_time;
mod usage;

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use changbai_certificate::{Grounds, verify_bundle_reader};
use changbai_node::LocalClock;
use changbai_receipt::{HashedOriginal, Report, Trust};
use changbai_wire::time::Clock as _;

/// The binary with a clean environment, in `dir`.
pub(crate) fn changbai(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_changbai"));
    command.args(args).current_dir(dir).env_clear().stdin(Stdio::null());
    command
}

/// Runs it and gives exit code, standard output and standard error.
pub(crate) fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    outcome(changbai(dir, args).output().unwrap())
}

pub(crate) fn outcome(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What `changbai verify` says of a bundle, its certificate documents included.
pub(crate) fn judge(bundle: &[u8], originals: &[HashedOriginal], trust: &Trust) -> Report {
    let now_unix_seconds = LocalClock.now().at.seconds();
    let grounds = Grounds { trust: Some(trust), now_unix_seconds, lists: &[], originals };
    verify_bundle_reader(&mut &*bundle, &grounds)
}
