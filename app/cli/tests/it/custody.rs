//! Originals of a real node: crashes between store and ledger, losses that raise an alarm, and the commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use smkit::sm3;

use crate::node::{Node, agent, now};
use crate::run;

/// The body of a submission with one original.
fn upload(original: &[u8]) -> Vec<u8> {
    let head = "--b\r\nContent-Disposition: form-data; name=\"metadata\"\r\nContent-Type: application/json\r\n\r\n\
        {\"business_type\":\"general\"}\r\n--b\r\nContent-Disposition: form-data; name=\"original\"; filename=\"a\"\r\n\
        Content-Type: application/octet-stream\r\n\r\n";
    [head.as_bytes(), original, b"\r\n--b--\r\n"].concat()
}

fn custody(dir: &Path, args: &[&str]) -> (i32, Value, String) {
    let dir = dir.to_str().unwrap();
    let args = [&["custody"], args, &["--dir", dir, "--lang", "en"]].concat();
    let (code, out, said) = run(Path::new(dir), &args);
    (code, serde_json::from_str(&out).unwrap_or(Value::Null), said)
}

/// Files below `dir`.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

/// A bound, not an expectation.
fn within(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_killed_node_leaves_neither_a_lost_original_nor_an_unproven_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<(String, Vec<u8>)> = Vec::new();
    for round in 0..4_u64 {
        let node = Node::start(dir.path());
        let clerk = node.clerk();
        let submitting = thread::spawn(move || {
            let mut done = Vec::new();
            for n in 0..200_u64 {
                let mut original = vec![0; 300_000];
                original[..8].copy_from_slice(b"original");
                original[8..16].copy_from_slice(&(round << 32 | n).to_be_bytes());
                let body = upload(&original);
                let answer =
                    clerk.post("/api/v1/evidence", "multipart/form-data; boundary=b", &body);
                match answer {
                    Ok((201, answer)) => {
                        done.push((answer["evidence_id"].as_str().unwrap().to_owned(), original));
                    }
                    Ok((status, answer)) => panic!("{status} {answer}"),
                    Err(_) => break,
                }
            }
            done
        });
        thread::sleep(Duration::from_millis(150 + 37 * round));
        node.kill();
        acknowledged.extend(submitting.join().unwrap());
    }
    assert!(!acknowledged.is_empty());

    // Each acknowledged record proves itself and has its original.
    let node = Node::start(dir.path());
    for (id, original) in acknowledged.iter().rev().take(10) {
        let bundle = node.clerk().bundle(id).expect("its original is held");
        let at = bundle.windows(16).position(|window| *window == original[..16]).unwrap();
        assert!(bundle[at..].starts_with(original), "{id}");
    }
    let digests: Vec<String> = acknowledged.iter().map(|(_, o)| sm3(o).to_string()).collect();
    within("every acknowledged record claims its original", || {
        let unrecorded = custody(dir.path(), &["audit", "--unrecorded", "--json"]).1;
        let unrecorded = unrecorded.as_array().unwrap();
        digests.iter().all(|digest| unrecorded.iter().all(|e| e["sm3"] != digest.as_str()))
    });
    assert_eq!(node.stop(), 0);

    // Nothing is lost, nothing half there, and every original of no record is known as such.
    let (code, state, said) = custody(dir.path(), &["audit", "--now", "--json"]);
    assert_eq!(code, 0, "{state} {said}");
    assert_eq!((&state["lost"], &state["unheld"]), (&Value::Array(vec![]), &Value::Array(vec![])));
    let held = files(&dir.path().join("custody/entries")).len();
    assert_eq!(state["last"]["intact"], held);
    assert!(files(&dir.path().join("custody/incoming")).is_empty());
    assert_eq!(custody(dir.path(), &["log", "--json"]).0, 0, "every line authenticates");
}

#[test]
fn a_lost_original_raises_an_alarm_and_coming_again_clears_it() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path());
    let clerk = node.clerk();
    let post = |original: &[u8]| {
        clerk
            .post("/api/v1/evidence", "multipart/form-data; boundary=b", &upload(original))
            .unwrap()
    };
    let (status, answer) = post(b"a deed");
    assert_eq!(status, 201, "{answer}");
    let id = answer["evidence_id"].as_str().unwrap().to_owned();
    let digest = sm3(b"a deed").to_string();
    let alarms = || {
        let text = fs::read_to_string(dir.path().join("node.json")).unwrap();
        let running: Value = serde_json::from_str(&text).unwrap();
        let url = format!("{}/alarms", running["operations"].as_str().unwrap());
        agent().get(url).call().unwrap().body_mut().read_to_string().unwrap()
    };
    assert_eq!(custody(dir.path(), &["audit", "--now"]).0, 0);
    within("the record claims its original", || {
        custody(dir.path(), &["show", &id, "--json"]).1[0]["entry"]["sm3"] == digest.as_str()
    });
    let (_, shown, _) = custody(dir.path(), &["show", &digest, "--json"]);
    assert_eq!(shown[0]["entry"]["record"], id.as_str());
    assert_eq!(shown[0]["entry"]["keys"][0]["recipient"], "DemoAgency");
    assert!(!alarms().contains("OP-6001"));

    // Its retention has begun: neither removal nor erasure without an order.
    for refused in [&["remove", &digest][..], &["erase", &id, "--reason", "x"]] {
        let (code, _, said) = custody(dir.path(), refused);
        assert!(code == 1 && said.contains("must be kept until"), "{said}");
    }

    fs::remove_file(shown[0]["place"].as_str().unwrap()).unwrap();
    assert_eq!(custody(dir.path(), &["audit", "--now"]).0, 0);
    within("the alarm is raised", || alarms().contains("OP-6001"));
    assert!(alarms().contains(&digest[..16]));
    assert_eq!(custody(dir.path(), &["audit"]).0, 1);
    assert!(node.clerk().bundle(&id).is_none());

    let (status, answer) = post(b"a deed");
    assert_eq!((status, &answer["evidence_id"]), (200, &id.as_str().into()), "{answer}");
    assert!(node.clerk().bundle(&id).is_some());
    assert_eq!(custody(dir.path(), &["audit", "--now"]).0, 0);
    within("the alarm is cleared", || !alarms().contains("OP-6001"));

    // Erased by order: the record stays, the original is gone for good, and that is no alarm.
    let (code, _, said) =
        custody(dir.path(), &["erase", &id, "--reason", "court order 1", "--by-order"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(node.get(&format!("/api/v1/evidence/{id}/receipt")).0, 200);
    assert!(custody(dir.path(), &["log", "--json"]).1.to_string().contains("court order 1"));
    assert_eq!(custody(dir.path(), &["audit", "--now"]).0, 0);
    within("the audit sees it", || {
        custody(dir.path(), &["audit", "--json"]).1["last"]["erased"] == 1
    });
    assert!(!alarms().contains("OP-6001"));
    assert_eq!(node.stop(), 0);
}
