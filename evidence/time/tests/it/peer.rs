//! Saying clearly that a peer was not run.

use std::path::PathBuf;

/// Prints the skip with its reason, or fails when peers are required.
pub(crate) fn skip(reason: &str) {
    let required = std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "peer required by CHANGBAI_REQUIRE_PEERS: {reason}");
    let _ = std::io::Write::write_all(
        &mut std::io::stderr(),
        format!("skipped: {reason}\n").as_bytes(),
    );
}

/// A program on PATH or where system programs lie; prints the skip when it is missing.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let found = std::env::split_paths(&path)
        .chain(system)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file());
    if found.is_none() {
        skip(&format!("{program} not found"));
    }
    found
}
