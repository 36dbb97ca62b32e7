//! `changbai time stamp` and `time verify` against a node's authority, and against BouncyCastle's.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::{
    chronyd::{find, skip},
    node::Node,
    run,
};

const JARS: [&str; 3] =
    ["/usr/share/java/bcprov.jar", "/usr/share/java/bcpkix.jar", "/usr/share/java/bcutil.jar"];

fn json(dir: &Path, args: &[&str]) -> (i32, Value) {
    let (code, stdout, stderr) = run(dir, &[args, &["--json", "--lang", "en"]].concat());
    let said = if stdout.is_empty() { &stderr } else { &stdout };
    (code, serde_json::from_str(said).unwrap_or_else(|e| panic!("{args:?}: {e}: {stdout}{stderr}")))
}

/// Where a node answers over GM TLS.
fn protected(node: &Node) -> String {
    let running = fs::read_to_string(node.dir.join("node.json")).unwrap();
    let running: Value = serde_json::from_str(&running).unwrap();
    running["listen"][1].as_str().unwrap().to_owned()
}

#[test]
fn a_file_is_stamped_and_verified() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let data = dir.join("data");
    fs::create_dir_all(&data).unwrap();
    let anonymous = "[tls]\nclient_auth_required = false\n";
    fs::write(data.join("changbai.toml"), anonymous).unwrap();
    let node = Node::start(&data);
    fs::write(dir.join("deed.txt"), b"a deed").unwrap();
    fs::write(dir.join("other.txt"), b"another deed").unwrap();

    let url = format!("http://{}/tsa", node.address);
    let trust = ["--trust", "data/trust.pem"];
    let stamp = ["time", "stamp", "deed.txt", "--tsa", &url, "--out", "deed.tsr"];
    let (code, found) = json(dir, &[&stamp[..], &trust].concat());
    assert_eq!((code, &found["verified"]), (0, &true.into()), "{found}");
    assert_eq!(found["sm3"], smkit::sm3(b"a deed").to_string());
    assert_eq!(found["accuracy_us"], Value::Null, "nobody bounds this clock");
    assert!(found["authority"].as_str().unwrap().contains("tsa-0"), "{found}");

    let verify = |file: &str, token: &str, trust: &str| {
        json(dir, &["time", "verify", file, token, "--trust", trust])
    };
    let (code, again) = verify("deed.txt", "deed.tsr", "data/trust.pem");
    assert_eq!((code, &again["serial"]), (0, &found["serial"]), "{again}");
    let (code, other) = verify("other.txt", "deed.tsr", "data/trust.pem");
    assert_eq!((code, &other["verified"]), (1, &false.into()));
    assert!(other["code"].as_str().unwrap().starts_with("PK-"), "{other}");
    let tls_root = "data/identity/tls-ca/ca.cert.pem";
    assert_eq!(verify("deed.txt", "deed.tsr", tls_root).0, 1, "another root");
    let mut bytes = fs::read(dir.join("deed.tsr")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(dir.join("bad.tsr"), bytes).unwrap();
    assert_eq!(verify("deed.txt", "bad.tsr", "data/trust.pem").0, 1);
    let (code, text, _) =
        run(dir, &["time", "verify", "deed.txt", "deed.tsr", "--trust", "data/trust.pem"]);
    assert!(code == 0 && text.contains("时间戳有效"), "{text}");

    // Over GM TLS, the server's root given apart.
    let url = format!("{}/tsa", protected(&node));
    let args = ["time", "check", "--chrony", "127.0.0.1:1", "--tsa", &url, "--tls-trust", tls_root];
    let (code, both) = json(dir, &[&args[..], &trust].concat());
    assert_eq!((code, &both["tsa"]["verified"]), (2, &true.into()), "{both}");
    let (code, both) = json(dir, &[&args[..6], &trust].concat());
    assert_eq!((code, &both["tsa"]["code"]), (2, &"TM-4002".into()), "{both}");

    let stamp = ["time", "stamp", "deed.txt", "--tsa", "https://127.0.0.1/", "--out", "x.tsr"];
    let (code, _, stderr) = run(dir, &[&stamp[..], &trust, &["--lang", "en"]].concat());
    assert!(code == 1 && stderr.contains("national"), "{stderr}");
    assert!(!dir.join("x.tsr").exists());
    assert_eq!(node.stop(), 0);
}

