//! Running another implementation, or saying clearly that it was not run.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::cases::Cases;

/// Prints the skip with its reason, or fails when peers are required.
pub(crate) fn skip(reason: &str) {
    let required = std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "peer required by CHANGBAI_REQUIRE_PEERS: {reason}");
    say(&format!("skipped: {reason}"));
}

/// A line on standard error.
pub(crate) fn say(line: &str) {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes());
}

/// A program on PATH; prints the skip when it is missing.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file());
    if found.is_none() {
        skip(&format!("{program} not found"));
    }
    found
}

/// A file beside the tests' peers.
pub(crate) fn source(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// A program of a C file beside the tests' peers; prints the skip when it cannot be built.
pub(crate) fn compiled(file: &str, library: &str, package: &str) -> Option<Program> {
    let compiler = find("cc")?;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("peer");
    let built = Command::new(compiler)
        .args(["-O2".as_ref(), "-o".as_ref(), path.as_os_str()])
        .args([source(file).as_os_str(), library.as_ref()])
        .output()
        .unwrap();
    if built.status.success() {
        return Some(Program { path, _dir: dir });
    }
    skip(&format!("{file} does not compile (Debian: {package})"));
    None
}

/// A program in a folder that goes when this does.
pub(crate) struct Program {
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl Program {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Hands all requests to a program as one file and checks its answers, one a line.
pub(crate) fn ask<S: AsRef<OsStr>>(name: &str, program: &[S], cases: &Cases) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cases");
    std::fs::write(&file, cases.requests()).unwrap();
    let output =
        Command::new(&program[0]).args(&program[1..]).arg(&file).output().expect("the peer starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {err}");
    let answers = String::from_utf8(output.stdout).unwrap();
    cases.check(name, &answers.lines().collect::<Vec<_>>());
}
