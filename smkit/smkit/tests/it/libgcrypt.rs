//! libgcrypt, through a small C program.

use crate::{
    cases::{Cases, Plan},
    peer,
};

#[test]
fn agrees() {
    let Some(program) = peer::compiled("gcrypt.c", "-lgcrypt", "libgcrypt20-dev") else { return };
    let cases = Cases::new("libgcrypt", &Plan::LIBGCRYPT);
    peer::ask("libgcrypt", &[program.path().as_os_str(), "cases".as_ref()], &cases);
}
