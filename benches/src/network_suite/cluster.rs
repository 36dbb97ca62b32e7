//! A consortium of real processes on loopback, made and run as its operator would: by the binary `changbai`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::report::disk_bytes;

/// The nodes of a consortium, started one by one.
pub(super) struct Cluster {
    /// Removed when this is dropped.
    _dir: tempfile::TempDir,
    binary: PathBuf,
    pub(super) nodes: Vec<Node>,
}

/// One agency's node.
pub(super) struct Node {
    pub(super) name: String,
    pub(super) dir: PathBuf,
    /// `HOST:PORT` of REST over GM TLS.
    pub(super) gm_tls: String,
    child: Option<Child>,
}

impl Cluster {
    /// `changbai network init`, with this endorsement policy.
    pub(super) fn create(agencies: usize, endorsement: Option<&str>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let binary = binary();
        let consortium = dir.path().join("consortium");
        let mut command = Command::new(&binary);
        command.args(["network", "init", "--agencies", &agencies.to_string(), "--dir"]);
        command.arg(&consortium).args(["--port-base", PORT_BASE]);
        if let Some(policy) = endorsement {
            command.args(["--endorsement", policy]);
        }
        let made = command.stdout(Stdio::null()).status().expect("changbai runs");
        assert!(made.success(), "changbai network init");
        let mut names: Vec<String> = std::fs::read_dir(&consortium)
            .expect("a consortium")
            .flatten()
            .filter(|entry| entry.path().join("changbai.toml").exists())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        let nodes = names.into_iter().map(|name| Node::of(&consortium, name)).collect();
        Self { _dir: dir, binary, nodes }
    }

    pub(super) fn start_all(&mut self) {
        for at in 0..self.nodes.len() {
            self.start(at);
        }
    }

    /// `changbai node run`.
    pub(super) fn start(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        let log = std::fs::File::create(node.dir.join("node.log")).expect("a log file");
        let child = Command::new(&self.binary)
            .args(["node", "run", "--config"])
            .arg(node.dir.join("changbai.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn()
            .expect("changbai runs");
        node.child = Some(child);
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self, at: usize) {
        if let Some(mut child) = self.nodes[at].child.take() {
            child.kill().expect("an own process can be killed");
            child.wait().expect("an own process ends");
        }
    }

    /// SIGTERM to all, and their end: what they leave on the disk is settled then.
    pub(super) fn stop_all(&mut self) {
        for node in &self.nodes {
            let pid = node.pid().and_then(|pid| rustix::process::Pid::from_raw(pid as i32));
            let pid = pid.expect("a running node");
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)
                .expect("an own process takes signals");
        }
        for node in &mut self.nodes {
            if let Some(mut child) = node.child.take() {
                child.wait().expect("an own process ends");
            }
        }
    }

    /// CPU of each node so far, in milliseconds.
    pub(super) fn cpu_ms(&self) -> Vec<f64> {
        self.nodes.iter().filter_map(Node::pid).map(process_cpu_ms).collect()
    }

    /// Resident memory of each node, in MiB.
    pub(super) fn memory_mib(&self) -> Vec<f64> {
        self.nodes.iter().filter_map(Node::pid).map(process_memory_mib).collect()
    }

    /// Bytes that the data of each node take on the disk.
    pub(super) fn disk_bytes(&self) -> Vec<u64> {
        self.nodes.iter().map(|node| disk_bytes(&node.dir)).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        (0..self.nodes.len()).for_each(|at| self.kill(at));
    }
}

impl Node {
    fn of(consortium: &Path, name: String) -> Self {
        let dir = consortium.join(&name);
        let text = std::fs::read_to_string(dir.join("changbai.toml")).expect("settings");
        let scheme = "\"gmtls://";
        let at = text.find(scheme).expect("a GM TLS listener") + scheme.len();
        let gm_tls = text[at..].split('"').next().unwrap_or_default().to_owned();
        Self { name, dir, gm_tls, child: None }
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// The end of what it has said, for the words of a failure.
    pub(super) fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(self.dir.join("node.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(12)..].join("\n")
    }
}

/// The binary of this build.
fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("own path");
    let binary = own.with_file_name("changbai");
    assert!(binary.exists(), "{} is missing: use cargo xtask bench network", binary.display());
    binary
}

fn process_cpu_ms(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let fields = after.split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() * 10.0
}

fn process_memory_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1_024.0
}

/// Beside a consortium that an operator of this machine may run.
const PORT_BASE: &str = "21000";
