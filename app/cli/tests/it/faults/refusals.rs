//! What a node says that is given something wrong: which file or setting, what is the matter with it, and
//! what to do next, in both languages; and what it does with a disk that runs full.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{NAMES, caught_up, four, load::Load};
use crate::{
    changbai,
    consortium::{Consortium, WAIT_MAX},
    node::{Clerk, agent, now},
    outcome,
};

/// Starts a node that must refuse, and gives what it says in Chinese and English.
fn refusal(consortium: &Consortium, name: &str, preload: Option<&Path>) -> [String; 2] {
    let config = format!("net/{name}/changbai.toml");
    ["zh", "en"].map(|lang| {
        let args = ["node", "run", "--config", &config, "--lang", lang];
        let mut command = changbai(consortium.home.path(), &args);
        command.envs(preload.map(|library| ("LD_PRELOAD", library)));
        let (code, _, stderr) = outcome(command.output().unwrap());
        assert_eq!(code, 1, "{stderr}");
        assert!(stderr.contains(if lang == "zh" { "下一步" } else { "next" }), "{stderr}");
        stderr
    })
}

fn says(said: &[String; 2], zh: &str, en: &str, both: &[&str]) {
    assert!(said[0].contains(zh) && said[1].contains(en), "{said:?}");
    for part in both {
        assert!(said.iter().all(|text| text.contains(part)), "{part}: {said:?}");
    }
}

#[test]
fn whatever_is_wrong_is_named_before_anything_is_served() {
    let consortium = Consortium::init(&[]);
    let file = |name: &str| consortium.dir().join(name);

    // Genesis blocks: a flipped byte, none, that of another consortium, that of another channel.
    let genesis = file("ndrc/channels/changchun/genesis.block");
    let intact = fs::read(&genesis).unwrap();
    let mut flipped = intact.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x01;
    fs::write(&genesis, flipped).unwrap();
    let said = refusal(&consortium, "ndrc", None);
    says(&said, "创世区块", "genesis block", &["genesis.block"]);
    fs::remove_file(&genesis).unwrap();
    let said = refusal(&consortium, "ndrc", None);
    says(&said, "创世区块", "genesis block", &["genesis.block"]);
    let stranger = Consortium::init(&["--agencies", "1", "--channel", "jilin"]);
    fs::copy(stranger.dir().join("genesis.block"), &genesis).unwrap();
    let said = refusal(&consortium, "ndrc", None);
    says(&said, "创世区块", "genesis block", &["genesis.block", "jilin"]);
    let stranger = Consortium::init(&["--agencies", "1"]);
    fs::copy(stranger.dir().join("genesis.block"), &genesis).unwrap();
    let said = refusal(&consortium, "ndrc", None);
    says(&said, "不属于通道", "does not belong to channel", &["node.cert.pem", "changchun"]);
    fs::write(&genesis, intact).unwrap();

    // The certificate and key of another agency.
    let kept = ["node.cert.pem", "node.key.pem"].map(|name| {
        let own = file("hrss/identity").join(name);
        let kept = fs::read(&own).unwrap();
        fs::copy(file("digital/identity").join(name), &own).unwrap();
        (own, kept)
    });
    let said = refusal(&consortium, "hrss", None);
    says(&said, "", "", &["node.cert.pem"]);
    // The certificate alone: the key is not its.
    fs::write(&kept[1].0, &kept[1].1).unwrap();
    let said = refusal(&consortium, "hrss", None);
    says(&said, "", "", &["node."]);
    fs::write(&kept[0].0, &kept[0].1).unwrap();

    // A setting that does not exist.
    let settings = file("hrss/changbai.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("nonsense = 1\n{text}")).unwrap();
    let said = refusal(&consortium, "hrss", None);
    says(&said, "", "", &["changbai.toml", "nonsense"]);
    fs::write(&settings, text).unwrap();

    // After all that, both start.
    consortium.start("ndrc");
    consortium.start("hrss");
}

#[test]
fn a_clock_before_the_last_block_is_named() {
    let consortium = Consortium::init(&["--agencies", "1"]);
    // The authority dates its certificates five minutes back.
    let Some(library) = late_clock(consortium.home.path(), 120) else { return };
    let said = refusal(&consortium, "ndrc", Some(&library));
    says(&said, "本机时间比通道 changchun", "this machine's clock is", &["changchun"]);
    let Some(library) = late_clock(consortium.home.path(), 86_400) else { return };
    let said = refusal(&consortium, "ndrc", Some(&library));
    says(&said, "核对本机时间", "check the clock", &["node.cert.pem"]);
    consortium.start("ndrc");
}

/// A library that puts a program's wall clock back by so much.
fn late_clock(dir: &Path, seconds: u32) -> Option<PathBuf> {
    let (source, library) = (dir.join("late.c"), dir.join(format!("late{seconds}.so")));
    let text = "#define _GNU_SOURCE\n#include <time.h>\n#include <unistd.h>\n#include <sys/syscall.h>\n\
                int clock_gettime(clockid_t id, struct timespec *at) {\n\
                int outcome = syscall(SYS_clock_gettime, id, at);\n\
                if (id == CLOCK_REALTIME) at->tv_sec -= LATE_S;\nreturn outcome;\n}\n";
    fs::write(&source, text).unwrap();
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", &format!("-DLATE_S={seconds}"), "-o"])
        .arg(&library)
        .arg(&source);
    match compiler.output() {
        Ok(output) if output.status.success() => Some(library),
        Ok(output) => panic!("cc: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => {
            skip(&format!("cc does not start: {error}"));
            None
        }
    }
}

fn skip(reason: &str) {
    assert!(std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_none(), "{reason}");
    eprintln!("skipped: {reason}");
}

#[test]
fn a_damaged_block_log_is_named_and_fetched_again() {
    let consortium = four();
    let load = Load::default();
    load.during(&consortium, &["ndrc", "hrss"], || load.goes_on(&consortium, 8));
    consortium.settle(&NAMES);
    consortium.kill("digital");
    let blocks = consortium.dir().join("digital/channels/changchun/blocks");
    let log = fs::read_dir(blocks).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&log, bytes).unwrap();
    consortium.start("digital");
    caught_up(&consortium, "digital");
    let said = fs::read_to_string(consortium.dir().join("digital/node.log")).unwrap();
    let told = |line: &str| line.contains("node::recovered") || line.contains("OP-1007");
    assert!(said.lines().any(told), "{said}");
    load.during(&consortium, &["ndrc", "digital"], || load.goes_on(&consortium, 2));
    load.check(&consortium, &NAMES);
}

