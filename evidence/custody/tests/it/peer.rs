//! Independent programs. One that is missing is a printed skip, or a failure with `CHANGBAI_REQUIRE_PEERS=1`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server of the protocol S3 in a process of its own (`moto`, of `PyPI`), with a bucket `box`. It ends with this value.
pub(crate) struct S3Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl S3Server {
    /// `None`, with the reason printed, where it cannot be had.
    pub(crate) fn start() -> Option<Self> {
        let python = python();
        let mut child = match Command::new(&python)
            .args(["-u", "-c", SERVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
        {
            Ok(child) => child,
            Err(error) => return missing(&python, &error.to_string()),
        };
        let mut line = String::new();
        let said = child.stdout.take().map(BufReader::new);
        let read = said.map(|mut said| said.read_line(&mut line));
        let Ok(port) = line.trim().parse::<u16>() else {
            let status = child.wait();
            return missing(&python, &format!("moto does not start: {status:?}, {read:?}"));
        };
        Some(Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) })
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn missing(python: &Path, reason: &str) -> Option<S3Server> {
    let required = std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|v| v == "1");
    assert!(!required, "moto is required: {}: {reason}", python.display());
    let said = format!("skipped: moto is not to be had ({}: {reason})\n", python.display());
    drop(std::io::stderr().write_all(said.as_bytes()));
    None
}

/// Python with the packages of the peers' environment, as `.ci/run` makes it.
fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/venv/bin/python")
}

/// Prints its port once it answers, and ends when nobody holds its standard input any more.
const SERVER: &str = r#"
import os, sys, threading, urllib.request
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/box", method="PUT")).read()
print(port, flush=True)
sys.stdin.read()
os._exit(0)
"#;
