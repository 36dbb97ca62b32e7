//! Where chronyd listens for questions.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Where chronyd answers: on this machine only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChronyAddress {
    /// Its command port on a loopback address.
    Udp(SocketAddr),
    /// Its Unix datagram socket.
    Unix(PathBuf),
}

/// A text that is no address of a chronyd on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a loopback address and port such as 127.0.0.1:323, or the path of a Unix socket")]
pub struct AddressError;

impl Default for ChronyAddress {
    fn default() -> Self {
        Self::Udp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), COMMAND_PORT))
    }
}

impl FromStr for ChronyAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.starts_with('/') {
            return Ok(Self::Unix(PathBuf::from(text)));
        }
        let address: SocketAddr = text.parse().map_err(|_| AddressError)?;
        // Answers are not authenticated: beyond loopback anybody on the way could write them.
        if !address.ip().is_loopback() || address.port() == 0 {
            return Err(AddressError);
        }
        Ok(Self::Udp(address))
    }
}

impl fmt::Display for ChronyAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(address) => address.fmt(out),
            Self::Unix(path) => path.display().fmt(out),
        }
    }
}

const COMMAND_PORT: u16 = 323;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine() {
        for good in ["127.0.0.1:323", "[::1]:323", "127.0.0.2:33230", "/run/chrony/chronyd.sock"] {
            assert_eq!(good.parse::<ChronyAddress>().unwrap().to_string(), good);
        }
        for bad in ["", "127.0.0.1", "127.0.0.1:0", "10.0.0.1:323", "localhost:323", "chronyd.sock"]
        {
            assert_eq!(bad.parse::<ChronyAddress>(), Err(AddressError), "{bad}");
        }
        assert_eq!(ChronyAddress::default().to_string(), "127.0.0.1:323");
    }
}
