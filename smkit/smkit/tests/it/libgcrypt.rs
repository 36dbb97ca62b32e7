//! libgcrypt, through a small C program.

use std::process::Command;

use crate::{
    cases::{Cases, Plan},
    peer,
};

#[test]
fn agrees() {
    let Some(compiler) = peer::find("cc") else { return };
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("gcrypt");
    let built = Command::new(compiler)
        .arg("-O2")
        .arg("-o")
        .args([program.as_os_str(), peer::source("gcrypt.c").as_os_str(), "-lgcrypt".as_ref()])
        .output()
        .unwrap();
    if !built.status.success() {
        return peer::skip("gcrypt.c does not compile (Debian: libgcrypt20-dev)");
    }
    let cases = Cases::new("libgcrypt", &Plan::LIBGCRYPT);
    peer::ask("libgcrypt", &[program.as_os_str(), "cases".as_ref()], &cases);
}
