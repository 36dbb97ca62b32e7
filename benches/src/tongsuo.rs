//! Tongsuo's server beside ours: what its process spends on a handshake with our client, over loopback.
//!
//! Its figure includes its sockets and what `s_server` prints, ours does not: it says where the two stand, no more.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// What it is started with.
pub(crate) struct Files<'a> {
    pub(crate) root: &'a str,
    pub(crate) certificate: &'a str,
    pub(crate) key: &'a str,
}

/// A second's worth of each, on one core.
pub(crate) struct Rates {
    pub(crate) full: f64,
    pub(crate) resumed: f64,
    /// Megabytes (10^6) of SM4-GCM, without a record layer.
    pub(crate) bulk: f64,
}

/// `full` is a client that remembers no session, `resuming` one that does. `None` when Tongsuo is not built.
pub(crate) fn rates(
    files: &Files<'_>,
    full: &Arc<ClientConfig>,
    resuming: &Arc<ClientConfig>,
) -> Option<Rates> {
    let program = program()?;
    let dir = tempfile::tempdir().ok()?;
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).ok()?;
        Some(path.to_str()?.to_owned())
    };
    let root = write("root.pem", files.root)?;
    let certificate = write("server.pem", files.certificate)?;
    let key = write("server.key", files.key)?;
    let server = Server::start(&program, &root, &certificate, &key)?;
    Some(Rates { full: server.rate(full)?, resumed: server.rate(resuming)?, bulk: bulk(&program)? })
}

fn program() -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/peers/tongsuo/bin/tongsuo");
    if program.is_file() {
        return Some(program);
    }
    eprintln!("skipped: Tongsuo is not built (cargo xtask peers)");
    None
}

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &Path, root: &str, certificate: &str, key: &str) -> Option<Self> {
        let mut child = Command::new(program)
            .args(["s_server", "-accept", "127.0.0.1:0", "-tls1_3", "-enable_sm_tls13_strict"])
            .args(["-ciphersuites", "TLS_SM4_GCM_SM3", "-rev", "-Verify", "3", "-CAfile", root])
            .args(["-cert", certificate, "-key", key])
            .env("OPENSSL_CONF", "/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut out = BufReader::new(child.stdout.take()?).lines();
        let line = out.find_map(|line| line.ok().filter(|line| line.contains("ACCEPT ")));
        let port = line.and_then(|line| line.rsplit(':').next()?.parse().ok());
        // A full pipe would stop it.
        std::thread::spawn(move || out.for_each(drop));
        Some(Self { child, port: port? })
    }

    fn rate(&self, config: &Arc<ClientConfig>) -> Option<f64> {
        for _ in 0..WARM_UP {
            self.shake(config)?;
        }
        let before = self.cpu_seconds()?;
        for _ in 0..HANDSHAKES {
            self.shake(config)?;
        }
        let spent = self.cpu_seconds()? - before;
        Some(f64::from(HANDSHAKES) / spent)
    }

    /// One connection; the answer to a line proves that the server has finished, and brings the tickets.
    fn shake(&self, config: &Arc<ClientConfig>) -> Option<()> {
        let name = ServerName::try_from("localhost").ok()?;
        let connection = ClientConnection::new(Arc::clone(config), name).ok()?;
        let transport = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let mut stream = StreamOwned::new(connection, transport);
        stream.write_all(b"x\n").ok()?;
        stream.read_exact(&mut [0; 2]).ok()?;
        stream.conn.send_close_notify();
        stream.flush().ok()
    }

    /// User and system time so far; the kernel counts hundredths of a second.
    fn cpu_seconds(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        let (_, after) = stat.rsplit_once(')')?;
        let ticks = after.split_whitespace().skip(11).take(2);
        Some(ticks.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `speed` on records of 16 KiB.
fn bulk(program: &Path) -> Option<f64> {
    let arguments = ["speed", "-mr", "-seconds", "1", "-bytes", "16384", "-evp", "sm4-gcm"];
    let output =
        Command::new(program).args(arguments).env("OPENSSL_CONF", "/dev/null").output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().find(|line| line.starts_with("+F:"))?;
    Some(line.rsplit(':').next()?.trim().parse::<f64>().ok()? / 1e6)
}

const WARM_UP: u32 = 10;
const HANDSHAKES: u32 = 400;
