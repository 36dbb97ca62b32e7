//! BouncyCastle, one Java process over all cases.

use crate::{
    cases::{Cases, Plan},
    peer,
};

const JAR: &str = "/usr/share/java/bcprov.jar";

#[test]
fn agrees() {
    if !std::path::Path::new(JAR).is_file() {
        return peer::skip(&format!("{JAR} not found (Debian: libbcprov-java)"));
    }
    let Some(java) = peer::find("java") else { return };
    let source = peer::source("Peer.java");
    let cases = Cases::new("bouncycastle", &Plan::BOUNCYCASTLE);
    peer::ask(
        "BouncyCastle",
        &[java.as_os_str(), "-cp".as_ref(), JAR.as_ref(), source.as_ref()],
        &cases,
    );
}
