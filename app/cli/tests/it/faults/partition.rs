//! Nodes in network namespaces of their own, joined by bridges: what is on another bridge is not there,
//! without a word, as behind a dead line.

use std::{env, fs, process::Command, thread, time::Duration};

use super::{NAMES, four_at, load::Load};
use crate::consortium::Consortium;

/// Set in the test that runs again inside of namespaces that it may do anything with.
const INSIDE: &str = "CHANGBAI_TEST_INSIDE_NAMESPACES";

#[test]
fn whoever_is_cut_off_comes_back_and_no_half_decides_alone() {
    let name = "faults::partition::whoever_is_cut_off_comes_back_and_no_half_decides_alone";
    if !inside(name) {
        return;
    }
    let network = Network::new();
    let hosts: Vec<String> = (1..=4).map(|n| format!("10.77.0.{n}")).collect();
    let hosts: Vec<&str> = hosts.iter().flat_map(|host| ["--host", host.as_str()]).collect();
    let consortium = four_at(Consortium::apart(&hosts));
    let load = Load::default();
    load.during(&consortium, &["ndrc", "hrss"], || {
        load.goes_on(&consortium, 2);
        network.part(&["digital"]);
        // Longer than a silent node counts as present.
        load.goes_on(&consortium, 4);
        thread::sleep(Duration::from_secs(4));
        load.goes_on(&consortium, 4);
        let (others, cut) = (consortium.tip("ndrc").0, consortium.tip("digital").0);
        assert!(cut < others, "{cut} is not behind {others}: nothing was cut");
        network.join(&["digital"]);
        consortium.wait_for("it catches up", || consortium.tip("digital").0 > others);
        load.goes_on(&consortium, 2);
    });
    load.report("one cut off");
    load.check(&consortium, &NAMES);

    network.part(&["digital", "resources"]);
    for (name, other) in [("ndrc", "hrss"), ("digital", "resources")] {
        consortium.wait_for("it misses the quorum", || {
            consortium.operations(name, "/readyz").0 == 503
                && consortium.operations(other, "/readyz").0 == 503
        });
    }
    let tips = || NAMES.map(|name| consortium.tip(name));
    let before = tips();
    for name in ["ndrc", "digital"] {
        let clerk = consortium.clerk(name);
        let (status, answer, retry) = consortium.at(name, || clerk.submit_once(b"in a half"));
        assert!(matches!(status, 503 | 504) && retry.is_some(), "{name}: {status} {answer}");
    }
    assert_eq!(before, tips(), "a half has decided something");
    network.join(&["digital", "resources"]);
    load.during(&consortium, &["ndrc", "digital"], || load.goes_on(&consortium, 4));
    load.report("halves");
    load.check(&consortium, &NAMES);
}

/// Whether this is the run inside; else that is started and judged.
fn inside(name: &str) -> bool {
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let probe = "mount -t tmpfs tmpfs /run && ip netns add probe && ip link add probe type bridge";
    let tried = Command::new("unshare").args(["-Urnm", "sh", "-c", probe]).output();
    let reason = match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Some(format!("unshare: {error}")),
    };
    if let Some(reason) = reason {
        // A machine that allows no namespaces is no fault of the program's; one without iproute2 is mended.
        eprintln!("skipped: no network namespaces here: {reason}");
        return false;
    }
    let again = Command::new("unshare")
        .args(["-Urnm", "--"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads", "1"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success(), "{said}{}", String::from_utf8_lossy(&again.stdout));
    said.lines().filter(|line| line.contains("longest gap")).for_each(|line| eprintln!("{line}"));
    false
}

/// Two bridges; a node on the other one is cut off.
struct Network;

impl Network {
    fn new() -> Self {
        run("mount -t tmpfs tmpfs /run");
        fs::create_dir_all("/run/netns").unwrap();
        run("ip link set lo up");
        for bridge in ["here", "there"] {
            run(&format!("ip link add {bridge} type bridge"));
            run(&format!("ip link set {bridge} up"));
        }
        for (name, n) in NAMES.into_iter().zip(1..) {
            run(&format!("ip netns add {name}"));
            run(&format!("ip link add to-{name} type veth peer name net netns {name}"));
            run(&format!("ip link set to-{name} master here up"));
            run(&format!("ip -n {name} link set lo up"));
            run(&format!("ip -n {name} address add 10.77.0.{n}/24 dev net"));
            run(&format!("ip -n {name} link set net up"));
        }
        Self
    }

    fn part(&self, names: &[&str]) {
        names.iter().for_each(|name| run(&format!("ip link set to-{name} master there")));
    }

    fn join(&self, names: &[&str]) {
        names.iter().for_each(|name| run(&format!("ip link set to-{name} master here")));
    }
}

fn run(line: &str) {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}
