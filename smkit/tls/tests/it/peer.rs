//! Tongsuo as the other side, or a clear word that it was not run.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Prints the skip with its reason, or fails when peers are required.
pub(crate) fn skip(reason: &str) {
    let required = std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "peer required by CHANGBAI_REQUIRE_PEERS: {reason}");
    let _ = std::io::stderr().write_all(format!("skipped: {reason}\n").as_bytes());
}

/// Tongsuo's command line, as `cargo xtask peers` builds it.
pub(crate) fn tongsuo() -> Option<PathBuf> {
    let program =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/tongsuo/bin/tongsuo");
    if program.is_file() {
        return Some(program);
    }
    skip("Tongsuo is not built (cargo xtask peers)");
    None
}

/// A running program whose output is read line by line; ended when dropped.
pub(crate) struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    said: Vec<String>,
}

impl Running {
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            // Its own configuration file belongs to another installation.
            .env("OPENSSL_CONF", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let errors = sender.clone();
        thread::spawn(move || forward(BufReader::new(out), &sender));
        thread::spawn(move || forward(BufReader::new(err), &errors));
        Self { child, lines, said: Vec::new() }
    }

    /// The next line that contains `word`; fails when none comes in time or the program ends before.
    pub(crate) fn wait_for(&mut self, word: &str) -> String {
        if let Some(line) = self.said.iter().find(|line| line.contains(word)) {
            return line.clone();
        }
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(word) {
                        return line;
                    }
                }
                Err(_) => panic!("no {word:?} in {:#?}", self.said),
            }
        }
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Everything it says until it ends by itself.
    pub(crate) fn rest(&mut self) -> String {
        drop(self.child.stdin.take());
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.said.push(line);
        }
        self.said.join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines, and at the end what is left of one; bytes that are no text are replaced.
fn forward(mut from: impl std::io::BufRead, to: &mpsc::Sender<String>) {
    loop {
        let mut line = Vec::new();
        match from.by_ref().take(LINE_MAX).read_until(b'\n', &mut line) {
            Ok(1..) => {
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if to.send(line).is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
const LINE_MAX: u64 = 64 * 1024;
