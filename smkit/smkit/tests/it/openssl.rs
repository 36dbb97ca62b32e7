//! OpenSSL 3: its library through a small C program, and its command line for key files, a process a case.

use std::{path::Path, process::Command};

use smkit::{
    OsRandom, Random as _,
    sm2::{PrivateKey, PublicKey, Signature, SignerId, SigningKey},
    sm3_many,
};

use crate::{
    cases::{Cases, Plan},
    peer::{self, find, say},
};

const DISTID: &str = "distid:1234567812345678";
const DIGESTS: usize = 1_000;
const SIGNATURES: usize = 60;
const KEYS: usize = 20;

fn run(program: &Path, dir: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).current_dir(dir).args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn agrees() {
    let Some(program) = peer::compiled("openssl_peer.c", "-lcrypto", "libssl-dev") else { return };
    let cases = Cases::new("openssl", &Plan::OPENSSL);
    peer::ask("OpenSSL", &[program.path()], &cases);
}

#[test]
fn digests_agree() {
    let Some(program) = find("openssl") else { return };
    let dir = tempfile::tempdir().unwrap();
    let messages: Vec<Vec<u8>> = (0..DIGESTS)
        .map(|length| {
            let mut message = vec![0; length];
            OsRandom.fill(&mut message).unwrap();
            message
        })
        .collect();
    let names: Vec<String> = (0..DIGESTS).map(|number| number.to_string()).collect();
    for (name, message) in names.iter().zip(&messages) {
        std::fs::write(dir.path().join(name), message).unwrap();
    }
    let mut arguments = vec!["dgst", "-sm3", "-r"];
    arguments.extend(names.iter().map(String::as_str));
    let (success, out) = run(&program, dir.path(), &arguments);
    assert!(success, "{out}");
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let ours: Vec<String> = sm3_many(&messages).iter().map(ToString::to_string).collect();
    let theirs: Vec<&str> = out.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ours, theirs);
    say(&format!("OpenSSL: {DIGESTS} digests agree"));
}

#[test]
fn signatures_agree_both_ways() {
    let Some(program) = find("openssl") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for length in 0..SIGNATURES {
        let private = PrivateKey::generate(&mut OsRandom).unwrap();
        std::fs::write(path("key.pem"), private.to_pkcs8_pem().unwrap().as_bytes()).unwrap();
        let key = SigningKey::new(private, SignerId::DEFAULT).unwrap();
        let message = vec![0x5a; length];
        std::fs::write(path("message"), &message).unwrap();

        let signing =
            ["dgst", "-sm3", "-sign", "key.pem", "-sigopt", DISTID, "-out", "theirs", "message"];
        assert!(run(&program, dir.path(), &signing).0, "OpenSSL signs");
        let theirs = Signature::from_der(&std::fs::read(path("theirs")).unwrap()).unwrap();
        assert_eq!(key.verifying_key().verify(&message, &theirs), Ok(()));

        let verifying = [
            "dgst",
            "-sm3",
            "-prverify",
            "key.pem",
            "-sigopt",
            DISTID,
            "-signature",
            "ours",
            "message",
        ];
        std::fs::write(path("ours"), key.sign(&message).to_der()).unwrap();
        assert!(run(&program, dir.path(), &verifying).0, "OpenSSL accepts ours");
        std::fs::write(path("ours"), key.sign(b"another").to_der()).unwrap();
        assert!(!run(&program, dir.path(), &verifying).0, "OpenSSL refuses another's");
    }
    say(&format!("OpenSSL: {} signatures agree", 3 * SIGNATURES));
}

/// SEC1 and compressed keys, read and written by both.
#[test]
fn key_files_agree_both_ways() {
    let Some(program) = find("openssl") else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    for _ in 0..KEYS {
        let private = PrivateKey::generate(&mut OsRandom).unwrap();
        std::fs::write(path("ours.der"), private.to_sec1_der().as_slice()).unwrap();
        let command = ["ec", "-inform", "DER", "-in", "ours.der", "-outform", "DER"];
        let (success, _) =
            run(&program, dir.path(), &[&command[..], &["-out", "theirs.der"]].concat());
        assert!(success, "OpenSSL reads our ECPrivateKey");
        let theirs = PrivateKey::from_sec1_der(&read("theirs.der")).unwrap();
        assert_eq!(theirs.to_bytes(), private.to_bytes());

        let public = ["-pubout", "-conv_form", "compressed", "-out", "public.der"];
        assert!(run(&program, dir.path(), &[&command[..], &public].concat()).0);
        let spki = read("public.der");
        let compressed = &spki[spki.len() - 33..];
        assert_eq!(compressed, private.public_key().to_compressed());
        assert_eq!(PublicKey::from_compressed(compressed).as_ref(), Ok(private.public_key()));
    }
    say(&format!("OpenSSL: {} keys agree", 2 * KEYS));
}
