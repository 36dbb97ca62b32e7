//! A whole consortium of real processes: made, started, robbed of a node, and stopped by the command line.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::Stdio,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    changbai,
    consortium::{Consortium, WAIT_MAX},
    node::now,
    run,
};

fn of<'a>(nodes: &'a [Value], name: &str) -> &'a Value {
    nodes.iter().find(|node| node["name"] == name).unwrap()
}

#[test]
fn a_consortium_is_made_once_and_as_asked() {
    let consortium = Consortium::init(&["--agencies", "3", "--validators", "2"]);
    let dir = consortium.dir();
    for name in ["ndrc", "hrss", "digital"] {
        for file in ["changbai.toml", "identity/admin.cert.pem", "channels/changchun/genesis.block"]
        {
            assert!(dir.join(name).join(file).exists(), "{name}/{file}");
        }
    }
    for file in ["genesis.block", "channel.toml", "trust.pem"] {
        assert!(dir.join(file).exists(), "{file}");
    }
    let (code, nodes) = consortium.status();
    assert_eq!(code, 1, "nothing runs yet");
    let roles: Vec<_> = nodes.iter().map(|node| node["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["validator", "validator", "follower"]);
    assert!(nodes.iter().all(|node| node["state"] == "stopped"));

    let (code, _, stderr) = consortium.run("network init --dir net");
    assert_eq!(code, 1);
    assert!(stderr.contains("not empty") && stderr.contains("--dir"), "{stderr}");
    let (code, _, stderr) = consortium.run("network init --dir other --agencies 2 --validators 3");
    assert_eq!(code, 1);
    assert!(stderr.contains("--validators") && !dir.with_file_name("other").exists(), "{stderr}");
    let (_, _, stderr) = consortium.run("network status --dir nowhere");
    assert!(stderr.contains("network init --dir nowhere"), "{stderr}");
    let (code, _, stderr) = consortium.run("network up nobody --dir net");
    assert!(code == 1 && stderr.contains("ndrc hrss digital"), "{stderr}");
    assert_eq!(consortium.ok("network down --dir net").lines().count(), 3);
}

#[test]
fn a_directory_without_certificates_is_not_run() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("changbai.toml"), "").unwrap();
    let args = ["node", "run", "--config", "changbai.toml", "--lang", "en"];
    let (code, _, stderr) = run(home.path(), &args);
    assert_eq!(code, 1);
    assert!(stderr.contains("no certificates") && stderr.contains("network init"), "{stderr}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing was made");
}

