//! An address with what is spoken there.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// What a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// HTTP without protection.
    Http,
    /// HTTP over GM TLS: TLCP or TLS 1.3 with the national suites, as the client asks.
    GmTls,
}

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::GmTls => "gmtls",
        }
    }
}

/// Where REST listens: `http://127.0.0.1:8080`, `gmtls://0.0.0.0:8443`. Without a scheme a loopback address speaks
/// HTTP and every other one GM TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// What is spoken.
    pub scheme: Scheme,
    /// Where; port 0 lets the system choose.
    pub address: SocketAddr,
}

impl Endpoint {
    /// Whether others on the network could read and alter what is said here.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.scheme == Scheme::Http && !self.address.ip().is_loopback()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.address)
    }
}

impl FromStr for Endpoint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (scheme, address) = match text.split_once("://") {
            Some(("http", address)) => (Some(Scheme::Http), address),
            Some(("gmtls", address)) => (Some(Scheme::GmTls), address),
            Some(_) => return Err(()),
            None => (None, text),
        };
        let address: SocketAddr = address.parse().map_err(drop)?;
        let usual = if address.ip().is_loopback() { Scheme::Http } else { Scheme::GmTls };
        Ok(Self { scheme: scheme.unwrap_or(usual), address })
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn the_scheme_follows_the_address_unless_it_is_said() {
        for (given, meant, exposed) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080", false),
            ("[::1]:0", "http://[::1]:0", false),
            ("0.0.0.0:8443", "gmtls://0.0.0.0:8443", false),
            ("gmtls://127.0.0.1:8443", "gmtls://127.0.0.1:8443", false),
            ("http://192.0.2.1:80", "http://192.0.2.1:80", true),
        ] {
            let endpoint: Endpoint = given.parse().unwrap();
            assert_eq!(endpoint.to_string(), meant);
            assert_eq!(endpoint.is_exposed(), exposed, "{given}");
        }
        for wrong in ["", "8080", "https://127.0.0.1:1", "http://example.com:80", "http://"] {
            assert!(wrong.parse::<Endpoint>().is_err(), "{wrong}");
        }
    }
}
