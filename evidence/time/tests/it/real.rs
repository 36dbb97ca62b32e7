//! A real chronyd: unprivileged where it lets us, never touching the clock (`-x`), on a port of its own.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use changbai_time::{
    ChronyAddress, ChronyClient, OsClock, Policy, RawClock, Refusal, Standing, Tracking, evaluate,
};
use smkit::OsRandom;

use crate::peer;

/// A chronyd of the test's own; ends with it.
struct Chronyd(Child, ChronyAddress);

impl Chronyd {
    fn start(program: &Path, dir: &Path, configuration: &str) -> Self {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let file = dir.join("chrony.conf");
        let (pid, socket) = (dir.join("chronyd.pid"), dir.join("chronyd.sock"));
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
        let address = format!("127.0.0.1:{port}").parse().unwrap();
        Self(child, address)
    }

    /// The first answer; refused connections while it starts are no answer.
    fn ask(&mut self) -> Option<Tracking> {
        let mut client = ChronyClient::new(self.1.clone());
        for _ in 0..100 {
            match client.ask(&OsClock::start(), &mut OsRandom) {
                Ok(tracking) => return Some(tracking),
                Err(Refusal::Unreachable { .. } | Refusal::NoReply) => {}
                Err(other) => panic!("{other:?}"),
            }
            if self.0.try_wait().unwrap().is_some() {
                return None;
            }
            thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

impl Drop for Chronyd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn standing(configuration: &str) -> Option<(Tracking, Standing)> {
    let program = peer::find("chronyd")?;
    let dir = tempfile::tempdir().unwrap();
    let mut chronyd = Chronyd::start(&program, dir.path(), configuration);
    let Some(tracking) = chronyd.ask() else {
        peer::skip("chronyd does not run here");
        return None;
    };
    let now = OsClock::start().read().wall;
    Some((tracking, evaluate(&tracking, &Policy::default(), now)))
}

#[test]
fn its_own_reference_is_refused() {
    let Some((tracking, standing)) = standing("local stratum 1") else { return };
    assert_eq!((tracking.reference(), tracking.stratum), ("local".to_owned(), 1));
    assert_eq!(standing, Standing::Refused(Refusal::LocalReference));
}

#[test]
fn no_source_is_unsynchronised() {
    let Some((tracking, standing)) = standing("") else { return };
    assert_eq!((tracking.stratum, tracking.leap_status), (0, 3));
    assert_eq!(standing, Standing::Refused(Refusal::Unsynchronised));
}
