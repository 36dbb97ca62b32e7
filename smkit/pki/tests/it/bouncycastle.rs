//! BouncyCastle verifies our certificates and signatures.

mod seals;
mod structures;

use std::{
    fs,
    path::{Path, PathBuf},
};

use smkit::{
    OsRandom,
    sm2::{PrivateKey, SignerId, SigningKey},
};
use smkit_pki::{Authority, Profile, Subject, Validity};

use crate::peer;

const JARS: [&str; 3] =
    ["/usr/share/java/bcprov.jar", "/usr/share/java/bcpkix.jar", "/usr/share/java/bcutil.jar"];

fn java() -> Option<PathBuf> {
    if let Some(missing) = JARS.iter().find(|jar| !Path::new(jar).is_file()) {
        peer::skip(&format!("{missing} not found (Debian: libbcpkix-java)"));
        return None;
    }
    let java = peer::find("java");
    if java.is_none() {
        peer::skip("java not found");
    }
    java
}

#[test]
fn our_certificate_and_signature_verify() {
    let Some(java) = java() else { return };
    let folder = tempfile::TempDir::new().unwrap();
    let validity = Validity { not_before: 1_577_836_800, not_after: 2_500_000_000 };
    let name = |common_name: &str| Subject {
        organisation: "长春".into(),
        common_name: common_name.into(),
        ..Subject::default()
    };
    let root = Authority::create_root(&name("root"), validity, &mut OsRandom).unwrap();
    let private = PrivateKey::generate(&mut OsRandom).unwrap();
    let leaf = root
        .issue(&name("leaf"), private.public_key(), Profile::Signing, validity, None, &mut OsRandom)
        .unwrap();
    let key = SigningKey::new(private, SignerId::DEFAULT).unwrap();
    let signature = hex::encode(key.sign(b"message").to_der());
    fs::write(folder.path().join("root.pem"), root.certificate().to_pem()).unwrap();
    fs::write(folder.path().join("leaf.pem"), leaf.to_pem()).unwrap();

    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bouncycastle/Verify.java");
    let class_path = JARS.join(":");
    let verify = |message: &str| {
        let arguments = ["-cp", &class_path, program, message, &signature, "leaf.pem", "root.pem"];
        peer::run(&java, folder.path(), arguments)
    };
    let good = verify("message");
    assert!(good.success, "{}{}", good.out, good.err);
    assert_eq!(good.out.trim(), "valid");
    let bad = verify("massage");
    assert_eq!((bad.success, bad.out.trim()), (false, "invalid"), "{}", bad.err);
}
