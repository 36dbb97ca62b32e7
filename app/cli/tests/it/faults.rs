//! Consortia of real processes under load, and what may happen to them: killed, frozen, robbed of their
//! disks, too many of them gone, restarted one after the other. Each time: nothing acknowledged is
//! lost, no two blocks at a height, no request without an answer. Times are printed and never judged.

mod load;
mod partition;
mod refusals;
mod revocation;

use std::{fs, thread, time::Duration};

use rustix::process::Signal;
use serde_json::Value;
use smkit::{OsRandom, Random as _, sm3};

use crate::consortium::Consortium;
use load::Load;

const NAMES: [&str; 4] = ["ndrc", "hrss", "digital", "resources"];

/// A consortium of four that is at work.
fn four() -> Consortium {
    four_at(Consortium::init(&[]))
}

/// Starts four nodes, and waits until they are ready.
fn four_at(consortium: Consortium) -> Consortium {
    NAMES.iter().for_each(|name| consortium.start(name));
    NAMES.iter().for_each(|name| caught_up(&consortium, name));
    consortium
}

/// How often something is done: a few times in every test run, more by `cargo xtask faults`.
#[expect(clippy::disallowed_methods, reason = "set by cargo xtask faults")]
fn rounds(few: u64) -> u64 {
    std::env::var("CHANGBAI_FAULT_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

#[test]
fn whoever_is_killed_under_load_nothing_acknowledged_is_lost() {
    let rounds = rounds(3);
    let mut seed = [0; 8];
    OsRandom.fill(&mut seed).unwrap();
    eprintln!("seed {}, {rounds} rounds", u64::from_le_bytes(seed));
    let consortium = four();
    let load = Load::default();
    load.during(&consortium, &["ndrc", "hrss"], || {
        load.goes_on(&consortium, 2);
        for round in 0..rounds {
            let dice = sm3(&[seed, round.to_le_bytes()].concat());
            let dice = dice.as_bytes();
            // Every other time whoever is to propose next.
            let next = usize::try_from((consortium.tip("ndrc").0 + 1) % 4).unwrap();
            let victim = NAMES[if round % 2 == 0 { next } else { usize::from(dice[0] % 4) }];
            load.excuse();
            consortium.kill(victim);
            thread::sleep(Duration::from_millis(100 + u64::from(dice[1]) * 4));
            consortium.start(victim);
            load.excuse();
            // Two at a time are more than four bear.
            caught_up(&consortium, victim);
            load.goes_on(&consortium, 2);
        }
    });
    load.report("killed");
    load.check(&consortium, &NAMES);
}

/// Waits until a node is ready again, as its load balancer would.
fn caught_up(consortium: &Consortium, name: &str) {
    consortium.wait_for(name, || {
        let (status, _) = consortium.operations(name, "/readyz");
        status == 200 && consortium.votes(name)
    });
}

#[test]
fn a_frozen_validator_is_not_waited_for_and_catches_up() {
    let consortium = four();
    let load = Load::default();
    load.during(&consortium, &["ndrc", "hrss"], || {
        load.goes_on(&consortium, 2);
        consortium.signal("digital", Signal::STOP);
        // Longer than a silent node counts as present.
        let behind = consortium.tip("ndrc").0;
        load.goes_on(&consortium, 6);
        thread::sleep(Duration::from_secs(4));
        load.goes_on(&consortium, 2);
        consortium.signal("digital", Signal::CONT);
        consortium.wait_for("it catches up", || consortium.tip("digital").0 > behind + 2);
        load.goes_on(&consortium, 2);
    });
    load.report("frozen");
    load.check(&consortium, &NAMES);
}

#[test]
fn a_validator_with_an_empty_disk_catches_up_before_it_votes() {
    let consortium = four();
    let load = Load::default();
    load.during(&consortium, &["ndrc", "hrss"], || {
        load.goes_on(&consortium, 8);
        consortium.kill("digital");
        let channel = consortium.dir().join("digital/channels/changchun");
        for entry in fs::read_dir(&channel).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else if path.file_name().is_none_or(|name| name != "genesis.block") {
                fs::remove_file(path).unwrap();
            }
        }
        load.goes_on(&consortium, 2);
        consortium.start("digital");
        caught_up(&consortium, "digital");
        assert!(!channel.join("consensus.newcomer").exists(), "it votes and the mark is there");
        load.goes_on(&consortium, 4);
    });
    load.report("empty disk");
    load.check(&consortium, &NAMES);
    // Its vote counts again: without it these three would be two.
    consortium.kill("resources");
    load.during(&consortium, &["hrss"], || load.goes_on(&consortium, 2));
    load.check(&consortium, &["ndrc", "hrss", "digital"]);
    for name in NAMES {
        let journal = consortium.dir().join(name).join("channels/changchun/misbehaviour.journal");
        assert!(!journal.exists(), "{name} accuses somebody{}", consortium.logs());
    }
}

#[test]
fn one_after_the_other_restarted_in_order_while_the_others_serve() {
    let consortium = four();
    let load = Load::default();
    load.during(&consortium, &["ndrc", "hrss"], || {
        load.goes_on(&consortium, 2);
        for name in NAMES {
            load.excuse();
            consortium.stop(name);
            consortium.start(name);
            load.excuse();
            caught_up(&consortium, name);
            load.goes_on(&consortium, 2);
        }
    });
    load.report("restarted in turn");
    load.check(&consortium, &NAMES);
}

#[test]
fn without_a_quorum_nothing_is_decided_and_everybody_says_so() {
    let consortium = four();
    let load = Load::default();
    load.during(&consortium, &["ndrc", "hrss"], || load.goes_on(&consortium, 4));
    consortium.settle(&NAMES);
    consortium.kill("digital");
    consortium.kill("resources");
    consortium.until("no quorum", |code, nodes| {
        code == 1 && nodes.iter().filter(|node| node["quorum"] == false).count() == 2
    });
    consortium.wait_for("not ready", || consortium.operations("ndrc", "/readyz").0 == 503);
    consortium.wait_for("the alarm", || {
        let (_, alarms) = consortium.operations("ndrc", "/alarms");
        let alarms: Value = serde_json::from_str(&alarms).unwrap();
        alarms["alarms"].as_array().unwrap().iter().any(|alarm| alarm["code"] == "OP-1003")
    });
    let before = (consortium.tip("ndrc"), consortium.tip("hrss"));
    let (status, answer, retry) = consortium.clerk("ndrc").submit_once(b"without a quorum");
    assert!(matches!(status, 503 | 504), "{status} {answer}");
    assert!(retry.is_some(), "no hint when to come again: {answer}");
    assert_eq!(before, (consortium.tip("ndrc"), consortium.tip("hrss")), "nothing is decided");

    consortium.start("digital");
    load.during(&consortium, &["ndrc", "hrss"], || load.goes_on(&consortium, 4));
    load.report("no quorum for a while");
    load.check(&consortium, &["ndrc", "hrss", "digital"]);
    consortium.start("resources");
    load.check(&consortium, &NAMES);
}
