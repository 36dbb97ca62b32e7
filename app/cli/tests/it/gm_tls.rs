//! GM TLS and certificates from outside: mutual authentication, refusals with their reasons, authorities, probes.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{node::Node, run};

fn json(dir: &Path, args: &[&str]) -> (i32, Value) {
    let args = [args, &["--json", "--lang", "en"]].concat();
    let (code, stdout, stderr) = run(dir, &args);
    let printed = if stdout.is_empty() { &stderr } else { &stdout };
    (code, serde_json::from_str(printed).unwrap_or_else(|e| panic!("{args:?}: {e}: {printed}")))
}

/// Issues a client certificate of the node's own authority and puts it in the operator's place.
fn become_operator(dir: &Path, data: &str, ca: &str, subject: &str, out: &str) {
    let args = ["pki", "issue", "--ca", ca, "--profile", "client", "--subject", subject];
    let (code, issued) = json(dir, &[&args[..], &["--out", out]].concat());
    assert_eq!(code, 0, "{issued}");
    for (from, to) in [("key.pem", "operator.key.pem"), ("cert.pem", "operator.cert.pem")] {
        let from = dir.join(format!("{out}.{from}"));
        fs::copy(from, dir.join(data).join("identity").join(to)).unwrap();
    }
}

#[test]
fn the_command_line_speaks_mutual_gm_tls_and_refusals_have_reasons() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let node = Node::start(&dir.join("data"));
    let in_data = |args: &[&str]| json(dir, &[args, &["--dir", "data"]].concat());

    // Only GM TLS is left: what answers now came over it.
    let file = dir.join("data/node.json");
    let mut running: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let listen = running["listen"].as_array_mut().unwrap();
    let gm_tls = listen.pop().unwrap();
    assert!(gm_tls.as_str().unwrap().starts_with("gmtls://"), "{gm_tls}");
    *listen = vec![gm_tls.clone()];
    fs::write(&file, running.to_string()).unwrap();
    assert_eq!(in_data(&["health"]).0, 0);
    fs::write(dir.join("deed.txt"), "a deed").unwrap();
    let (code, answer) = in_data(&["evidence", "submit", "deed.txt"]);
    assert_eq!(code, 0, "{answer}");

    // The same authority, but no unit that gives a role: refused in the handshake, and we are told why.
    let ca = "data/identity/ca";
    become_operator(dir, "data", ca, "O=示例机关,OU=visitors,CN=guest", "guest");
    let (code, refused) = in_data(&["health"]);
    assert_eq!(code, 1);
    let error = refused["error"].as_str().unwrap();
    assert!(error.contains("not admitted") && error.contains("alert 49"), "{error}");

    // An authority that nobody here trusts.
    let args = ["pki", "init-ca", "--ca", "strange", "--subject", "O=stranger,CN=root"];
    assert_eq!(json(dir, &args).0, 0);
    become_operator(dir, "data", "strange", "O=stranger,OU=client,CN=x", "stranger");
    let error = in_data(&["health"]).1;
    assert!(error["error"].as_str().unwrap().contains("alert 48"), "{error}");

    // And a clerk that the node's own authority certifies comes in.
    become_operator(dir, "data", ca, "O=示例机关,OU=client,CN=clerk", "clerk");
    assert_eq!(in_data(&["health"]).0, 0);

    // The other way round: a server below another root is refused with its code.
    fs::copy(dir.join("strange/ca.cert.pem"), dir.join("data/identity/tls-ca/ca.cert.pem"))
        .unwrap();
    let error = in_data(&["health"]).1;
    let error = error["error"].as_str().unwrap();
    assert!(error.contains("not trusted") && error.contains("PK-1101"), "{error}");
    drop(node);
}

#[test]
fn a_probe_shows_protocols_and_chain() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let node = Node::start(&dir.join("data"));
    let file = fs::read(dir.join("data/node.json")).unwrap();
    let running: Value = serde_json::from_slice(&file).unwrap();
    let address = running["listen"][1].as_str().unwrap().strip_prefix("gmtls://").unwrap();
    let issue = ["pki", "issue", "--ca", "data/identity/ca", "--profile", "client", "--pair"];
    let subject = ["--subject", "O=示例机关,OU=client,CN=probe", "--out", "probe"];
    assert_eq!(json(dir, &[&issue[..], &subject[..]].concat()).0, 0);
    let own = ["--cert", "probe.cert.pem", "--key", "probe.key.pem"];
    let own = [&own[..], &["--enc-cert", "probe.enc.cert.pem", "--enc-key", "probe.enc.key.pem"]];
    let own = own.concat();
    let trust = ["--trust", "data/identity/tls-ca/ca.cert.pem"];
    let args = [&["tls", "probe", address], &own[..], &trust[..]].concat();
    let (code, probed) = json(dir, &args);
    assert_eq!(code, 0, "{probed}");
    assert_eq!(probed[0]["protocol"], "TLS 1.3");
    assert_eq!(probed[0]["suite"], "0x00C6 TLS_SM4_GCM_SM3");
    assert_eq!(probed[1]["protocol"], "TLCP");
    assert_eq!(probed[1]["suite"], "0xE051 ECDHE_SM4_GCM_SM3");
    for protocol in [0, 1] {
        assert_eq!(probed[protocol]["judged"]["verified"], true, "{probed}");
        assert_eq!(probed[protocol]["failure"], Value::Null, "{probed}");
    }
    // Without a certificate the server tells us so, and the chain is shown all the same.
    let (code, bare) = json(dir, &["tls", "probe", address]);
    assert_eq!(code, 1, "{bare}");
    assert!(bare[0]["failure"].as_str().unwrap().contains("116"), "{bare}");
    assert!(!bare[0]["certificates"].as_array().unwrap().is_empty());
    drop(node);
    let (code, gone) = json(dir, &["tls", "probe", "127.0.0.1:1"]);
    assert_eq!(code, 1);
    assert!(gone[0]["failure"].is_string());
}

