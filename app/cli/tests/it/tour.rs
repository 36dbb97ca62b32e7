//! The README's five minutes with a real node: submit, bundle, stop, verify offline, notice a changed byte.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use serde_json::Value;

use crate::{node::Node, run};

/// Runs a client command against the node of `data` below `dir`.
fn client(dir: &Path, args: &[&str]) -> (i32, Value) {
    let args = [args, &["--dir", "data", "--json"]].concat();
    let (code, stdout, stderr) = run(dir, &args);
    let printed = if stdout.is_empty() { &stderr } else { &stdout };
    (code, serde_json::from_str(printed).unwrap_or_else(|e| panic!("{args:?}: {e}: {printed}")))
}

fn verify(dir: &Path, args: &[&str]) -> (i32, Value) {
    let args = [&["verify"], args, &["--json"]].concat();
    let (code, stdout, stderr) = run(dir, &args);
    (code, serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{args:?}: {e}: {stderr}")))
}

#[test]
fn the_five_minutes_of_the_readme() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let data = dir.join("data");
    let node = Node::start(&data);
    let (code, health) = client(dir, &["health"]);
    assert_eq!(code, 0);
    for algorithm in ["sm2_enabled", "sm3_enabled", "sm4_enabled"] {
        assert_eq!(health["crypto"][algorithm], true, "{health}");
    }

    fs::write(dir.join("deed.pdf"), b"%PDF-1.4 a deed").unwrap();
    let fields = [
        "business_no=B1",
        "registration_type=首次登记",
        "不动产单元号=220102001001GB00001F00010001",
        "权利人=某某",
    ];
    let mut args = vec!["evidence", "submit", "deed.pdf", "--business", "不动产登记"];
    for field in &fields {
        args.extend(["--field", field]);
    }
    args.extend(["--bundle", "deed.zip"]);
    let (code, deed) = client(dir, &args);
    assert_eq!(code, 0, "{deed}");
    assert_eq!(deed["sm3"], smkit::sm3(b"%PDF-1.4 a deed").to_string());
    assert!(deed["block_number"].as_u64().unwrap() > 0 && deed["tx_id"].is_string());
    let id = deed["evidence_id"].as_str().unwrap();

    // Again: the first record. By digest alone: another original, kept by the submitter.
    let (code, again) = client(dir, &args);
    assert_eq!(
        (code, &again["evidence_id"], &again["duplicate"]),
        (0, &deed["evidence_id"], &Value::Bool(true))
    );
    fs::write(dir.join("kept.txt"), b"kept at home").unwrap();
    let (code, kept) =
        client(dir, &["evidence", "submit", "kept.txt", "--digest-only", "--bundle", "kept.zip"]);
    assert_eq!(code, 0, "{kept}");
    let (_, list) = client(dir, &["evidence", "list"]);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let (_, record) = client(dir, &["evidence", "get", id]);
    assert!(!record.to_string().contains("某某"), "personal data only as commitments");
    for format in ["pdf", "ofd"] {
        let out = format!("deed-certificate.{format}");
        let certificate = ["evidence", "certificate", id, "--format", format, "--out", &out];
        assert_eq!(client(dir, &certificate).0, 0);
    }
    assert_eq!(node.stop(), 0);
    judge_certificate(dir);

    let trust = "data/trust.pem";
    let (code, report) = verify(dir, &["deed.zip", "--trust", trust]);
    assert_eq!((code, report["verdict"].as_str()), (0, Some("verified")), "{report}");
    let (code, _) = verify(dir, &["deed.zip", "deed.pdf", "--trust", trust]);
    assert_eq!(code, 0);
    let (code, report) = verify(dir, &["deed.zip", "deed.pdf"]);
    assert_eq!((code, report["verdict"].as_str()), (2, Some("unchecked")), "no root, no verdict");
    let (code, _) = verify(dir, &["kept.zip", "--trust", trust]);
    assert_eq!(code, 2, "the original is not at hand");
    let (code, _) = verify(dir, &["kept.zip", "kept.txt", "--trust", trust]);
    assert_eq!(code, 0);
    fs::write(dir.join("deed.pdf"), b"%PDF-1.4 a deeD").unwrap();
    let (code, report) = verify(dir, &["deed.zip", "deed.pdf", "--trust", trust]);
    assert_eq!((code, report["verdict"].as_str()), (1, Some("not_verified")));
    let original = report["elements"].as_array().unwrap().iter().find(|e| e["name"] == "original");
    let original = original.unwrap();
    assert_eq!(original["status"], "failed");
    assert!(original["reason"].as_str().unwrap().contains("deed.pdf"));

    // The root of somebody else's node proves nothing here.
    let stranger = Node::start(&dir.join("stranger"));
    assert_eq!(stranger.stop(), 0);
    let (code, _) = verify(dir, &["deed.zip", "--trust", "stranger/trust.pem"]);
    assert_ne!(code, 0);
}

