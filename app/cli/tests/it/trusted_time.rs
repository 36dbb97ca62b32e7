//! `changbai time check`, and a node whose records need a bound, against a simulated chronyd.

use std::{net::UdpSocket, time::Duration};

use serde_json::Value;
use smkit::sm3;
use smkit_pki::{
    Admission, Certificate, TimeStampError, TimeStampFailure, TimeStampRequest, TimeStampResponse,
    TrustAnchors, Validator, VerifiedTimeStamp,
};

use crate::{
    chronyd::{Chronyd, ELEVEN_MS, GOOD, RealChronyd, Says, find, skip},
    consortium::Consortium,
    node::Node,
    run,
};

/// More than evidence allows.
const ELEVEN: Says = Says { dispersion: ELEVEN_MS, ..GOOD };

/// The settings of a node in production that asks a chronyd.
fn production(chrony: &str) -> String {
    format!(
        "[time]\nsource = \"chrony\"\nproduction = true\ntsa_policy = \"1.2.3.4\"\n\
         chrony = \"{chrony}\"\n"
    )
}

fn health(node: &Node) -> Value {
    serde_json::from_slice(&node.get("/api/v1/health").1).unwrap()
}

#[test]
fn the_check_judges_and_its_exit_code_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let chronyd = Chronyd::start(GOOD);
    let check = |lang: &str, json: &[&str]| {
        let args = ["time", "check", "--chrony", &chronyd.address, "--lang", lang];
        run(dir.path(), &[&args, json].concat())
    };
    let (code, text, _) = check("en", &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("good enough for evidence") && text.contains("PPS"), "{text}");
    let (_, text, _) = check("zh", &[]);
    assert!(text.contains("可用于存证") && text.contains("误差上界"), "{text}");
    let (code, json, _) = check("en", &["--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["acceptable"], &json["checked"]), (0, &true.into(), &true.into()));
    assert_eq!((&json["bound_us"], &json["code"]), (&2_001.into(), &Value::Null));

    chronyd.set(ELEVEN);
    let (code, text, _) = check("en", &[]);
    assert_eq!(code, 1);
    assert!(text.contains("TM-2007") && text.contains("at most 10000 us"), "{text}");

    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let args = ["time", "check", "--chrony", &nobody, "--json"];
    let (code, json, _) = run(dir.path(), &args);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["checked"], &json["code"]), (2, &false.into(), &"TM-1001".into()));

    let (code, _, stderr) = run(dir.path(), &["time", "check", "--chrony", "10.0.0.1:323"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("time.chrony"), "{stderr}");
}

#[test]
fn without_a_bound_nothing_is_recorded_and_reads_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let chronyd = Chronyd::start(ELEVEN);
    std::fs::write(dir.path().join("changbai.toml"), production(&chronyd.address)).unwrap();
    let node = Node::start(dir.path());
    let clerk = node.clerk();
    let (status, problem) = clerk.submit(b"too early").unwrap();
    assert_eq!((status, &problem["code"]), (503, &"EV-4507".into()));
    assert!(problem["detail"].as_str().unwrap().starts_with("TM-2007"), "{problem}");
    let time = &health(&node)["time"];
    assert_eq!((&time["source"], &time["refusal"]), (&"chrony".into(), &"TM-2007".into()));
    assert_eq!((&time["synchronised"], &time["reference"]), (&false.into(), &"PPS".into()));
    assert_eq!(node.get("/api/v1/evidence").0, 200, "reads go on");
    let refused = TimeStampResponse::from_der(&stamp(&node, &query()));
    let unavailable = Some(TimeStampFailure::TimeNotAvailable);
    assert!(matches!(refused, Err(TimeStampError::Refused { failure }) if failure == unavailable));

    chronyd.say(GOOD);
    let (status, recorded) = clerk.submit(b"in time").unwrap();
    assert_eq!(status, 201, "{recorded}");
    let id = recorded["evidence_id"].as_str().unwrap().to_owned();
    let (_, record) = node.get(&format!("/api/v1/evidence/{id}"));
    let record: Value = serde_json::from_slice(&record).unwrap();
    let time = &record["record"]["time"];
    assert_eq!(time["source"], "synchronised", "{record}");
    let bound_us = time["bound_us"].as_u64().unwrap();
    assert!((2_001..10_000).contains(&bound_us), "{bound_us}");
    assert_eq!(health(&node)["time"]["synchronised"], true);

    let accuracy = stamped(&node).accuracy.unwrap().bound();
    assert!(accuracy >= Duration::from_micros(2_001) && accuracy < Duration::from_millis(10));

    chronyd.say(ELEVEN);
    assert_eq!(clerk.submit(b"too late").unwrap().0, 503);
    assert_eq!(node.get(&format!("/api/v1/evidence/{id}")).0, 200);
    assert_eq!(node.stop(), 0);
}

