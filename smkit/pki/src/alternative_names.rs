//! Names a host is reached under: subjectAltName (RFC 5280 §4.2.1.6) and its matching (RFC 9525 §6.3).

use std::net::IpAddr;

use der::asn1::{Ia5String, OctetString};
use x509_cert::ext::pkix::{SubjectAltName, name::GeneralName};

use crate::certificate::CertificateError;

/// DNS names and addresses of a certificate; names of other kinds are read over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlternativeNames {
    /// DNS names; the first label may be `*`.
    pub dns: Vec<String>,
    /// IP addresses.
    pub ip: Vec<IpAddr>,
}

impl AlternativeNames {
    /// Whether there is no name of a kind that this crate compares.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.dns.is_empty() && self.ip.is_empty()
    }

    /// Sorts names given as text into addresses and DNS names; `None` if one is neither.
    #[must_use]
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut out = Self::default();
        for name in names {
            match name.parse() {
                Ok(address) => out.ip.push(address),
                Err(_) if is_dns_name(name, Wildcard::Allowed) => out.dns.push(name.to_owned()),
                Err(_) => return None,
            }
        }
        Some(out)
    }

    /// Whether the certificate is for this host.
    pub(crate) fn matches(&self, host: &Host<'_>) -> bool {
        match host {
            Host::Address(address) => self.ip.contains(address),
            Host::Dns(name) => self.dns.iter().any(|pattern| dns_matches(pattern, name)),
        }
    }

    pub(crate) fn read(names: &SubjectAltName) -> Result<Self, CertificateError> {
        if names.0.is_empty() {
            return Err(CertificateError::malformed("an empty list of alternative names"));
        }
        let mut out = Self::default();
        for name in &names.0 {
            match name {
                GeneralName::DnsName(name) if is_dns_name(name.as_str(), Wildcard::Allowed) => {
                    out.dns.push(name.as_str().to_owned());
                }
                GeneralName::DnsName(_) => {
                    return Err(CertificateError::malformed("an alternative name is no DNS name"));
                }
                GeneralName::IpAddress(bytes) => out.ip.push(address(bytes.as_bytes())?),
                _ => {}
            }
        }
        Ok(out)
    }

    pub(crate) fn to_asn1(&self) -> der::Result<SubjectAltName> {
        let dns = self.dns.iter().map(|name| Ia5String::new(name).map(GeneralName::DnsName));
        let ip = self.ip.iter().map(|address| {
            let bytes = match address {
                IpAddr::V4(address) => OctetString::new(address.octets()),
                IpAddr::V6(address) => OctetString::new(address.octets()),
            };
            bytes.map(GeneralName::IpAddress)
        });
        dns.chain(ip).collect::<der::Result<_>>().map(SubjectAltName)
    }
}

/// The host that was dialled.
pub(crate) enum Host<'a> {
    Dns(&'a str),
    Address(IpAddr),
}

impl<'a> Host<'a> {
    /// Reads a name as it is dialled: an address, or a DNS name with or without a final dot.
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        if let Ok(address) = name.parse() {
            return Some(Self::Address(address));
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        is_dns_name(name, Wildcard::Refused).then_some(Self::Dns(name))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wildcard {
    Allowed,
    Refused,
}

fn address(bytes: &[u8]) -> Result<IpAddr, CertificateError> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Ok(octets.into());
    }
    <[u8; 16]>::try_from(bytes)
        .map(IpAddr::from)
        .map_err(|_| CertificateError::malformed("an alternative name is no IP address"))
}

/// RFC 9525 §6.3: a wildcard is the whole left-most label and stands for exactly one label. CN is never consulted (§2).
fn dns_matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(suffix) => {
            name.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(suffix))
        }
        None => pattern.eq_ignore_ascii_case(name),
    }
}

/// LDH labels and underscores (RFC 1034 §3.5 as practised); an all-numeric last label would be a misread address.
fn is_dns_name(name: &str, wildcard: Wildcard) -> bool {
    let (name, labels_min) = match name.strip_prefix("*.") {
        Some(rest) if wildcard == Wildcard::Allowed => (rest, WILDCARD_LABELS_MIN),
        _ => (name, 1),
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= DNS_NAME_CHARS_MAX
        && name.split('.').count() >= labels_min
        && name.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_CHARS_MAX).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && !label.starts_with('-')
        && !label.ends_with('-')
}

const DNS_NAME_CHARS_MAX: usize = 253;
const LABEL_CHARS_MAX: usize = 63;
/// `*.cn` would be everybody.
const WILDCARD_LABELS_MIN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_one_whole_label() {
        let names = AlternativeNames::parse(["*.jilin.gov.cn", "node1.cc.jl", "10.0.0.1", "::1"]);
        let names = names.unwrap();
        let matches = |name| Host::parse(name).is_some_and(|host| names.matches(&host));
        for good in ["a.jilin.gov.cn", "A.JILIN.gov.cn.", "node1.cc.jl", "10.0.0.1", "0:0::1"] {
            assert!(matches(good), "{good}");
        }
        for bad in [
            "jilin.gov.cn",
            ".jilin.gov.cn",
            "a.b.jilin.gov.cn",
            "*.jilin.gov.cn",
            "xnode1.cc.jl",
            "10.0.0.2",
            "::2",
            "",
            ".",
            "node1.cc.jl..",
            "node1.cc.jl\0",
        ] {
            assert!(!matches(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_no_name() {
        for bad in ["*.cn", "a*.jilin.gov.cn", "*", "a..b", "-a.b", "a-.b", "长春.cn", "1.2.3.4.5"]
        {
            assert!(AlternativeNames::parse([bad]).is_none(), "{bad}");
        }
        assert!(AlternativeNames::parse(["a".repeat(64).as_str()]).is_none());
        assert!(AlternativeNames::parse([["a"; 128].join(".").as_str()]).is_none());
    }
}
