//! Commands that need a node, without one, and against a listener that plays one.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    thread,
};

use changbai_api::signature::content_digest_value;
use smkit::{OsRandom, sm2::PrivateKey, sm3};
use smkit_pki::{Authority, Profile, Subject, Validity};

use crate::run;

const ID: &str = "CC22010011220100MB9999999R2026112200000000012ZU";

#[test]
fn without_a_node_the_next_step_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), "abc").unwrap();
    for args in [
        &["health"][..],
        &["evidence", "submit", "a.txt"],
        &["evidence", "get", ID],
        &["evidence", "list"],
        &["evidence", "bundle", ID],
    ] {
        let args = [args, &["--dir", "./d"]].concat();
        let (code, stdout, stderr) = run(dir.path(), &args);
        assert_eq!((code, stdout.as_str()), (1, ""), "{args:?}");
        assert!(stderr.contains("changbai up --dir ./d"), "{args:?}: {stderr}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn mistakes_need_no_node_to_be_found() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), "abc").unwrap();
    for (args, sentence) in [
        (&["evidence", "get", "CC1"][..], "is not an evidence id"),
        (&["evidence", "submit", "gone"], "cannot read gone"),
        (&["evidence", "submit", "a.txt", "--field", "x"], "NAME=VALUE"),
        (&["evidence", "submit", "a.txt", "--field", "x=1"], "has no field"),
        (&["evidence", "submit", "a.txt", "--business", "x"], "no business type"),
        (&["evidence", "list", "--sm3", "12"], "not a SM3 digest"),
    ] {
        let args = [args, &["--lang", "en"]].concat();
        let (code, _, stderr) = run(dir.path(), &args);
        assert_eq!(code, 1, "{args:?}");
        assert!(stderr.contains(sentence), "{args:?}: {stderr}");
    }
    let (_, _, stderr) = run(dir.path(), &["evidence", "get", "CC1", "--json", "--lang", "en"]);
    let error: serde_json::Value = serde_json::from_str(&stderr).unwrap();
    assert!(error["error"].as_str().unwrap().contains("CC1"));
}

#[test]
fn a_left_over_node_file_means_no_node() {
    let dir = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    data_dir(dir.path(), &free.to_string());
    let (code, _, stderr) = run(dir.path(), &["health", "--dir", "d", "--lang", "en"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("no node is running"), "{stderr}");
}

/// The first connection breaks after the request, the second answers "busy", the third the record: all three must
/// carry the same body under the same idempotency key, each with a signature of its own.
#[test]
fn a_submission_survives_a_lost_connection_and_a_busy_node() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    data_dir(dir.path(), &listener.local_addr().unwrap().to_string());
    fs::write(dir.path().join("a.txt"), "abc").unwrap();
    let record = format!(
        r#"{{"evidence_id":"{ID}","tx_id":"ab","block_number":7,"sm3":"{digest}","duplicate":false,"originals":[{{
        "sm3":"{digest}","size_bytes":3,"media_type":"text/plain","custody":"platform"}}],"at_ms":1}}"#,
        digest = sm3(b"abc")
    );
    let node = thread::spawn(move || {
        let busy = r#"{"type":"/problems/RQ-4290","title":"busy","status":429,"code":"RQ-4290","request_id":"t"}"#;
        let problem = "429 Too Many Requests\r\nContent-Type: application/problem+json";
        [
            None,
            Some((problem, busy)),
            Some(("201 Created\r\nContent-Type: application/json", &record)),
        ]
        .map(|answer| serve(&listener, answer))
    });
    let args = ["evidence", "submit", "a.txt", "--dir", "d", "--json"];
    let (code, stdout, stderr) = run(dir.path(), &args);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let printed: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(printed["evidence_id"], ID);
    assert_eq!(printed["sm3"], sm3(b"abc").to_string());
    assert_eq!(printed["block_number"], 7);

    let requests = node.join().unwrap();
    let header = |index: usize, name: &str| requests[index].header(name);
    for index in 0..3 {
        assert_eq!(header(index, "idempotency-key"), header(0, "idempotency-key"));
        assert_eq!(header(index, "content-digest"), header(0, "content-digest"));
        assert_eq!(requests[index].body, requests[0].body);
        assert!(header(index, "signature-input").contains("\"idempotency-key\""));
        assert!(header(index, "changbai-certificate").starts_with(':'));
        assert!(requests[index].line.starts_with("POST /api/v1/evidence HTTP/1.1"));
    }
    assert_ne!(header(0, "signature-input"), header(1, "signature-input"));
    let digest = content_digest_value(&sm3(&requests[0].body));
    assert_eq!(header(0, "content-digest"), digest);
    let body = String::from_utf8_lossy(&requests[0].body);
    assert!(body.contains(r#""business_type":"general""#) && !body.contains("a.txt"), "{body}");
}

#[test]
fn a_refusal_shows_its_code_and_is_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    data_dir(dir.path(), &listener.local_addr().unwrap().to_string());
    let node = thread::spawn(move || {
        let body = r#"{"type":"/problems/EV-4040","title":"no such evidence","status":404,"code":"EV-4040","request_id":"t"}"#;
        serve(&listener, Some(("404 Not Found\r\nContent-Type: application/problem+json", body)))
    });
    let (code, _, stderr) = run(dir.path(), &["evidence", "get", ID, "--dir", "d", "--lang", "en"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("no such evidence (code EV-4040)"), "{stderr}");
    assert_eq!(node.join().unwrap().header("accept-language"), "en");
}

#[test]
fn a_bundle_appears_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    data_dir(dir.path(), &listener.local_addr().unwrap().to_string());
    let node = thread::spawn(move || {
        let head = "200 OK\r\nContent-Type: application/zip";
        serve_cut(&listener, head, "half a bundle", 5);
        serve(&listener, Some((head, "whole bundle")))
    });
    let args = ["evidence", "bundle", ID, "--out", "b.zip", "--dir", "d", "--json"];
    let (code, stdout, stderr) = run(dir.path(), &args);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(fs::read(dir.path().join("b.zip")).unwrap(), b"whole bundle");
    let printed: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(printed["sm3"], sm3(b"whole bundle").to_string());
    let request = node.join().unwrap();
    assert!(request.line.contains(&format!("/api/v1/evidence/{ID}/bundle?originals=true")));
    assert!(request.header("signature-input").contains("\"@query\""));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
}