/// A request for a token over one digest.
fn query() -> TimeStampRequest {
    TimeStampRequest::new(&sm3(b"a deed"), &[9; 16], None).unwrap()
}

fn stamp(node: &Node, query: &TimeStampRequest) -> Vec<u8> {
    let url = format!("http://{}/tsa", node.address);
    let call = ureq::post(url).header("content-type", "application/timestamp-query");
    let mut answer = call.send(query.der()).unwrap();
    assert_eq!(answer.headers()["content-type"], "application/timestamp-reply");
    answer.body_mut().read_to_vec().unwrap()
}

/// A token that verifies under the agency's root.
fn stamped(node: &Node) -> VerifiedTimeStamp {
    let query = query();
    let answer = TimeStampResponse::from_der(&stamp(node, &query)).unwrap();
    let root = std::fs::read_to_string(node.dir.join("identity/ca/ca.cert.pem")).unwrap();
    let root = Certificate::from_pem(&root).unwrap();
    let admission = Admission::under(root.sm3());
    let anchors = TrustAnchors::from_certificates(vec![root]);
    answer.token().verify(query.imprint(), &Validator::new(anchors, vec![admission]), &[]).unwrap()
}

#[test]
fn tokens_have_serials_of_their_own_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut serials = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let node = Node::start(dir.path());
        for _ in 0..2 {
            let token = stamped(&node);
            assert_eq!(token.accuracy, None, "nobody bounds this clock");
            serials.insert(token.serial);
        }
        node.kill();
    }
    assert_eq!(serials.len(), 4);
    std::fs::write(dir.path().join("identity/tsa.serial"), "0 0\n").unwrap();
    let refusal = Node::try_start(dir.path()).err().unwrap();
    assert!(refusal.contains("tsa.serial"), "{refusal}");
}

#[test]
fn production_refuses_a_clock_that_nobody_bounds() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("changbai.toml"), "[time]\nproduction = true\n").unwrap();
    let refusal = Node::try_start(dir.path()).err().unwrap();
    assert!(refusal.contains("time.source"), "{refusal}");
}