#[test]
fn an_authority_issues_revokes_and_answers_requests() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    fs::write(dir.join("secret"), "correct horse\n").unwrap();
    let secret = ["--passphrase-file", "secret"];
    let root = ["pki", "init-ca", "--ca", "root", "--subject", "C=CN,O=CCG,CN=城市根证书"];
    assert_eq!(json(dir, &[&root[..], &secret[..]].concat()).0, 0);
    let below = ["pki", "init-ca", "--ca", "sub", "--subject", "C=CN,O=CCG,CN=子机构"];
    let above = ["--below", "root", "--below-passphrase-file", "secret"];
    assert_eq!(json(dir, &[&below[..], &above[..]].concat()).0, 0);

    // A request made elsewhere, answered with a pair, and installed where its key is.
    let csr = ["pki", "csr", "--subject", "O=CCG,OU=NDRC,CN=node-1", "--host", "localhost"];
    assert_eq!(json(dir, &[&csr[..], &["--out", "n/node"]].concat()).0, 0);
    let sign = ["pki", "sign-csr", "n/node.csr.pem", "--ca", "sub", "--profile", "node", "--pair"];
    let (code, signed) = json(dir, &[&sign[..], &["--out", "answers/node"]].concat());
    assert_eq!(code, 0, "{signed}");
    let install = ["pki", "install", "answers/node.answer.der", "--key", "n/node.key.pem"];
    let rest = ["--trust", "root/ca.cert.pem", "--out", "n/node"];
    let (code, installed) = json(dir, &[&install[..], &rest[..]].concat());
    assert_eq!(code, 0, "{installed}");
    assert!(dir.join("n/node.enc.key.pem").exists());

    let verify = |extra: &[&str]| {
        let args = ["pki", "verify", "n/node.cert.pem", "--trust", "root/ca.cert.pem"];
        json(dir, &[&args[..], &["--purpose", "server", "--host", "localhost"], extra].concat())
    };
    assert_eq!(verify(&["--rule", "OU=NDRC,O=CCG"]).0, 0);
    let (code, wrong_unit) = verify(&["--rule", "OU=HRSS,O=CCG"]);
    assert_eq!((code, &wrong_unit["verified"]), (1, &Value::Bool(false)));
    assert!(wrong_unit["code"].as_str().unwrap().starts_with("PK-18"), "{wrong_unit}");
    let (code, elsewhere) = json(
        dir,
        &[
            "pki",
            "verify",
            "n/node.cert.pem",
            "--trust",
            "root/ca.cert.pem",
            "--purpose",
            "server",
            "--host",
            "portal.example",
        ],
    );
    assert_eq!(code, 1);
    assert!(elsewhere["code"].as_str().unwrap().starts_with("PK-17"), "{elsewhere}");

    // Revoked: named by the list of the authority that issued it.
    let serial = signed["signing"]["serial"].as_str().unwrap();
    let lists = |dir: &Path| {
        let sub = ["pki", "crl", "--ca", "sub", "--out", "sub.crl.pem"];
        assert_eq!(json(dir, &sub).0, 0);
        let root = ["pki", "crl", "--ca", "root", "--out", "root.crl.pem"];
        assert_eq!(json(dir, &[&root[..], &secret[..]].concat()).0, 0);
    };
    lists(dir);
    let both = ["--crl", "sub.crl.pem", "--crl", "root.crl.pem"];
    assert_eq!(verify(&both).0, 0);
    let revoke = ["pki", "revoke", serial, "--ca", "sub", "--reason", "keyCompromise"];
    assert_eq!(json(dir, &revoke).0, 0);
    lists(dir);
    let (code, revoked) = verify(&both);
    assert_eq!(code, 1);
    assert!(revoked["code"].as_str().unwrap().starts_with("PK-16"), "{revoked}");
    let (_, shown) = json(dir, &["pki", "show", "sub.crl.pem"]);
    assert_eq!(shown[0]["entries"][0]["serial"], serial);

    // A key is never overwritten, a wrong passphrase opens nothing, an unknown serial number is said.
    assert_eq!(json(dir, &[&csr[..], &["--out", "n/node"]].concat()).0, 1);
    assert_eq!(json(dir, &["pki", "crl", "--ca", "root", "--out", "x"]).0, 1);
    assert_eq!(json(dir, &["pki", "revoke", "01ff", "--ca", "sub"]).0, 1);
}
