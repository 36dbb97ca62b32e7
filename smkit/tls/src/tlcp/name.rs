//! Names of servers.

use std::net::IpAddr;

use super::error::ConfigError;

/// What a client dials: a DNS name or an IP address, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ServerName {
    text: String,
    is_address: bool,
}

impl ServerName {
    /// # Errors
    /// Neither a DNS name nor an IP address.
    pub(crate) fn new(text: &str) -> Result<Self, ConfigError> {
        let text = text.to_ascii_lowercase();
        let is_address = text.parse::<IpAddr>().is_ok();
        if is_address || is_dns(&text) {
            Ok(Self { text, is_address })
        } else {
            Err(ConfigError::ServerName)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What may stand in the extension `server_name`: addresses may not (RFC 6066 §3).
    pub(crate) fn dns(&self) -> Option<&str> {
        (!self.is_address).then_some(&*self.text)
    }
}

/// Labels of letters, digits, `-` and `_` (which machines in the field have), at most 63 characters each and 253 in all.
pub(crate) fn is_dns(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_'))
    };
    text.len() <= 253 && text.split('.').all(label) && text.parse::<IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        for (text, dns) in [("Gov.CC.jl", Some("gov.cc.jl")), ("localhost", Some("localhost"))] {
            assert_eq!(ServerName::new(text).unwrap().dns(), dns);
        }
        for text in ["127.0.0.1", "::1"] {
            assert_eq!(ServerName::new(text).unwrap().dns(), None);
        }
        for text in ["", ".", "a..b", "a b", "长春", "a.", &"a".repeat(64), &"a.".repeat(127)] {
            assert_eq!(ServerName::new(text), Err(ConfigError::ServerName), "{text}");
        }
    }
}