#[test]
fn each_defect_of_the_clock_is_named_to_the_submitter() {
    let dir = tempfile::tempdir().unwrap();
    let chronyd = Chronyd::start(GOOD);
    std::fs::write(dir.path().join("changbai.toml"), production(&chronyd.address)).unwrap();
    let node = Node::start(dir.path());
    let clerk = node.clerk();
    assert_eq!(clerk.submit(b"well").unwrap().0, 201);
    for (says, code) in [
        (Says { reference: [0; 4], stratum: 0, leap: 3, ..GOOD }, "TM-2001"),
        (Says { reference: [127, 127, 1, 1], ..GOOD }, "TM-2002"),
        (Says { leap: 3, ..GOOD }, "TM-2003"),
        (Says { stratum: 16, ..GOOD }, "TM-2004"),
        (Says { age_s: 5_000, ..GOOD }, "TM-2005"),
        (Says { age_s: -60, ..GOOD }, "TM-2006"),
        (ELEVEN, "TM-2007"),
    ] {
        chronyd.say(says);
        let (status, problem) = clerk.submit(b"refused").unwrap();
        assert_eq!((status, &problem["code"]), (503, &"EV-4507".into()), "{code}: {problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with(code), "{code}: {problem}");
        assert_eq!(health(&node)["time"]["refusal"], code);
    }
    // A leap second announced is no defect.
    for leap in [1, 2] {
        chronyd.say(Says { leap, ..GOOD });
        let (status, problem) = clerk.submit(&[u8::try_from(leap).unwrap()]).unwrap();
        assert_eq!(status, 201, "{problem}");
    }
    // Silence: the last answer stands for a few seconds, and no longer.
    chronyd.set(Says { silent: true, ..GOOD });
    let mut count = 0_u32;
    let problem = loop {
        count += 1;
        let (status, problem) = clerk.submit(&count.to_be_bytes()).unwrap();
        if status != 201 {
            break problem;
        }
        assert!(count < 600, "nobody misses chronyd");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(problem["code"], "EV-4507", "{problem}");
    assert!(problem["detail"].as_str().unwrap().starts_with("TM-1002"), "{problem}");
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_real_chronyd_that_follows_itself_is_refused() {
    let Some(program) = find("chronyd") else { return };
    let dir = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let mut chronyd = RealChronyd::start(&program, home.path(), "local stratum 1");
    std::fs::write(dir.path().join("changbai.toml"), production(&chronyd.address)).unwrap();
    let node = Node::start(dir.path());
    let clerk = node.clerk();
    for _ in 0..600 {
        if chronyd.is_gone() {
            skip("chronyd does not run here");
            return;
        }
        let (status, problem) = clerk.submit(b"refused").unwrap();
        assert_eq!((status, &problem["code"]), (503, &"EV-4507".into()), "{problem}");
        if problem["detail"].as_str().unwrap().starts_with("TM-2002") {
            let args = ["time", "check", "--chrony", &chronyd.address, "--json"];
            let (code, json, _) = run(home.path(), &args);
            let json: Value = serde_json::from_str(&json).unwrap();
            assert_eq!((code, &json["code"]), (1, &"TM-2002".into()), "{json}");
            return;
        }
        // It has not answered its first question yet.
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the node does not hear chronyd");
}

#[test]
fn without_chrony_everything_says_so() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path();
    let data = dir.join("data");
    let node = Node::start(&data);
    assert_eq!(health(&node)["time"]["source"], "local");
    std::fs::write(dir.join("deed.txt"), b"a deed").unwrap();
    let args = ["evidence", "submit", "deed.txt", "--business", "general", "--bundle", "deed.zip"];
    let args = [&args[..], &["--dir", "data", "--json", "--lang", "en"]].concat();
    let (code, stdout, stderr) = run(dir, &args);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let record: Value = serde_json::from_str(&stdout).unwrap();
    let id = record["evidence_id"].as_str().unwrap();
    let (_, shown) = node.get(&format!("/api/v1/evidence/{id}"));
    let shown: Value = serde_json::from_slice(&shown).unwrap();
    assert_eq!(shown["record"]["time"]["source"], "local", "{shown}");
    let (status, drawn) = node.get(&format!("/api/v1/evidence/{id}/certificate.svg"));
    assert_eq!(status, 200);
    assert!(!drawn.is_empty());
    let args = ["verify", "deed.zip", "deed.txt", "--trust", "data/trust.pem", "--json"];
    let (_, verdict, _) = run(dir, &args);
    let verdict: Value = serde_json::from_str(&verdict).unwrap();
    let elements = verdict["elements"].as_array().unwrap();
    let bound = elements.iter().find(|element| element["name"] == "time_bound").unwrap();
    assert_eq!((&bound["status"], &bound["code"]), (&"absent".into(), &"VF-2480".into()));
}

/// Two agencies, both of whose endorsements it takes: one in production, one whose clock nobody bounds.
#[test]
fn production_endorses_no_record_without_a_bound() {
    let both = [
        "--agencies",
        "2",
        "--endorsement",
        "OutOf(2, 'ChangchunNDRC.peer', 'ChangchunHRSS.peer')",
    ];
    let net = Consortium::init(&both);
    let names = ["ndrc", "hrss"];
    let chronyd = Chronyd::start(GOOD);
    let file = net.dir().join(names[0]).join("changbai.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    let mut bounded = settings.clone();
    for (usual, other) in [
        ("source = \"local\"", "source = \"chrony\""),
        ("production = false", "production = true"),
        ("tsa_policy = \"\"", "tsa_policy = \"1.2.3.4\""),
        ("127.0.0.1:323", &chronyd.address),
    ] {
        assert!(bounded.contains(usual), "{usual}: {settings}");
        bounded = bounded.replace(usual, other);
    }
    std::fs::write(&file, bounded).unwrap();
    names.iter().for_each(|name| net.start(name));
    net.settle(&names);

    let (status, problem) = net.clerk(names[1]).submit(b"whenever").unwrap();
    assert_eq!((status, &problem["code"]), (503, &"EV-4508".into()), "{problem}{}", net.logs());
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("ChangchunNDRC") && detail.contains("no bound"), "{problem}");
    // The other way round the rule has nothing to say.
    let (status, recorded) = net.clerk(names[0]).submit(b"on time").unwrap();
    assert_eq!(status, 201, "{recorded}{}", net.logs());
    let heights = net.settle(&names);
    assert!(heights > 0);
}
