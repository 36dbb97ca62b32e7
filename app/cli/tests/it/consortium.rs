//! A whole consortium of real processes: made, started and looked at by the command line, and its nodes
//! asked over HTTP.

use std::{
    collections::BTreeMap, fs, net::TcpListener, os::fd::AsFd as _, panic::resume_unwind,
    path::PathBuf, thread, time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    changbai,
    node::{Clerk, agent, now},
    run,
};

/// How long anything here may take before a test gives up; a bound, not an expectation.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);

/// A consortium below a temporary folder, on ports that were free a moment ago.
pub(crate) struct Consortium {
    pub(crate) home: tempfile::TempDir,
    /// Each node has a network namespace of its name.
    apart: bool,
}

impl Consortium {
    pub(crate) fn init(args: &[&str]) -> Self {
        Self::make(args, false)
    }

    /// One whose nodes live in network namespaces that bear their names.
    pub(crate) fn apart(args: &[&str]) -> Self {
        Self::make(args, true)
    }

    fn make(args: &[&str], apart: bool) -> Self {
        let home = tempfile::tempdir().unwrap();
        let base = free_ports().to_string();
        let args = [&["network", "init", "--dir", "net", "--port-base", &base], args].concat();
        let (code, stdout, stderr) = run(home.path(), &[&args, &["--lang", "en"][..]].concat());
        assert_eq!(code, 0, "{stdout}{stderr}");
        Self { home, apart }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.home.path().join("net")
    }

    /// Runs a command in the folder that holds `net`.
    pub(crate) fn run(&self, line: &str) -> (i32, String, String) {
        let args: Vec<&str> = line.split_whitespace().chain(["--lang", "en"]).collect();
        run(self.home.path(), &args)
    }

    pub(crate) fn ok(&self, line: &str) -> String {
        let (code, stdout, stderr) = self.run(line);
        assert_eq!(code, 0, "{line}: {stdout}{stderr}{}", self.logs());
        stdout
    }

    pub(crate) fn json(&self, line: &str) -> Value {
        let stdout = self.ok(&format!("{line} --json"));
        serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{line}: {e}: {stdout}"))
    }

    /// What `network status` says of each node, and its exit code.
    pub(crate) fn status(&self) -> (i32, Vec<Value>) {
        let (code, stdout, stderr) = self.run("network status --dir net --json");
        let json: Value = serde_json::from_str(&stdout)
            .unwrap_or_else(|e| panic!("status: {e}: {stdout}{stderr}"));
        (code, json["nodes"].as_array().unwrap().clone())
    }

