//! Running another implementation, or saying clearly that it was not run.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

/// Whether a skip is a failure: set `CHANGBAI_REQUIRE_PEERS=1` where every peer must be present.
fn required() -> bool {
    std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|value| value == "1")
}

/// Prints the skip with its reason, or fails when peers are required.
pub(crate) fn skip(reason: &str) {
    assert!(!required(), "peer required by CHANGBAI_REQUIRE_PEERS: {reason}");
    let line = format!("skipped: {reason}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

/// A program on PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// What a program said: success, standard output, standard error.
pub(crate) struct Said {
    pub(crate) success: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn run<I, S>(program: &Path, folder: &Path, arguments: I) -> Said
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let output = Command::new(program).current_dir(folder).args(arguments).output().unwrap();
    Said {
        success: output.status.success(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
