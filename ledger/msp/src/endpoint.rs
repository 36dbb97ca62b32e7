//! Where a node is reached.

use std::{fmt, net::IpAddr, str::FromStr};

use thiserror::Error;

use crate::limits::HOST_BYTES_MAX;

/// A host and a port, such as `node1.example:7050`, `10.0.0.1:7050` or `[fd00::1]:7050`.
///
/// A name is kept in lower case as written; it is not looked up here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    host: String,
    port: u16,
}

impl Endpoint {
    /// An endpoint; IPv6 addresses without brackets.
    ///
    /// # Errors
    /// [`InvalidEndpoint`] for port 0, or a host that is neither an IP address in its usual form nor
    /// a name of letters in lower case, digits, `-`, `_` and `.`, of at most 253 bytes.
    pub fn new(host: &str, port: u16) -> Result<Self, InvalidEndpoint> {
        let is_address = host.parse::<IpAddr>().is_ok_and(|address| address.to_string() == host);
        if port == 0 || !(is_address || is_name(host)) {
            return Err(InvalidEndpoint);
        }
        Ok(Self { host: host.to_owned(), port })
    }

    /// The name or address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, never 0.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let (host, port) = text.rsplit_once(':').ok_or(InvalidEndpoint)?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) if address.contains(':') => address,
            Some(_) => return Err(InvalidEndpoint),
            None if host.contains(':') => return Err(InvalidEndpoint),
            None => host,
        };
        let canonical = port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
        let port = port.parse().ok().filter(|_| canonical).ok_or(InvalidEndpoint)?;
        Self::new(host, port)
    }
}

fn is_name(host: &str) -> bool {
    (1..=HOST_BYTES_MAX).contains(&host.len())
        // What looks like an IPv4 address is one, or nothing: 1.2.3 or 010.0.0.1 mislead.
        && !host.split('.').next_back().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        })
}

/// A text that is no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an endpoint is HOST:PORT: a lower-case name or an IP address, and a port from 1")]
pub struct InvalidEndpoint;