    /// Waits until the status is as wanted.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(i32, &[Value]) -> bool) -> Vec<Value> {
        let begun = now();
        loop {
            let (code, nodes) = self.status();
            if wanted(code, &nodes) {
                return nodes;
            }
            assert!(begun.elapsed() < WAIT_MAX, "{what}: {nodes:?}{}", self.logs());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Does something where a node is: in its network namespace, if it has one.
    pub(crate) fn at<T: Send>(&self, name: &str, work: impl FnOnce() -> T + Send) -> T {
        if !self.apart {
            return work();
        }
        let enter = || {
            let namespace = fs::File::open(format!("/run/netns/{name}")).unwrap();
            let kind = Some(rustix::thread::LinkNameSpaceType::Network);
            rustix::thread::move_into_link_name_space(namespace.as_fd(), kind).unwrap();
            work()
        };
        // A namespace is a thread's; this one is not for others.
        thread::scope(|scope| scope.spawn(enter).join()).unwrap_or_else(|e| resume_unwind(e))
    }

    /// Starts a node and waits until it answers.
    pub(crate) fn start(&self, name: &str) {
        self.at(name, || self.ok(&format!("network up {name} --dir net")));
    }

    /// Stops a node in order.
    pub(crate) fn stop(&self, name: &str) {
        self.at(name, || self.ok(&format!("network down {name} --dir net")));
    }

    /// Sends a signal to a node, which was started by this test.
    pub(crate) fn signal(&self, name: &str, signal: Signal) {
        let pid = self.running(name)["pid"].as_i64().unwrap();
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// SIGKILL, and until the process is gone.
    pub(crate) fn kill(&self, name: &str) {
        self.signal(name, Signal::KILL);
        let lock = self.dir().join(name);
        let begun = now();
        while changbai_node::process_of(&lock).unwrap().is_some() {
            assert!(begun.elapsed() < WAIT_MAX, "{name} does not die");
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn is_up(&self, name: &str) -> bool {
        let dir = self.dir().join(name);
        let up = changbai_node::process_of(&dir).unwrap();
        up.is_some() && dir.join("node.json").exists()
    }

    /// What a running node says of itself in `node.json`.
    fn running(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.dir().join(name).join("node.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn address(&self, name: &str) -> String {
        let running = self.running(name);
        running["listen"][0].as_str().unwrap().strip_prefix("http://").unwrap().to_owned()
    }

    /// The agency's operator.
    pub(crate) fn clerk(&self, name: &str) -> Clerk {
        Clerk::new(&self.dir().join(name), &self.address(name))
    }

    /// Asks a node over REST, unsigned.
    pub(crate) fn get(&self, name: &str, path: &str) -> (u16, Vec<u8>) {
        let url = format!("http://{}{path}", self.address(name));
        self.at(name, || fetch(&url).unwrap_or_else(|e| panic!("{url}: {e}{}", self.logs())))
    }

    /// Asks a node's operations endpoint.
    pub(crate) fn operations(&self, name: &str, path: &str) -> (u16, String) {
        let running = self.running(name);
        let url = format!("{}{path}", running["operations"].as_str().unwrap());
        let (status, body) = self.at(name, || fetch(&url)).unwrap();
        (status, String::from_utf8(body).unwrap())
    }

    /// The last block of a node: its number and hash.
    pub(crate) fn tip(&self, name: &str) -> (u64, String) {
        let page = self.blocks(name, None, 1);
        let block = &page[0];
        (block["number"].as_u64().unwrap(), block["hash"].as_str().unwrap().to_owned())
    }

    fn blocks(&self, name: &str, from: Option<u64>, limit: u64) -> Vec<Value> {
        let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
        let (status, body) = self.get(name, &format!("/api/v1/blocks?limit={limit}{from}"));
        assert_eq!(status, 200, "{name}");
        let page: Value = serde_json::from_slice(&body).unwrap();
        page["items"].as_array().unwrap().clone()
    }

    /// The hash of every block of a node, by number.
    pub(crate) fn hashes(&self, name: &str) -> BTreeMap<u64, String> {
        let (mut hashes, mut from) = (BTreeMap::new(), None);
        loop {
            for block in self.blocks(name, from, 200) {
                let hash = block["hash"].as_str().unwrap().to_owned();
                hashes.insert(block["number"].as_u64().unwrap(), hash);
            }
            let lowest = *hashes.keys().next().unwrap();
            if lowest == 0 {
                return hashes;
            }
            from = Some(lowest - 1);
        }
    }

    /// Waits until these nodes have the same last block, and still do a moment later.
    pub(crate) fn settle(&self, names: &[&str]) -> u64 {
        let begun = now();
        let tips = || names.iter().map(|name| self.tip(name)).collect::<Vec<_>>();
        loop {
            let first = tips();
            thread::sleep(Duration::from_millis(150));
            if first.iter().all(|tip| *tip == first[0]) && tips() == first {
                return first[0].0;
            }
            assert!(begun.elapsed() < WAIT_MAX, "no common tip: {first:?}{}", self.logs());
        }
    }

    /// Waits for something.
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = now();
        while !holds() {
            assert!(begun.elapsed() < WAIT_MAX, "{what}{}", self.logs());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether a node is a validator that votes, as it says in its metrics.
    pub(crate) fn votes(&self, name: &str) -> bool {
        let (_, page) = self.operations(name, "/metrics");
        page.lines().any(|line| line.starts_with("changbai_validator{") && line.ends_with(" 1"))
    }

    pub(crate) fn logs(&self) -> String {
        let logs = fs::read_dir(self.dir()).into_iter().flatten().flatten();
        let text = |dir: PathBuf| fs::read_to_string(dir.join("node.log")).unwrap_or_default();
        logs.map(|entry| text(entry.path())).collect::<Vec<_>>().join("\n")
    }
}

/// A test that fails leaves no nodes behind.
impl Drop for Consortium {
    fn drop(&mut self) {
        // Those that were told to stand still would not hear it.
        let nodes = fs::read_dir(self.dir()).into_iter().flatten().flatten();
        for pid in nodes.filter_map(|node| changbai_node::process_of(&node.path()).ok().flatten()) {
            let pid = i32::try_from(pid.pid).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| kill_process(pid, Signal::CONT));
        }
        drop(changbai(self.home.path(), &["network", "down", "--dir", "net"]).output());
    }
}

fn fetch(url: &str) -> Result<(u16, Vec<u8>), String> {
    let mut answer = agent().get(url).call().map_err(|e| e.to_string())?;
    let body = answer.body_mut().with_config().limit(1 << 30).read_to_vec();
    Ok((answer.status().as_u16(), body.map_err(|e| e.to_string())?))
}

/// The first of a hundred ports below those that the system gives out by itself.
fn free_ports() -> u16 {
    let own = u16::try_from(std::process::id() % 100).unwrap();
    let blocks = (0..100).map(|block| 20_000 + (own * 37 + block) % 100 * 100);
    let is_free =
        |base: &u16| (*base..base + 100).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok());
    blocks.into_iter().find(is_free).unwrap_or_else(|| panic!("a hundred ports are not free"))
}
