//! Asking chronyd.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use smkit::Random;

use crate::address::ChronyAddress;
use crate::chrony::{ReplyError, Tracking, request};
use crate::limits::{ANSWER_WAIT, ATTEMPTS_MAX, DATAGRAM_BYTES_MAX, DATAGRAMS_MAX, SEQUENCES_KEPT};
use crate::raw::RawClock;
use crate::refusal::Refusal;

/// Asks one chronyd, one question at a time. Blocks; each question ends within about a second.
#[derive(Debug)]
pub struct ChronyClient {
    address: ChronyAddress,
    /// The sequence numbers of earlier questions, the latest first.
    earlier: VecDeque<u32>,
}

impl ChronyClient {
    /// A client of the chronyd at `address`. Sends nothing yet.
    #[must_use]
    pub const fn new(address: ChronyAddress) -> Self {
        Self { address, earlier: VecDeque::new() }
    }

    /// Where it asks.
    #[must_use]
    pub const fn address(&self) -> &ChronyAddress {
        &self.address
    }

    /// Asks for tracking data. `clock` times the waiting.
    ///
    /// Answers with another sequence number are passed over; if only such come, the refusal says so.
    ///
    /// # Errors
    /// A [`Refusal`] for which [`Refusal::is_unchecked`] holds.
    pub fn ask(
        &mut self,
        clock: &dyn RawClock,
        random: &mut dyn Random,
    ) -> Result<Tracking, Refusal> {
        let mut sequence = [0; 4];
        random.fill(&mut sequence).map_err(|error| unreachable(&error))?;
        let sequence = u32::from_be_bytes(sequence);
        let socket = Socket::open(&self.address, sequence).map_err(|error| unreachable(&error))?;
        let outcome = self.exchange(&socket, sequence, clock);
        self.earlier.push_front(sequence);
        self.earlier.truncate(SEQUENCES_KEPT);
        outcome
    }

    fn exchange(
        &self,
        socket: &Socket,
        sequence: u32,
        clock: &dyn RawClock,
    ) -> Result<Tracking, Refusal> {
        let mut seen = Refusal::NoReply;
        let mut datagrams = 0;
        for attempt in 0..ATTEMPTS_MAX {
            socket.send(&request(sequence, attempt)).map_err(|error| unreachable(&error))?;
            let started_ns = clock.read().monotonic_ns;
            loop {
                let waited_ns = clock.read().monotonic_ns.saturating_sub(started_ns);
                let left = ANSWER_WAIT.saturating_sub(Duration::from_nanos(waited_ns));
                if left.is_zero() {
                    break;
                }
                let mut buffer = [0; DATAGRAM_BYTES_MAX];
                let bytes = match socket.receive(&mut buffer, left) {
                    Ok(length) => buffer.get(..length).unwrap_or_default(),
                    Err(error) if is_timeout(&error) => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(unreachable(&error)),
                };
                match Tracking::from_reply(bytes, sequence) {
                    Ok(tracking) => return Ok(tracking),
                    Err(ReplyError::Sequence { found }) if self.earlier.contains(&found) => {
                        seen = Refusal::Replayed;
                    }
                    Err(ReplyError::Sequence { .. }) => seen = Refusal::Sequence,
                    Err(error) => return Err(error.into()),
                }
                datagrams += 1;
                if datagrams >= DATAGRAMS_MAX {
                    return Err(seen);
                }
            }
        }
        Err(seen)
    }
}

/// A socket that takes datagrams of chronyd alone.
enum Socket {
    Udp(UdpSocket),
    Unix { socket: UnixDatagram, own: PathBuf },
}

impl Socket {
    fn open(address: &ChronyAddress, sequence: u32) -> io::Result<Self> {
        match address {
            ChronyAddress::Udp(chronyd) => {
                let own: SocketAddr = match chronyd {
                    SocketAddr::V4(_) => (Ipv4Addr::LOCALHOST, 0).into(),
                    SocketAddr::V6(_) => (Ipv6Addr::LOCALHOST, 0).into(),
                };
                let socket = UdpSocket::bind(own)?;
                // The kernel then passes on what comes from there, and nothing else.
                socket.connect(chronyd)?;
                Ok(Self::Udp(socket))
            }
            ChronyAddress::Unix(chronyd) => {
                // chronyd answers to a path, which lies beside its own as that of chronyc does.
                let folder = chronyd.parent().unwrap_or_else(|| Path::new("/"));
                let name = format!("changbai.{}.{sequence:08x}.sock", std::process::id());
                let own = folder.join(name);
                let socket = Self::Unix { socket: UnixDatagram::bind(&own)?, own };
                if let Self::Unix { socket, own } = &socket {
                    // chronyd has given up root by then, and must be able to write to it.
                    let open = std::os::unix::fs::PermissionsExt::from_mode(0o666);
                    std::fs::set_permissions(own, open)?;
                    socket.connect(chronyd)?;
                }
                Ok(socket)
            }
        }
    }

    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Udp(socket) => socket.send(bytes),
            Self::Unix { socket, .. } => {
                socket.set_write_timeout(Some(ANSWER_WAIT))?;
                socket.send(bytes)
            }
        }
    }

    fn receive(&self, buffer: &mut [u8], wait: Duration) -> io::Result<usize> {
        match self {
            Self::Udp(socket) => {
                socket.set_read_timeout(Some(wait))?;
                socket.recv(buffer)
            }
            Self::Unix { socket, .. } => {
                socket.set_read_timeout(Some(wait))?;
                socket.recv(buffer)
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Self::Unix { own, .. } = self {
            // A socket file that stays behind harms nobody.
            drop(std::fs::remove_file(own));
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn unreachable(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::Unreachable { reason: error.to_string() }
}