#[test]
fn service_goes_on_without_one_and_it_catches_up() {
    let consortium = Consortium::init(&[]);
    let home = consortium.home.path();
    consortium.ok("network up --dir net");
    let nodes = consortium.until("four nodes with a quorum", |code, _| code == 0);
    assert!(nodes.iter().all(|node| node["role"] == "validator"));
    let pids: Vec<_> = nodes.iter().map(|node| node["pid"].clone()).collect();
    consortium.ok("network up --dir net");
    let again: Vec<_> = consortium.status().1.iter().map(|node| node["pid"].clone()).collect();
    assert_eq!(pids, again, "running nodes are left alone");

    fs::write(home.join("one.txt"), "through the first").unwrap();
    fs::write(home.join("two.txt"), "through the second").unwrap();
    fs::write(home.join("three.txt"), "while one is gone").unwrap();
    let submit = |file: &str, node: &str| {
        let line = format!("evidence submit {file}.txt --bundle {file}.zip --dir net/{node}");
        let answer = consortium.json(&line);
        answer["evidence_id"].as_str().unwrap().to_owned()
    };
    submit("one", "ndrc");
    submit("two", "hrss");

    // Its process was started by this test.
    let killed = of(&nodes, "digital")["pid"].as_i64().unwrap();
    let pid = Pid::from_raw(i32::try_from(killed).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    let id = submit("three", "ndrc");
    let nodes = consortium.until("three nodes", |_, nodes| of(nodes, "digital")["pid"].is_null());
    assert_eq!(of(&nodes, "digital")["state"], "stopped");
    assert_eq!(of(&nodes, "ndrc")["quorum"], true);

    consortium.ok("network up digital --dir net");
    consortium.until("the same height everywhere", |code, nodes| {
        code == 0 && nodes.iter().all(|node| node["height"] == nodes[0]["height"])
    });
    let record = consortium.json(&format!("evidence get {id} --dir net/digital"));
    assert_eq!(record["evidence_id"], id.as_str());
    // The originals are with the agency that took them in; the proof is with everybody.
    let fetch = format!("evidence bundle {id} --no-originals --out theirs.zip --dir net/digital");
    consortium.ok(&fetch);

    let down = consortium.ok("network down --dir net");
    assert_eq!(down.matches("stopped").count(), 4, "{down}");
    assert!(consortium.status().1.iter().all(|node| node["pid"].is_null()));
    for files in ["one.zip one.txt", "two.zip two.txt", "three.zip", "theirs.zip three.txt"] {
        let report = consortium.json(&format!("verify {files} --trust net/trust.pem"));
        assert_eq!(report["verdict"], "verified", "{files}: {report}");
    }
    // The same by the trust file of an agency that neither took the record in nor was asked for the bundle.
    consortium.ok("verify three.zip --trust net/resources/trust.pem");
}

#[test]
fn a_consortium_in_the_foreground_ends_with_its_command() {
    let consortium = Consortium::init(&["--agencies", "2"]);
    let args = ["up", "--agencies", "2", "--dir", "net", "--lang", "en"];
    let mut child = changbai(consortium.home.path(), &args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.next().unwrap().unwrap().contains("running: ndrc hrss"));
    let nodes = consortium.until("two nodes", |code, _| code == 0);
    assert!(nodes.iter().all(|node| node["state"] == "running"));
    let (code, _, stderr) = consortium.run("up --agencies 2 --dir net");
    assert!(code == 1 && stderr.contains("in use"), "{stderr}");
    let (code, _, stderr) = consortium.run("up --agencies 5 --dir net");
    assert!(code == 1 && stderr.contains("2 agencies, not 5"), "{stderr}");

    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(consortium.status().1.iter().all(|node| node["state"] == "stopped"));
    assert!(no_node_file(&consortium.dir()), "they were stopped in order");
}

fn no_node_file(dir: &Path) -> bool {
    ["ndrc", "hrss"].iter().all(|name| !dir.join(name).join("node.json").exists())
}

#[test]
fn a_readable_configuration_makes_the_same_channel() {
    let consortium = Consortium::init(&["--agencies", "2"]);
    let said = consortium.ok("channel genesis --config net/channel.toml --out again.block");
    assert!(said.contains("changchun") && said.contains("hash"), "{said}");
    let read = |file: &str| {
        let bytes = fs::read(consortium.home.path().join(file)).unwrap();
        changbai_node::genesis::Genesis::read(&bytes).unwrap().config
    };
    assert_eq!(read("again.block"), read("net/genesis.block"));

    // One organisation's root is another's: the file says which key is wrong.
    let folder = consortium.dir().join("channel-certificates");
    fs::copy(folder.join("ChangchunNDRC-root.pem"), folder.join("ChangchunHRSS-root.pem")).unwrap();
    let (code, _, stderr) = consortium.run("channel genesis --config net/channel.toml --out x");
    assert_eq!(code, 1);
    assert!(stderr.contains("channel.toml") && stderr.contains("next:"), "{stderr}");
    assert!(!consortium.home.path().join("x").exists());
}

#[test]
fn a_second_channel_is_joined_and_the_first_one_changed() {
    let consortium = Consortium::init(&[]);
    let home = consortium.home.path();
    let toml = fs::read_to_string(home.join("net/channel.toml")).unwrap();
    let second = toml.replacen("channel = \"changchun\"", "channel = \"jilin\"", 1);
    fs::write(home.join("net/jilin.toml"), second).unwrap();
    consortium.ok("channel genesis --config net/jilin.toml --out jilin.block");

    // While it is down, and while it runs.
    consortium.ok("channel join jilin.block --dir net/resources");
    consortium.ok("network up --dir net");
    for name in ["ndrc", "hrss", "digital"] {
        consortium.ok(&format!("channel join jilin.block --dir net/{name}"));
    }
    for line in ["net/ndrc", "net/resources"] {
        let (code, _, stderr) = consortium.run(&format!("channel join jilin.block --dir {line}"));
        assert!(code == 1 && stderr.contains("already"), "{stderr}");
    }
    let list = consortium.json("channel list --dir net/ndrc");
    let ids: Vec<_> = list["items"].as_array().unwrap().iter().map(|c| &c["channel"]).collect();
    assert_eq!(ids, ["changchun", "jilin"]);
    let begun = now();
    while consortium.json("channel info jilin --dir net/resources")["quorum"] != true {
        assert!(begun.elapsed() < WAIT_MAX, "no quorum{}", consortium.logs());
        thread::sleep(Duration::from_millis(50));
    }
    let stranger = Consortium::init(&["--agencies", "1"]);
    let foreign = stranger.dir().join("genesis.block");
    let foreign = foreign.to_str().unwrap();
    let (code, _, stderr) = consortium.run(&format!("channel join {foreign} --dir net/ndrc"));
    assert!(code == 1 && stderr.contains("CH-"), "{stderr}");

    // The configuration of the first one, changed by three of four.
    consortium.ok("channel info changchun --config new.toml --dir net/ndrc");
    let toml = fs::read_to_string(home.join("new.toml")).unwrap();
    let new = toml.replacen("timeout_ms = 10", "timeout_ms = 20", 1);
    assert_ne!(toml, new);
    fs::write(home.join("new.toml"), new).unwrap();
    let (code, _, stderr) =
        consortium.run("channel update changchun --config new.toml --submit --dir net/ndrc");
    assert!(code == 1 && stderr.contains("ChangchunHRSS.admin"), "{stderr}");
    let line = "channel update changchun --config new.toml --sign-with net/ndrc --sign-with net/hrss \
                --out update.pb --dir net/ndrc";
    let report = consortium.json(line);
    assert_eq!(report["changes"], serde_json::json!(["batch.timeout_ms: 10 becomes 20"]));
    assert_eq!(report["signed_by"], serde_json::json!(["ChangchunNDRC", "ChangchunHRSS"]));
    assert_eq!(report["missing"][0]["more"], 1, "{report}");
    let line = "channel update --in update.pb --sign-with net/digital --submit --dir net/digital";
    let report = consortium.json(line);
    assert_eq!(report["submitted"]["config_sequence"], 1, "{report}");
    let begun = now();
    for name in ["ndrc", "hrss", "digital", "resources"] {
        let line = format!("channel info changchun --dir net/{name}");
        while consortium.json(&line)["config_sequence"] != 1 {
            assert!(begun.elapsed() < WAIT_MAX, "{name} does not follow{}", consortium.logs());
            thread::sleep(Duration::from_millis(50));
        }
    }
    // The same once more no longer follows.
    let (code, _, stderr) = consortium.run("channel update --in update.pb --dir net/ndrc");
    assert!(code == 1 && stderr.contains("MS-21"), "{stderr}");

    consortium.ok("network down --dir net");
    consortium.ok("network up --dir net");
    let list = consortium.json("channel list --dir net/hrss");
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(list["items"][0]["config_sequence"], 1);
    fs::write(home.join("after.txt"), "after the change").unwrap();
    consortium.ok("evidence submit after.txt --bundle after.zip --dir net/resources");
    consortium.ok("verify after.zip after.txt --trust net/trust.pem");
}