/// The certificates that the node signed and sealed, judged with nothing but its trust file and the original.
fn judge_certificate(dir: &Path) {
    let (pdf, ofd) = (dir.join("deed-certificate.pdf"), dir.join("deed-certificate.ofd"));
    let (pdf, ofd) = (fs::read(pdf).unwrap(), fs::read(ofd).unwrap());
    let trust = fs::read_to_string(dir.join("data/trust.pem")).unwrap();
    let trust = changbai_receipt::Trust::parse(&trust).unwrap();
    let original = fs::read(dir.join("deed.pdf")).unwrap();
    let originals =
        [changbai_receipt::hash_original("deed.pdf", &mut original.as_slice()).unwrap()];
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let grounds = changbai_certificate::Grounds {
        trust: Some(&trust),
        now_unix_seconds: i64::try_from(now).unwrap(),
        lists: &[],
        originals: &originals,
    };
    let report = changbai_certificate::judge_pdf(&pdf, &grounds);
    assert_eq!(report.verdict, changbai_receipt::Verdict::Verified, "{report:#?}");
    let signatory = report.signatory.unwrap();
    assert!(signatory.subject.contains("CN=seal-0"), "{signatory:?}");
    let report = changbai_certificate::judge_ofd(&ofd, &grounds);
    assert_eq!(report.verdict, changbai_receipt::Verdict::Verified, "{report:#?}");
    let signatory = report.signatory.unwrap();
    assert!(signatory.subject.contains("CN=seal-0"), "{signatory:?}");
    assert!(signatory.seal_name.unwrap().ends_with("存证专用章"));
}

#[test]
fn one_directory_one_node_and_a_restart_resumes() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let node = Node::start(&data);
    let (status, first) = node.clerk().submit(b"an original").unwrap();
    assert_eq!(status, 201, "{first}");
    let said = Node::try_start(&data).err().expect("a second node refuses");
    assert!(said.contains("in use") && said.contains(&node.pid().to_string()), "{said}");
    assert_eq!(node.stop(), 0);
    assert!(!data.join("node.json").exists());
    let node = Node::start(&data);
    let (status, again) = node.clerk().submit(b"an original").unwrap();
    assert_eq!((status, &again["evidence_id"]), (200, &first["evidence_id"]));
    assert_eq!(node.stop(), 0);
}

#[test]
fn an_open_connection_does_not_keep_a_node_from_stopping() {
    let home = tempfile::tempdir().unwrap();
    let node = Node::start(&home.path().join("data"));
    let mut half = TcpStream::connect(&node.address).unwrap();
    half.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    half.write_all(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n").unwrap();
    let mut idle = TcpStream::connect(&node.address).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(node.stop(), 0);
    // Both ends are closed, by an end of file or a reset.
    let mut rest = Vec::new();
    let _ = half.read_to_end(&mut rest);
    let _ = idle.read_to_end(&mut rest);
}
