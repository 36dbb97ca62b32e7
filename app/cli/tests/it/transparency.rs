//! A node's log under the eyes of a witness and a monitor, and a forged node that shows two histories.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use changbai_merkle::{
    AddCheckpoint, Checkpoint, Frontier, LogKey, NodeId, NodeSource, Note, Signed, TlogProof,
    VerifierKey, leaf_hash, prove_consistency, read_entries, tree_root,
};
use serde_json::{Value, json};
use smkit::sm2::{PrivateKey, SignerId, SigningKey};
use smkit::{Sm3Digest, sm3};

use crate::{changbai, node::Node, run};

const LOG: &str = "/api/v1/log/changchun";

/// One HTTP exchange; status, head and body.
fn http(address: &str, method: &str, path: &str, body: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..split].to_vec()).unwrap().to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[split + 4..].to_vec())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// A witness as a child process.
struct WitnessProcess {
    child: Child,
    address: String,
}

impl WitnessProcess {
    fn start(home: &Path) -> Self {
        let mut child = changbai(
            home,
            &["witness", "run", "--dir", "court", "--listen", "http://127.0.0.1:0", "--lang", "en"],
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().rsplit("http://").next().unwrap().to_owned();
        assert!(address.contains(':'), "{line}");
        Self { child, address }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for WitnessProcess {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn submit(home: &Path, name: &str) -> Value {
    fs::write(home.join(name), format!("the original {name}")).unwrap();
    let args = ["evidence", "submit", name, "--dir", "data", "--json"];
    let (code, stdout, stderr) = run(home, &args);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn note(node: &Node) -> Note {
    let (status, body) = node.get(&format!("{LOG}/checkpoint"));
    assert_eq!(status, 200, "{}", text(body));
    Note::from_bytes(&body).unwrap()
}

/// The newest checkpoint, once it covers so many leaves: a header that commits to a block follows it at once.
fn grown(node: &Node, size: u64) -> Note {
    for _ in 0..1_000 {
        let note = note(node);
        if Checkpoint::of(&note).unwrap().size >= size {
            return note;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("the log never had {size} leaves");
}

/// The trust file of the node, with a witness who must have cosigned.
fn with_witness(home: &Path, key: &str) -> String {
    let trust = fs::read_to_string(home.join("data/trust.pem")).unwrap();
    let trust = trust.replace("Changbai-Trust: 1", "Changbai-Trust: 2");
    let keys = format!("Witness: {key}\nWitnesses-Min: 1\n-----BEGIN CERTIFICATE-----");
    trust.replacen("-----BEGIN CERTIFICATE-----", &keys, 1)
}

#[test]
fn a_log_is_witnessed_mirrored_monitored_and_proven() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let node = Node::start(&home.join("data"));
    let first = submit(home, "one.txt");

    // What the log says of itself, and a checkpoint without any witness.
    let (status, said) = node.get(LOG);
    let said: Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(status, 200, "{said}");
    let (origin, key) = (said["origin"].as_str().unwrap(), said["key"].as_str().unwrap());
    let log_key = VerifierKey::from_text(key).unwrap();
    assert_eq!((log_key.name(), log_key.signed()), (origin, Signed::Log));
    let early = note(&node);
    assert_eq!(log_key.check(&early), Ok(Some(0)));
    assert_eq!(node.stop(), 0);

    // A court becomes its witness.
    let (code, court, stderr) =
        run(home, &["witness", "key", "--name", "court.example", "--dir", "court"]);
    assert_eq!(code, 0, "{stderr}");
    let court = court.trim_end();
    let file = home.join("court/witness.toml");
    let settings = fs::read_to_string(&file).unwrap().replace("logs = []\n", "");
    let settings = format!("{settings}[[logs]]\norigin = \"{origin}\"\nkeys = [\"{key}\"]\n");
    fs::write(&file, settings).unwrap();
    let witness = WitnessProcess::start(home);
    let url = format!("http://{}", witness.address);
    let settings = format!(
        "[[transparency.witnesses]]\nname = \"court.example\"\nurl = \"{url}\"\nkey = \"{court}\"\n"
    );
    fs::write(home.join("data/changbai.toml"), settings).unwrap();
    let node = Node::start(&home.join("data"));
    for name in ["two.txt", "three.txt"] {
        submit(home, name);
    }
    // The configuration, and three records.
    let late = grown(&node, 4);
    let court_key = VerifierKey::from_text(court).unwrap();
    assert!(matches!(court_key.check(&late), Ok(Some(_))), "{late}");
    let (old, new) = (Checkpoint::of(&early).unwrap(), Checkpoint::of(&late).unwrap());
    assert!(old.size < new.size);

    // Proofs, and a mirror that has nothing but tiles.
    let path = format!("{LOG}/proof/consistency?from={}&to={}", old.size, new.size);
    let proof: Value = serde_json::from_slice(&node.get(&path).1).unwrap();
    let hash = |text: &Value| changbai_core::canonical::digest(text.as_str().unwrap()).unwrap();
    let hashes: Vec<_> = proof["path"].as_array().unwrap().iter().map(hash).collect();
    old.extended_by(&new, &hashes).unwrap();
    let width = u16::try_from(new.size).unwrap();
    let (status, tile) = node.get(&format!("{LOG}/tile/0/000.p/{width}"));
    assert_eq!(status, 200);
    let (status, entries) = node.get(&format!("{LOG}/tile/entries/000.p/{width}"));
    assert_eq!(status, 200);
    let mut mirror = Frontier::new();
    for (leaf, hash) in read_entries(&entries, width).unwrap().iter().zip(tile.chunks(32)) {
        assert_eq!(leaf_hash(leaf).as_bytes(), hash);
        mirror.append(leaf_hash(leaf), &mut |_, _| ()).unwrap();
    }
    assert_eq!(mirror.root(), new.root);
    for missing in ["tile/0/000", "tile/0/001.p/1", "tile/9/000", "tile/entries/000.p/0"] {
        assert_eq!(node.get(&format!("{LOG}/{missing}")).0, 404, "{missing}");
    }
    let (_, head, _) = http(&node.address, "GET", &format!("{LOG}/tile/0/000.p/1"), "");
    assert!(head.contains("immutable") && head.contains("etag: \""), "{head}");

    // A record's own proof.
    let id = first["evidence_id"].as_str().unwrap();
    let (status, file) = node.get(&format!("/api/v1/evidence/{id}/proof.tlog-proof"));
    assert_eq!(status, 200);
    let file = TlogProof::from_bytes(&file).unwrap();
    let state = file.verify(&leaf_hash(file.extra.as_ref().unwrap())).unwrap();
    assert_eq!(state.origin, origin);
    assert_eq!(log_key.check(&file.note), Ok(Some(0)));

    // A court verifies a bundle, and demands its own cosignature.
    let args = ["evidence", "bundle", id, "--out", "one.zip", "--dir", "data"];
    assert_eq!(run(home, &args).0, 0);
    let trust = with_witness(home, court);
    fs::write(home.join("court.pem"), trust).unwrap();
    let (code, stdout, stderr) =
        run(home, &["verify", "one.zip", "--trust", "court.pem", "--json"]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let elements = report["elements"].as_array().unwrap();
    for name in ["log_consistency", "witness", "time_token"] {
        let element = elements.iter().find(|element| element["name"] == name).unwrap();
        assert_eq!(element["status"], "proven", "{element}");
    }

    // The witness answers as the convention says, also after it was killed.
    witness.kill();
    let witness = WitnessProcess::start(home);
    let add = |old_size, note: &Note| {
        let body = AddCheckpoint { old_size, path: Vec::new(), note: note.clone() }.to_string();
        http(&witness.address, "POST", "/add-checkpoint", &body)
    };
    let (status, head, body) = add(0, &late);
    assert_eq!((status, text(body)), (409, format!("{}\n", new.size)));
    assert!(head.contains("content-type: text/x.tlog.size"), "{head}");
    assert_eq!(add(new.size, &late).0, 200);
    assert_eq!(add(new.size + 1, &late).0, 400);
    let mut unsigned = Note::unsigned(late.text()).unwrap();
    unsigned.add(late.signatures()[1].clone()).unwrap();
    assert_eq!(add(new.size, &unsigned).0, 403);
    let elsewhere = late.to_string().replace("changbai/log/changchun", "changbai/log/changchum");
    assert_eq!(add(new.size, &Note::from_bytes(elsewhere.as_bytes()).unwrap()).0, 404);

    // A monitor finds that all agree.
    let watch = |more: &[&str]| {
        let node = format!("http://{}", node.address);
        let witness = format!("http://{}", witness.address);
        let mut args = vec!["monitor", "--node", &node, "--witness", &witness];
        args.extend(["--trust", "data/trust.pem", "--dir", "watch", "--json"]);
        args.extend(more);
        run(home, &args)
    };
    let (code, stdout, stderr) = watch(&[]);
    assert_eq!(code, 0, "{stdout}{stderr}");
    submit(home, "four.txt");
    grown(&node, new.size + 1);
    let (code, stdout, _) = watch(&[]);
    assert_eq!(code, 0, "{stdout}");
    let seen: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(seen[0]["grown"].as_u64().unwrap() > 0, "{stdout}");

    // Somebody got hold of the log's key, and shows the court another history.
    let forged = Forged::start(home, origin, new.size + 3);
    let (code, stdout, _) = watch(&["--node", &forged.url]);
    assert_eq!(code, 1, "{stdout}");
    let alarm: Value = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|sight| sight["seen"] == "contradicts")
        .unwrap();
    assert_eq!((&alarm["source"], &alarm["proven"]), (&json!(forged.url), &json!(true)), "{alarm}");
    let file = alarm["file"].as_str().unwrap();
    let convicted = run(home, &["monitor", "--check", file, "--key", key, "--lang", "en"]);
    assert!(convicted.0 == 0 && convicted.1.contains("showed two histories"), "{convicted:?}");
    let mut bytes = fs::read(home.join(file)).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(home.join("altered.json"), bytes).unwrap();
    assert_ne!(run(home, &["monitor", "--check", "altered.json", "--key", key]).0, 0);

    // Alone it looks right, until it shows less than before.
    let alone = |size| {
        forged.shows(size);
        let args = ["monitor", "--node", &forged.url, "--key", key, "--dir", "alone", "--json"];
        run(home, &args)
    };
    assert_eq!(alone(5).0, 0);
    let (code, stdout, _) = alone(4);
    assert!(code == 1 && stdout.contains("\"kind\":\"rollback\""), "{stdout}");
    assert_eq!(node.stop(), 0);
}

#[derive(Default)]
struct Nodes(BTreeMap<NodeId, Sm3Digest>);

impl NodeSource for Nodes {
    type Error = Infallible;

    fn node(&self, id: NodeId) -> Result<Option<Sm3Digest>, Infallible> {
        Ok(self.0.get(&id).copied())
    }
}

/// A server that shows another tree under the true log's name and key, and proves it honestly.
struct Forged {
    url: String,
    size: Arc<Mutex<u64>>,
}

impl Forged {
    fn start(home: &Path, origin: &str, size: u64) -> Self {
        let pem = fs::read_to_string(home.join("data/identity/log.key.pem")).unwrap();
        let key = PrivateKey::from_pkcs8_pem(&pem).unwrap();
        let key = SigningKey::new(key, SignerId::DEFAULT).unwrap();
        let key = LogKey::new(origin, key).unwrap();
        let certificate = fs::read_to_string(home.join("data/identity/log.cert.pem")).unwrap();
        let (mut tree, mut nodes) = (Frontier::new(), Nodes::default());
        for leaf in 0..64u8 {
            let hash = sm3(&[leaf]);
            tree.append(hash, &mut |id, hash| _ = nodes.0.insert(id, hash)).unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let size = Arc::new(Mutex::new(size));
        let (origin, shown) = (origin.to_owned(), Arc::clone(&size));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut line = String::new();
                BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
                let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                let size = *shown.lock().unwrap();
                let body = answer(&path, size, &origin, &key, &certificate, &nodes);
                let length = body.len();
                let _ = write!(
                    &stream,
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                );
            }
        });
        Self { url, size }
    }

    fn shows(&self, size: u64) {
        *self.size.lock().unwrap() = size;
    }
}

fn answer(
    path: &str,
    size: u64,
    origin: &str,
    key: &LogKey,
    certificate: &str,
    nodes: &Nodes,
) -> String {
    if path.ends_with("/checkpoint") {
        let root = tree_root(nodes, size).unwrap();
        let state = Checkpoint { origin: origin.to_owned(), size, root };
        let mut note = Note::unsigned(&state.to_string()).unwrap();
        note.add(key.sign(note.text())).unwrap();
        return note.to_string();
    }
    if let Some((_, query)) = path.split_once("consistency?from=") {
        let (from, to) = query.split_once("&to=").unwrap();
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        let proof = prove_consistency(nodes, from, to).unwrap();
        let root = |size| tree_root(nodes, size).unwrap().to_string();
        let hashes: Vec<_> = proof.path.iter().map(ToString::to_string).collect();
        return json!({
            "from": from, "from_root": root(from), "path": hashes, "to": to, "to_root": root(to),
        })
        .to_string();
    }
    json!({
        "origin": origin, "key": key.verifier().to_string(), "certificate": certificate,
        "size": size, "witnesses": [],
    })
    .to_string()
}
