//! GmSSL, through the wheel `gmssl-pyx` in a virtual environment.
//!
//! `CHANGBAI_GMSSL_PYTHON` names the interpreter; without it, the one that `.ci/run` makes under `target/peers`.

use std::path::PathBuf;

use crate::{
    cases::{Cases, Plan},
    peer,
};

#[test]
fn agrees() {
    let python = std::env::var_os("CHANGBAI_GMSSL_PYTHON").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/venv/bin/python"),
        PathBuf::from,
    );
    if !python.is_file() {
        return peer::skip("gmssl-pyx not installed (see .ci/run)");
    }
    let cases = Cases::new("gmssl", &Plan::GMSSL);
    peer::ask("GmSSL", &[python, peer::source("gmssl_peer.py")], &cases);
}