/// A node on a small disk of its own.
struct OnDisk {
    child: Child,
    /// The disk as this process can see it.
    disk: PathBuf,
}

impl OnDisk {
    /// `None`, with the reason, where nobody may mount anything.
    fn start(consortium: &Consortium) -> Option<Self> {
        let mut probe = Command::new("unshare");
        probe.args(["-Urm", "mount", "-t", "tmpfs", "x", "/mnt"]);
        if let Some(reason) = match probe.output() {
            Ok(output) if output.status.success() => None,
            Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Some(error.to_string()),
        } {
            eprintln!("skipped: no disk of one's own here: {reason}");
            return None;
        }
        let disk = consortium.home.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let script = "mount -t tmpfs -o size=300m tmpfs disk && cp -r net/ndrc disk/ && \
                      exec \"$0\" node run --attached --config disk/ndrc/changbai.toml";
        let child = Command::new("unshare")
            .args(["-Urm", "sh", "-c", script, env!("CARGO_BIN_EXE_changbai")])
            .current_dir(consortium.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(consortium.home.path().join("said")).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        let disk = disk.strip_prefix("/").unwrap();
        let disk = PathBuf::from(format!("/proc/{}/root", child.id())).join(disk);
        Some(Self { child, disk })
    }

    fn address(&self) -> String {
        let begun = now();
        loop {
            if let Ok(text) = fs::read_to_string(self.disk.join("ndrc/node.json")) {
                let running: Value = serde_json::from_str(&text).unwrap();
                let address = running["listen"][0].as_str().unwrap();
                return address.strip_prefix("http://").unwrap().to_owned();
            }
            assert!(begun.elapsed() < WAIT_MAX, "it does not start");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
        drop(self.child.wait());
    }
}

#[test]
fn on_a_full_disk_nothing_is_signed_reads_go_on_and_it_resumes() {
    let consortium = Consortium::init(&["--agencies", "1"]);
    let Some(node) = OnDisk::start(&consortium) else { return };
    let address = node.address();
    let clerk = Clerk::new(&consortium.dir().join("ndrc"), &address);
    let begun = now();
    let submit = |content: &[u8], wanted: u16| loop {
        let (status, answer, retry) = clerk.submit_once(content);
        if status == wanted {
            return (answer, retry);
        }
        assert!(matches!(status, 200 | 201 | 503), "{status} {answer}");
        assert!(begun.elapsed() < WAIT_MAX, "still {status}: {answer}");
        thread::sleep(Duration::from_millis(100));
    };
    let (answer, _) = submit(b"before", 201);
    let id = answer["evidence_id"].as_str().unwrap().to_owned();
    // Less than the reserve is free now.
    fs::write(node.disk.join("others"), vec![1; 80 << 20]).unwrap();
    let (status, answer, retry) = clerk.submit_once(b"full");
    assert!(status == 503 && retry.is_some(), "{status} {answer}");
    let url = format!("http://{address}/api/v1/evidence/{id}/bundle");
    assert_eq!(agent().get(url).call().unwrap().status(), 200, "reads go on");
    fs::remove_file(node.disk.join("others")).unwrap();
    submit(b"after", 201);
}
