//! Tells the service manager how the node is: the protocol of `sd_notify(3)`, one datagram a message.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;

/// Whoever started the node and wants to know. Without `NOTIFY_SOCKET` nobody does, and every call does nothing. Clones
/// speak to the same one.
#[derive(Debug, Clone, Default)]
pub struct Supervisor(Option<Arc<(UnixDatagram, SocketAddr)>>);

impl Supervisor {
    /// The service manager behind the value of `NOTIFY_SOCKET`: a path, or an abstract name after `@`. A value that is
    /// no address is ignored: the node does not depend on being watched.
    #[must_use]
    pub fn at(notify_socket: Option<&OsStr>) -> Self {
        Self(notify_socket.and_then(open).map(Arc::new))
    }

    /// The node serves requests.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// The node stops in order.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// The node's runtime gets its turn: to be said more often than the unit's `WatchdogSec`.
    pub(crate) fn alive(&self) {
        self.send("WATCHDOG=1");
    }

    fn send(&self, message: &str) {
        if let Some((socket, address)) = self.0.as_deref() {
            // A service manager that does not listen is no reason to stop.
            drop(socket.send_to_addr(message.as_bytes(), address));
        }
    }
}

fn open(notify_socket: &OsStr) -> Option<(UnixDatagram, SocketAddr)> {
    let address = match notify_socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name).ok()?,
        None => SocketAddr::from_pathname(notify_socket).ok()?,
    };
    let socket = UnixDatagram::unbound().ok()?;
    // A full queue at the other end must not hold a thread of the node.
    socket.set_nonblocking(true).ok()?;
    Some((socket, address))
}

#[cfg(test)]
mod tests {
    use super::{OsStr, Supervisor, UnixDatagram};

    #[test]
    fn messages_arrive_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let supervisor = Supervisor::at(Some(path.as_os_str()));
        supervisor.ready();
        supervisor.alive();
        supervisor.stopping();
        for expected in ["READY=1", "WATCHDOG=1", "STOPPING=1"] {
            let mut buffer = [0; 64];
            let length = manager.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], expected.as_bytes());
        }
    }

    #[test]
    fn nobody_listening_is_no_failure() {
        for absent in [None, Some("/nonexistent/notify"), Some("@changbai-nobody"), Some("")] {
            Supervisor::at(absent.map(OsStr::new)).ready();
        }
    }
}
