//! `verify` and `sm3`: commands that need no node.

use std::{fs, io::Write, process::Stdio};

use serde_json::Value;

use crate::{changbai, outcome, run};

/// GB/T 32905-2016, appendix A.1: SM3("abc").
const ABC: &str = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";

fn verdict(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap()
}

fn element<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["elements"].as_array().unwrap().iter().find(|e| e["name"] == name).unwrap()
}

#[test]
fn a_missing_bundle_could_not_be_checked() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, _) = run(dir.path(), &["verify", "none.zip", "--json", "--lang", "en"]);
    assert_eq!(code, 2);
    let report = verdict(&stdout);
    assert_eq!(report["verdict"], "unchecked");
    assert_eq!(element(&report, "container")["status"], "unchecked");
    assert_eq!(element(&report, "trust")["status"], "unchecked");
    assert_eq!(run(dir.path(), &["verify", "none.zip"]).0, 2);
    assert_eq!(run(dir.path(), &["verify", "."]).0, 2);
}

#[test]
fn garbage_is_not_verified() {
    let dir = tempfile::tempdir().unwrap();
    for content in [&b""[..], b"garbage", b"PK\x03\x04", &[0; 4096]] {
        fs::write(dir.path().join("b.zip"), content).unwrap();
        let (code, stdout, _) = run(dir.path(), &["verify", "b.zip", "--json"]);
        assert_eq!(code, 1);
        let report = verdict(&stdout);
        assert_eq!(report["verdict"], "not_verified");
        assert_eq!(element(&report, "container")["status"], "failed");
    }
}

#[test]
fn unreadable_trust_and_originals_are_said_and_change_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("root.pem"), "no certificate").unwrap();
    let args = ["verify", "none.zip", "gone.pdf", "--trust", "root.pem", "--json", "--lang", "en"];
    let (code, stdout, _) = run(dir.path(), &args);
    assert_eq!(code, 2);
    let report = verdict(&stdout);
    for (name, path) in [("original", "gone.pdf"), ("trust", "root.pem"), ("container", "none.zip")]
    {
        let element = element(&report, name);
        assert_eq!(element["status"], "unchecked");
        assert!(element["reason"].as_str().unwrap().contains(path), "{element}");
    }
    fs::write(dir.path().join("none.zip"), "garbage").unwrap();
    assert_eq!(run(dir.path(), &args).0, 1);
}

#[test]
fn a_verdict_is_for_people_in_both_languages() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("b.zip"), "garbage").unwrap();
    let zh = run(dir.path(), &["verify", "b.zip"]).1;
    assert!(zh.starts_with("结论：核验不通过\n") && zh.contains("VF-1002"), "{zh}");
    let en = run(dir.path(), &["verify", "b.zip", "--lang=en"]).1;
    assert!(en.starts_with("verdict: not verified\n"), "{en}");
}

#[test]
fn sm3_prints_like_openssl() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), "abc").unwrap();
    assert_eq!(
        run(dir.path(), &["sm3", "a.txt"]),
        (0, format!("SM3(a.txt)= {ABC}\n"), String::new())
    );

    let mut child = changbai(dir.path(), &["sm3", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"abc").unwrap();
    let (code, stdout, _) = outcome(child.wait_with_output().unwrap());
    assert_eq!((code, stdout), (0, format!("SM3(stdin)= {ABC}\n")));
}

#[test]
fn sm3_goes_on_after_an_unreadable_file() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), "abc").unwrap();
    let (code, stdout, stderr) = run(dir.path(), &["sm3", "gone", "a.txt", "--lang", "en"]);
    assert_eq!(code, 1);
    assert_eq!(stdout, format!("SM3(a.txt)= {ABC}\n"));
    assert!(stderr.contains("cannot read gone: it does not exist"), "{stderr}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("b.zip"), "garbage").unwrap();
    let mut child = changbai(dir.path(), &["verify", "b.zip"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let (code, _, stderr) = outcome(child.wait_with_output().unwrap());
    assert_eq!((code, stderr), (1, String::new()));
}
