//! `evidence batch` against a real node: files, lines, bundles for each, verified offline.

use std::{fs, path::Path};

use serde_json::Value;

use crate::{node::Node, run};

fn client(dir: &Path, args: &[&str]) -> (i32, Value) {
    let args = [args, &["--dir", "data", "--json"]].concat();
    let (code, stdout, stderr) = run(dir, &args);
    let printed = if stdout.is_empty() { &stderr } else { &stdout };
    (code, serde_json::from_str(printed).unwrap_or_else(|e| panic!("{args:?}: {e}: {printed}")))
}

#[test]
fn each_file_of_a_batch_gets_a_bundle_that_a_judge_can_verify() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let node = Node::start(&dir.join("data"));
    let names: Vec<String> = (0..5).map(|n| format!("file{n}.txt")).collect();
    for name in &names {
        fs::write(dir.join(name), format!("content of {name}")).unwrap();
    }
    let mut args = vec!["evidence", "batch", "--field", "title=年度归档", "--out", "bundles"];
    args.extend(names.iter().map(String::as_str));
    let (code, batch) = client(dir, &args);
    assert_eq!(code, 0, "{batch}");
    assert_eq!((&batch["size"], &batch["bundles"]), (&5.into(), &5.into()), "{batch}");
    // Bundles are never written over others.
    let (code, _) = client(dir, &args);
    assert_eq!(code, 1);

    let digest = smkit::sm3(b"one");
    let lines = format!("{{\"sm3\":\"{digest}\",\"ref\":\"A-1\"}}\n{{\"sm3\":\"{digest}\"}}\nx\n");
    fs::write(dir.join("lines"), lines).unwrap();
    let (code, refused) = client(dir, &["evidence", "batch", "--ndjson", "lines"]);
    let errors = &refused["errors"];
    assert_eq!(
        (code, &errors[0]["line"], &errors[1]["line"]),
        (1, &2.into(), &3.into()),
        "{refused}"
    );
    fs::write(dir.join("lines"), format!("{{\"sm3\":\"{digest}\",\"ref\":\"A-1\"}}\n")).unwrap();
    let (code, one) = client(dir, &["evidence", "batch", "--ndjson", "lines"]);
    assert_eq!((code, &one["size"]), (0, &1.into()), "{one}");
    assert_eq!(node.stop(), 0);

    let judge = |bundle: &str, original: &str| {
        let args = ["verify", bundle, original, "--trust", "data/trust.pem", "--json"];
        let (code, stdout, stderr) = run(dir, &args);
        assert!(!stdout.is_empty(), "{stderr}");
        code
    };
    for (at, name) in names.iter().enumerate() {
        assert_eq!(judge(&format!("bundles/{:06}-{name}.zip", at + 1), name), 0, "{name}");
    }
    assert_eq!(judge("bundles/000001-file0.txt.zip", "file1.txt"), 1);
}
