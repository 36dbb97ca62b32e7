//! What is known of a request from the connection it came on.

use std::net::{IpAddr, SocketAddr};

use smkit_pki::Certificate;

/// Where a request came from and who the connection's other end is; the listener puts one into each request's
/// extensions.
#[derive(Debug, Clone)]
pub struct Transport {
    /// The other end's address.
    pub remote: SocketAddr,
    /// The certificates of the client as GM TLS verified them, leaf first; empty without GM TLS, and where the
    /// listener admits clients without a certificate.
    pub certificates: Vec<Certificate>,
}

/// Addresses whose word is taken for who a request comes from (RFC 9440 §2: the trusted reverse proxy). The gateway
/// must remove `Client-Cert` and `Client-Cert-Chain` from what it is sent before it sets its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gateways(Vec<ipnet::IpNet>);

impl Gateways {
    /// Takes networks such as `10.3.0.0/28`, or single addresses.
    #[must_use]
    pub fn new(networks: Vec<ipnet::IpNet>) -> Self {
        Self(networks)
    }

    /// Whether requests from this address may name their client. An IPv4 address mapped into IPv6 is the same address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::Gateways;

    #[test]
    fn only_listed_networks_may_speak_for_clients() {
        let gateways =
            Gateways::new(vec!["10.3.0.0/28".parse().unwrap(), "fd00::1/128".parse().unwrap()]);
        for inside in ["10.3.0.0", "10.3.0.15", "fd00::1", "::ffff:10.3.0.7"] {
            assert!(gateways.contains(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["10.3.0.16", "127.0.0.1", "fd00::2", "::ffff:10.4.0.7"] {
            assert!(!gateways.contains(outside.parse().unwrap()), "{outside}");
        }
        assert!(!Gateways::default().contains("127.0.0.1".parse().unwrap()));
    }
}
