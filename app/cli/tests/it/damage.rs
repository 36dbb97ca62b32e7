//! Damage to every kind of file of the data directory: what is derived is repaired, what is not is
//! refused by name. Never is a record lost or wrong without a word.

use std::{
    fs,
    path::{Path, PathBuf},
};

use changbai_receipt::{Trust, Verdict};
use smkit_pki::Certificate;

use crate::{judge, node::Node};

/// A record on the ledger, and whether its original lies in custody.
struct Known {
    id: String,
    in_custody: bool,
}

#[test]
fn damage_is_repaired_or_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let intact = home.path().join("intact");
    let known = populate(&intact);
    let files = files_below(&intact);
    assert!(files.len() > 10, "{files:?}");
    let (mut repaired, mut refused) = (0, 0);
    for file in &files {
        let name = file.strip_prefix(&intact).unwrap();
        for damage in damages(&fs::read(file).unwrap()) {
            let copy = home.path().join("copy");
            copy_all(&intact, &copy);
            fs::write(copy.join(name), &damage.bytes).unwrap();
            let what = format!("{} {}", name.display(), damage.what);
            match Node::try_start(&copy) {
                Ok(node) => {
                    check(&node, &known, name, &what);
                    assert_eq!(node.stop(), 0, "{what}");
                    repaired += 1;
                }
                Err(said) => {
                    assert!(names(&said, name), "{what}: {said}");
                    assert!(!is_derived(name), "{what} could have been repaired: {said}");
                    refused += 1;
                }
            }
            fs::remove_dir_all(&copy).unwrap();
        }
    }
    eprintln!(
        "{} files, {repaired} starts as if nothing had been, {refused} refusals",
        files.len()
    );
    assert!(repaired > 0 && refused > 0);
}

/// A node that has lived: records with and without originals, personal fields, a clean stop.
fn populate(dir: &Path) -> Vec<Known> {
    let node = Node::start(dir);
    let clerk = node.clerk();
    let mut known = Vec::new();
    for n in 0..3 {
        let (status, answer) = clerk.submit(format!("original {n}").as_bytes()).unwrap();
        assert_eq!(status, 201, "{answer}");
        let id = answer["evidence_id"].as_str().unwrap().to_owned();
        known.push(Known { id, in_custody: false });
    }
    let metadata = r#"{"business_type":"administrative_penalty","fields":{"document_no":"长罚字1号","cause":"占道","authority":"城管","decided_on":"2026-11-01","party":"某某"}}"#;
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"metadata\"\r\nContent-Type: application/json\r\n\r\n{metadata}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"original\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.4 original\r\n--b--\r\n"
    );
    let (status, answer) =
        clerk.post("/api/v1/evidence", "multipart/form-data; boundary=b", body.as_bytes()).unwrap();
    assert_eq!(status, 201, "{answer}");
    let id = answer["evidence_id"].as_str().unwrap().to_owned();
    known.push(Known { id, in_custody: true });
    assert_eq!(node.stop(), 0);
    known
}

struct Damage {
    what: String,
    bytes: Vec<u8>,
}

/// Flips, cuts and zeros at the beginning, in the middle and at the end.
fn damages(intact: &[u8]) -> Vec<Damage> {
    let mut all = Vec::new();
    let places = [0, intact.len() / 3, intact.len() / 2, intact.len().saturating_sub(1)];
    for at in places {
        if let Some(byte) = intact.get(at) {
            let mut bytes = intact.to_vec();
            bytes[at] = byte ^ 0x01;
            all.push(Damage { what: format!("flipped at {at}"), bytes });
        }
    }
    for len in [0, intact.len() / 2, intact.len().saturating_sub(1)] {
        if len < intact.len() {
            let bytes = intact[..len].to_vec();
            all.push(Damage { what: format!("cut to {len}"), bytes });
        }
    }
    let at = intact.len() / 2;
    let to = (at + 64).min(intact.len());
    if intact[at..to].iter().any(|byte| *byte != 0) {
        let mut bytes = intact.to_vec();
        bytes[at..to].fill(0);
        all.push(Damage { what: format!("zeroed {at}..{to}"), bytes });
    }
    all
}

/// Every record is still there and proves itself; an original that was damaged is refused.
fn check(node: &Node, known: &[Known], damaged: &Path, what: &str) {
    let read = |name: &str| fs::read_to_string(node.dir.join(name)).unwrap();
    let root = Certificate::from_pem(&read("identity/ca/ca.cert.pem")).unwrap().sm3();
    let trust = Trust::parse(&read("trust.pem")).unwrap();
    assert!(trust.roots().contains_sm3(&root), "{what}: the copy for verifiers is repaired");
    assert_eq!(trust.channels().len(), 1, "{what}: and names the channel");
    for Known { id, in_custody } in known {
        let (status, body) = node.get(&format!("/api/v1/evidence/{id}/bundle"));
        assert_eq!(status, 200, "{what}: {}", String::from_utf8_lossy(&body));
        let report = judge(&body, &[], &trust);
        // Without the original at hand the best there is; nothing may have failed.
        assert_eq!(report.verdict, Verdict::Unchecked, "{what}: {}", report.to_json());
        if *in_custody {
            let Some(bundle) = node.clerk().bundle(id) else {
                assert!(damaged.starts_with("custody"), "{what}: no bundle");
                continue;
            };
            let report = judge(&bundle, &[], &trust);
            assert_eq!(report.verdict, Verdict::Verified, "{what}: {}", report.to_json());
        }
    }
}

/// Files that the node makes again by itself.
fn is_derived(name: &Path) -> bool {
    let name = name.to_string_lossy();
    ["index", "trust.pem", "LOCK", "node.json", "idempotency"]
        .iter()
        .any(|part| name.contains(part))
}

/// Whether a refusal names the file: its name, or for the channel's files the end of their path.
fn names(said: &str, name: &Path) -> bool {
    said.contains(name.file_name().unwrap().to_str().unwrap())
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(files_below(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files.sort();
    files
}

fn copy_all(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, &target).unwrap();
    }
}
