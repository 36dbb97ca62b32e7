//! Independent programs. One that is missing is a printed skip, or a failure with `CHANGBAI_REQUIRE_PEERS=1`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Output of a program that succeeds; `None`, and a printed reason, if it is not installed.
pub(crate) fn run(program: &str, args: &[&str], for_what: &str) -> Option<String> {
    match Command::new(program).args(args).output() {
        Ok(output) => {
            let (out, error) = (text(&output.stdout), text(&output.stderr));
            assert!(output.status.success(), "{program}: {out}{error}");
            Some(out)
        }
        Err(error) => {
            missing(program, &error, for_what);
            None
        }
    }
}

/// What a program says, whatever its exit code; `None`, and a printed reason, if it is not installed.
pub(crate) fn said(program: &str, args: &[&str], for_what: &str) -> Option<String> {
    match Command::new(program).args(args).output() {
        Ok(output) => Some(text(&output.stdout) + &text(&output.stderr)),
        Err(error) => {
            missing(program, &error, for_what);
            None
        }
    }
}

/// OpenSSL, which reads SM2 from 3.0 on.
pub(crate) fn openssl(args: &[&str]) -> Option<String> {
    said("openssl", args, "the signature is not verified by another implementation")
}

fn missing(program: &str, error: &std::io::Error, for_what: &str) {
    let required = std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|v| v == "1");
    assert!(!required, "{program} is required: {error}");
    let said = format!("skipped: {program} is not to be had ({error}), so {for_what}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
}

/// Python with the packages of the peers' environment, as `.ci/run` makes it.
pub(crate) fn python() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let venv = root.join("target/peers/venv/bin/python");
    venv.display().to_string()
}

/// A reader of OFD by ofd-core, as `cargo xtask peers` builds it.
pub(crate) fn ofd_core() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("target/peers/ofd/ofd").display().to_string()
}

/// Where samples for the readers are written.
pub(crate) fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