#[test]
fn settings_for_external_authorities_are_checked_at_the_start() {
    for (settings, complaint) in [
        ("tsa = [\"https://tsa.example/\"]\ntsa_trust = \"roots.pem\"", "national"),
        ("tsa = [\"tsa.example\"]\ntsa_trust = \"roots.pem\"", "time.tsa"),
        ("tsa = [\"http://tsa.example/\"]", "time.tsa_trust"),
        ("tsa = [\"own\", \"http://tsa.example/\"]\ntsa_trust = \"roots.pem\"", "roots.pem"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("changbai.toml"), format!("[time]\n{settings}\n")).unwrap();
        let refusal = Node::try_start(dir.path()).err().unwrap();
        assert!(refusal.contains(complaint), "{settings}: {refusal}");
    }
}

/// Java with BouncyCastle, and our program for it.
fn bouncy_castle(args: &[&str]) -> Option<Command> {
    if let Some(missing) = JARS.iter().find(|jar| !Path::new(jar).is_file()) {
        skip(&format!("{missing} not found (Debian: libbcpkix-java)"));
        return None;
    }
    let mut java = Command::new(find("java")?);
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bouncycastle/TimeStamps.java");
    java.args(["-cp", &JARS.join(":"), program]).args(args);
    Some(java)
}

#[test]
fn bouncy_castle_asks_our_authority_and_accepts_its_tokens() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path());
    let url = format!("http://{}/tsa", node.address);
    let identity = |name: &str| -> PathBuf { node.dir.join("identity").join(name) };
    let (root, tsa) = (identity("ca/ca.cert.pem"), identity("tsa.cert.pem"));
    let args = ["ask", &url, root.to_str().unwrap(), tsa.to_str().unwrap()];
    let policy = "1.3.6.1.4.1.32473.3161";
    let Some(mut java) = bouncy_castle(&[&args[..], &[policy]].concat()) else { return };
    let said = java.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success(), "{out}{err}");
    let lines: Vec<&str> = out.lines().collect();
    let [with, without, refused] = lines.as_slice() else { panic!("{out}{err}") };
    assert_eq!((*with, *without), ("valid, certificates: true", "valid, certificates: false"));
    assert!(refused.starts_with("refused"), "{refused}");
}

/// BouncyCastle as an authority; ends with its standard input.
struct Authority(Child);

impl Drop for Authority {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn tokens_of_bouncy_castle_are_accepted() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let Some(mut java) = bouncy_castle(&["serve", dir.to_str().unwrap()]) else { return };
    let child = java.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut authority = Authority(child);
    let mut port = String::new();
    BufReader::new(authority.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    fs::write(dir.join("deed.txt"), b"a deed").unwrap();
    let url = format!("http://127.0.0.1:{}/tsa", port.trim());
    let stamp = ["time", "stamp", "deed.txt", "--tsa", &url, "--out", "deed.tsr"];
    let (code, found) =
        json(dir, &[&stamp[..], &["--trust", "root.pem", "--policy", "1.2.156.3.4"]].concat());
    assert_eq!(code, 0, "{found}");
    assert_eq!((&found["accuracy_us"], &found["serial"]), (&8_000.into(), &"64".into()));
    assert_eq!(found["authority"], "CN=bc tsa");
    let verify = ["time", "verify", "deed.txt", "deed.tsr", "--trust", "root.pem"];
    assert_eq!(json(dir, &verify).0, 0);
    // Under whichever policy is asked for, and each with a serial number of its own.
    let (code, other) =
        json(dir, &[&stamp[..], &["--trust", "root.pem", "--policy", "1.2.3"]].concat());
    assert_eq!((code, &other["policy"], &other["serial"]), (0, &"1.2.3".into(), &"65".into()));
    let wrong = ["--trust", concat!(env!("CARGO_MANIFEST_DIR"), "/../../smkit/pki/testdata")];
    assert_eq!(run(dir, &[&stamp[..], &wrong].concat()).0, 1, "no file of roots");
}
