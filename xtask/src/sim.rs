//! `cargo xtask sim`: networks from seeds, and mistakes that they must find.

use std::path::Path;

/// Plays seeds; with `--mutations`, checks that mistakes on purpose are found.
pub(crate) fn run(root: &Path, words: &[&str]) -> Result<(), String> {
    if words == ["--mutations"] {
        let test = ["test", "--release", "-p", "changbai-sim", "--features", "mutations"];
        return crate::cargo(
            root,
            &[&test, ["--", "--nocapture", "mutations"].as_slice()].concat(),
            &[],
        );
    }
    let run = ["run", "--quiet", "--release", "-p", "changbai-sim", "--"];
    // Without a wish: for a night.
    let words = if words.is_empty() { &["--seeds", "100000"] } else { words };
    crate::cargo(root, &[&run, words].concat(), &[])
}
