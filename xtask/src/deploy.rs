//! What can be said about `deploy/` without a Docker daemon and a machine to install on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn file(name: &str) -> PathBuf {
    crate::root().join("deploy").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

/// Prints the skip with its reason, or fails when peers are required.
fn skip(reason: &str) {
    let required = std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "required by CHANGBAI_REQUIRE_PEERS: {reason}");
    eprintln!("skipped: {reason}");
}

/// The file as another implementation reads it; `None` when it is not installed.
fn yaml(name: &str) -> Option<Value> {
    let program = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let output = Command::new("python3").args(["-c", program]).arg(file(name)).output();
    let Ok(output) = output else {
        skip("python3 is not installed");
        return None;
    };
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    if error.contains("No module named 'yaml'") {
        skip("python3 has no module yaml");
        return None;
    }
    assert!(output.status.success(), "{name}: {error}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

const VALIDATORS: [&str; 4] = ["ndrc", "hrss", "digital", "resources"];

#[test]
fn the_consortium_for_trials_fits_together() {
    let Some(compose) = yaml("compose.yaml") else { return };
    let services = compose["services"].as_object().unwrap();
    let names: BTreeSet<&str> = services.keys().map(String::as_str).collect();
    let rest = ["init", "address", "follower"];
    assert_eq!(names, VALIDATORS.into_iter().chain(rest).collect());

    let init = services["init"]["command"][0].as_str().unwrap();
    let address = services["address"]["networks"]["agencies"]["ipv4_address"].as_str().unwrap();
    assert!(init.contains(&format!("--host {address}")), "{init}");
    let followers = strings(&services["follower"]["entrypoint"]);
    let seats = followers.get(2..).unwrap().len();
    assert!(init.contains(&format!("--agencies {} --validators 4", 4 + seats)), "{init}");
    let subnet = compose["networks"]["agencies"]["ipam"]["config"][0]["subnet"].as_str().unwrap();
    assert!(address.starts_with(subnet.trim_end_matches("0/24")), "{address} in {subnet}");

    let ports = strings(&services["address"]["ports"]);
    for port in ["7050", "7060", "7070", "7080", "7051", "8443", "8453", "8463", "8473"] {
        assert!(ports.contains(&format!("{port}:{port}").as_str()), "{port}");
    }
    // Plain HTTP stays inside.
    assert!(!ports.iter().any(|port| port.starts_with("8080") || port.starts_with("9443")));
    for name in VALIDATORS {
        let service = &services[name];
        let config = format!("/consortium/{name}/changbai.toml");
        assert_eq!(strings(&service["command"]), ["node", "run", "--config", &config]);
        assert_eq!(service["environment"]["CHANGBAI_DIR"], format!("/consortium/{name}"));
        assert_eq!(service["network_mode"], "service:address");
    }
    for name in VALIDATORS.into_iter().chain(["follower"]) {
        let service = &services[name];
        assert!(service["healthcheck"]["test"].is_array(), "{name} has no health check");
        assert_eq!(strings(&service["volumes"]), ["consortium:/consortium"]);
        assert_eq!(service["depends_on"]["init"]["condition"], "service_completed_successfully");
        assert_eq!(service["read_only"], true);
        assert_eq!(strings(&service["cap_drop"]), ["ALL"]);
        assert!(service["ports"].is_null(), "{name} could not be scaled");
    }
    assert!(compose["volumes"].as_object().unwrap().contains_key("consortium"));
}

#[test]
fn every_rule_says_how_urgent_it_is_and_what_to_do() {
    let Some(rules) = yaml("prometheus/alerts.yml") else { return };
    let mut seen = BTreeSet::new();
    for group in rules["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            let name = rule["alert"].as_str().unwrap();
            assert!(seen.insert(name), "{name} is there twice");
            assert!(!rule["expr"].as_str().unwrap().is_empty());
            let severity = rule["labels"]["severity"].as_str().unwrap();
            assert!(["critical", "warning", "{{ $labels.severity }}"].contains(&severity));
            for part in ["summary", "description"] {
                assert!(rule["annotations"][part].as_str().is_some_and(|t| t.len() > 10), "{name}");
            }
        }
    }
    assert!(seen.contains("ChangbaiAlarm"));
}

#[test]
fn the_image_is_small_its_user_has_no_rights_and_its_ports_are_ours() {
    let dockerfile = text("Dockerfile");
    let with = |word: &str| dockerfile.lines().filter_map(|l| l.strip_prefix(word)).next_back();
    assert_eq!(with("FROM "), Some("debian:stable-slim"));
    assert_eq!(with("EXPOSE "), Some("7050 7051 8080 8443 9443"));
    assert!(with("USER ").is_some_and(|user| user.starts_with("10001")));
    for copied in dockerfile.lines().filter_map(|line| line.strip_prefix("COPY deploy/")) {
        let name = copied.split(' ').next().unwrap();
        assert!(file(name).exists(), "{name} is not there");
    }
}

/// Stands for the node: says which directory it was given, and stays.
const NODE: &str = "#!/bin/sh\nprintf '%s\\n' \"$4\" > \"$SEEN/$$\"\nexec sleep 60\n";

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_seat_is_given_away_once_until_its_holder_is_gone() {
    use std::os::unix::fs::PermissionsExt;
    if Command::new("flock").arg("--version").output().is_err() {
        return skip("flock is not installed");
    }
    let dir = tempfile::tempdir().unwrap();
    let (bin, seen) = (dir.path().join("bin"), dir.path().join("seen"));
    std::fs::create_dir(&bin).unwrap();
    std::fs::create_dir(&seen).unwrap();
    let node = bin.join("changbai");
    std::fs::write(&node, NODE).unwrap();
    std::fs::set_permissions(&node, PermissionsExt::from_mode(0o755)).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path)));
    let path = path.unwrap();
    let start = || {
        let mut command = Command::new(file("follower.sh"));
        command.arg(dir.path()).args(["market", "justice"]).stderr(Stdio::null());
        Ended(command.env("PATH", &path).env("SEEN", &seen).spawn().unwrap())
    };
    let seat = |holder: &Ended| {
        let told = seen.join(holder.0.id().to_string());
        loop {
            // The shell becomes the node: both have one process id.
            match std::fs::read_to_string(&told) {
                Ok(config) if config.ends_with('\n') => break place(&config),
                _ => std::thread::sleep(std::time::Duration::from_millis(5)),
            }
        }
    };
    let first = start();
    assert_eq!(seat(&first), "market");
    let second = start();
    assert_eq!(seat(&second), "justice");
    let mut third = start();
    assert_eq!(third.0.wait().unwrap().code(), Some(75));
    drop(first);
    assert_eq!(seat(&start()), "market");
}

/// The folder of a configuration file.
fn place(config: &str) -> String {
    let folder = Path::new(config.trim_end()).parent().unwrap().file_name().unwrap();
    folder.to_str().unwrap().to_owned()
}

#[test]
fn systemd_has_nothing_against_the_unit() {
    let unit = text("systemd/changbai.service");
    // The program and the guide are not installed here.
    let unit = unit.replace("/usr/bin/changbai", "/bin/true");
    assert!(unit.contains("ExecStart=/bin/true node run --config"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("changbai.service");
    std::fs::write(&path, unit).unwrap();
    let Ok(output) = Command::new("systemd-analyze").arg("verify").arg(&path).output() else {
        return skip("systemd-analyze is not installed");
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let about: Vec<&str> = said.lines().filter(|line| line.contains("changbai")).collect();
    assert!(output.status.success() && about.is_empty(), "{said}");
}
