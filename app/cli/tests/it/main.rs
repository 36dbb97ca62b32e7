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
