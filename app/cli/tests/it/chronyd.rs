//! A chronyd that says what a test wants, and a real one.

use std::{
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(crate) const ONE_MS: u32 = 0xf083_126f;
pub(crate) const ELEVEN_MS: u32 = 0xf6b4_3958;

/// What it says of its clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Says {
    pub(crate) reference: [u8; 4],
    pub(crate) stratum: u16,
    pub(crate) leap: u16,
    /// When the last measurement was, in seconds before now.
    pub(crate) age_s: i64,
    /// Root dispersion as chronyd writes it.
    pub(crate) dispersion: u32,
    /// It says nothing at all.
    pub(crate) silent: bool,
}

/// Follows a reference clock, measured ten seconds ago.
pub(crate) const GOOD: Says = Says {
    reference: *b"PPS\0",
    stratum: 1,
    leap: 0,
    age_s: 10,
    dispersion: ONE_MS,
    silent: false,
};

/// Serves as long as the test's process.
pub(crate) struct Chronyd {
    pub(crate) address: String,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicU64>,
}

impl Chronyd {
    pub(crate) fn start(says: Says) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        let (says, asked) = (Arc::new(Mutex::new(says)), Arc::new(AtomicU64::new(0)));
        let (said, count) = (Arc::clone(&says), Arc::clone(&asked));
        thread::spawn(move || {
            let mut request = [0; 512];
            while let Ok((_, from)) = socket.recv_from(&mut request) {
                let says = *said.lock().unwrap();
                if !says.silent {
                    let _ = socket.send_to(&reply(&request[8..12], says), from);
                }
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, says, asked }
    }

    /// Says something else from the next question on.
    pub(crate) fn set(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    /// Says something else from now on, and waits until the node has heard it.
    pub(crate) fn say(&self, says: Says) {
        self.set(says);
        let before = self.asked.load(Ordering::SeqCst);
        for _ in 0..6_000 {
            // The second question is sent after the first answer was taken in.
            if self.asked.load(Ordering::SeqCst) >= before + 3 {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("the node asks no more");
    }
}

fn reply(sequence: &[u8], says: Says) -> Vec<u8> {
    #[expect(clippy::disallowed_methods, reason = "a simulated chronyd's clock")]
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut out = vec![6, 2, 0, 0, 0, 33, 0, 5];
    out.extend([0; 8]);
    out.extend(sequence);
    out.extend([0; 8]);
    out.extend(says.reference);
    out.extend([0; 20]);
    out.extend(says.stratum.to_be_bytes());
    out.extend(says.leap.to_be_bytes());
    out.extend(now_s.saturating_add_signed(-says.age_s).to_be_bytes());
    out.extend([0; 4 + 7 * 4]);
    out.extend(says.dispersion.to_be_bytes());
    out.extend([0; 4]);
    out
}

/// A real chronyd that follows nothing but itself, never touching the clock; ends with the test.
pub(crate) struct RealChronyd {
    child: Child,
    pub(crate) address: String,
}

impl RealChronyd {
    pub(crate) fn start(program: &Path, dir: &Path, configuration: &str) -> Self {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let (file, pid, socket) =
            (dir.join("chrony.conf"), dir.join("chronyd.pid"), dir.join("chronyd.sock"));
        let text = format!(
            "{configuration}\nport 0\ncmdport {port}\nbindcmdaddress 127.0.0.1\n\
             bindcmdaddress {}\npidfile {}\n",
            socket.display(),
            pid.display()
        );
        std::fs::write(&file, text).unwrap();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let child = Command::new(program)
            .args(["-x", "-U", "-d", "-u", user.trim(), "-f"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address: format!("127.0.0.1:{port}") }
    }

    /// Whether it has ended by itself.
    pub(crate) fn is_gone(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for RealChronyd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints the skip of a peer with its reason, or fails where peers are required.
pub(crate) fn skip(reason: &str) {
    let required = std::env::var_os("CHANGBAI_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "peer required by CHANGBAI_REQUIRE_PEERS: {reason}");
    let line = format!("skipped: {reason}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

/// A program on PATH or where system programs lie; prints the skip when it is missing.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let mut places = std::env::split_paths(&path).chain(system).map(|dir| dir.join(program));
    let found = places.find(|file| file.is_file());
    if found.is_none() {
        skip(&format!("{program} not found"));
    }
    found
}