/// A data directory as a node leaves it: `node.json` and the operator's identity.
fn data_dir(dir: &Path, listen: &str) {
    let identity = dir.join("d/identity");
    fs::create_dir_all(&identity).unwrap();
    fs::write(dir.join("d/node.json"), format!(r#"{{"listen":["http://{listen}"],"pid":1}}"#))
        .unwrap();
    let subject = |name: &str| Subject {
        country: "CN".to_owned(),
        state: "Jilin".to_owned(),
        locality: "Changchun".to_owned(),
        organisation: "Test".to_owned(),
        organisational_units: vec!["client".to_owned()],
        common_name: name.to_owned(),
    };
    let validity = Validity { not_before: 0, not_after: 4_000_000_000 };
    let root = Authority::create_root(&subject("root"), validity, &mut OsRandom).unwrap();
    let key = PrivateKey::generate(&mut OsRandom).unwrap();
    let certificate = root
        .issue(
            &subject("operator"),
            key.public_key(),
            Profile::Signing,
            validity,
            None,
            &mut OsRandom,
        )
        .unwrap();
    let pem = key.to_pkcs8_pem().unwrap();
    fs::write(identity.join("operator.key.pem"), pem.as_bytes()).unwrap();
    fs::write(identity.join("operator.cert.pem"), certificate.to_pem()).unwrap();
}

/// One request as it arrived.
struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// Takes one connection and one request; answers, or closes the connection without an answer.
fn serve(listener: &TcpListener, answer: Option<(&str, &str)>) -> Request {
    let (head, body) = answer.unwrap_or_default();
    let length = if answer.is_some() { body.len() } else { 0 };
    serve_part(listener, head, body, length)
}

/// Announces the whole body and closes after `length` bytes of it.
fn serve_cut(listener: &TcpListener, head: &str, body: &str, length: usize) {
    serve_part(listener, head, body, length);
}

fn serve_part(listener: &TcpListener, head: &str, body: &str, length: usize) -> Request {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut request = Request { line, headers, body: Vec::new() };
    if request.header("expect") == "100-continue" {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
    }
    let sent: usize = request.header("content-length").parse().unwrap_or(0);
    request.body.resize(sent, 0);
    reader.read_exact(&mut request.body).unwrap();
    if !head.is_empty() {
        let length_line = format!("Content-Length: {}", body.len());
        let answer = format!("HTTP/1.1 {head}\r\n{length_line}\r\nConnection: close\r\n\r\n");
        reader.get_mut().write_all(answer.as_bytes()).unwrap();
        reader.get_mut().write_all(&body.as_bytes()[..length]).unwrap();
    }
    request
}
