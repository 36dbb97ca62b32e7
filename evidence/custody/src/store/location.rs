//! The configuration's URL of a store.
//!
//! | Form | Store |
//! |---|---|
//! | empty, or `local` | the folder `objects` of custody's own directory |
//! | `file:///PATH` | another folder |
//! | `s3+http://HOST:PORT/BUCKET[/PREFIX][?region=NAME]` | an S3-compatible service |
//! | `ipfs+http://HOST:PORT[/PREFIX]` | the HTTP API of an IPFS node |
//!
//! With `+gmtls` in place of `+http` the connection is GM TLS. HOST must be, and a name must stand for, an address of a
//! private network (loopback, RFC 1918, RFC 4193, link-local): originals stay in the agency's own network, sealed or
//! not, and neither the public IPFS network nor a foreign cloud is a place for them.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// A store by its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// Custody's own directory.
    Own,
    /// Another folder.
    Folder(PathBuf),
    /// An S3-compatible service.
    S3(S3Location),
    /// The HTTP API of an IPFS node.
    Ipfs(IpfsLocation),
}

/// Whom to dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether GM TLS protects the connection.
    pub secure: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// See [`Location::S3`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Location {
    /// Where it answers.
    pub endpoint: Endpoint,
    /// Name of the bucket.
    pub bucket: String,
    /// Before each key, without slashes at its ends; may be empty.
    pub prefix: String,
    /// The region that requests are signed for.
    pub region: String,
}

/// See [`Location::Ipfs`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpfsLocation {
    /// Where its HTTP API answers.
    pub endpoint: Endpoint,
    /// Folder in the node's own file system (MFS), without slashes at its ends.
    pub prefix: String,
}

/// Why a URL names no store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocationError {
    /// It has none of the forms.
    #[error(
        "expected local, file:///PATH, s3+http://HOST:PORT/BUCKET, ipfs+http://HOST:PORT, or the latter two with +gmtls"
    )]
    Form,
    /// The address is a public one.
    #[error("the store must lie in a private network")]
    Public,
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if text.is_empty() || text == "local" {
            return Ok(Self::Own);
        }
        let (scheme, rest) = text.split_once("://").ok_or(LocationError::Form)?;
        if scheme == "file" {
            let absolute = rest.starts_with('/') && rest.len() > 1;
            return if absolute { Ok(Self::Folder(rest.into())) } else { Err(LocationError::Form) };
        }
        let (kind, secure) = match scheme.split_once('+') {
            Some((kind, "http")) => (kind, false),
            Some((kind, "gmtls")) => (kind, true),
            _ => return Err(LocationError::Form),
        };
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(a, b)| (a, Some(b)));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let endpoint = endpoint(authority, secure)?;
        let path = path.trim_matches('/');
        if !path.split('/').all(|part| path.is_empty() || is_plain(part)) {
            return Err(LocationError::Form);
        }
        match (kind, query) {
            ("s3", query) => {
                let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
                let region = match query {
                    None => "us-east-1",
                    Some(query) => query.strip_prefix("region=").ok_or(LocationError::Form)?,
                };
                if bucket.is_empty() || !is_plain(region) {
                    return Err(LocationError::Form);
                }
                let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
                Ok(Self::S3(S3Location { endpoint, bucket, prefix, region: region.to_owned() }))
            }
            ("ipfs", None) => {
                let prefix = if path.is_empty() { "changbai" } else { path }.to_owned();
                Ok(Self::Ipfs(IpfsLocation { endpoint, prefix }))
            }
            _ => Err(LocationError::Form),
        }
    }
}

fn endpoint(authority: &str, secure: bool) -> Result<Endpoint, LocationError> {
    let (host, port) = authority.rsplit_once(':').ok_or(LocationError::Form)?;
    let port = port.parse().map_err(|_| LocationError::Form)?;
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let address = inner.unwrap_or(host).parse::<IpAddr>();
    match address {
        Ok(address) if !is_private(address) => return Err(LocationError::Public),
        Ok(address) if address.is_ipv6() != inner.is_some() => return Err(LocationError::Form),
        Err(_) if inner.is_some() || !is_plain(host) => return Err(LocationError::Form),
        _ => {}
    }
    Ok(Endpoint { secure, host: inner.unwrap_or(host).to_owned(), port })
}

/// Letters, digits, `-`, `.` and `_`, and not only dots: safe in a path and in a host name.
fn is_plain(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    text.bytes().all(fits) && text.bytes().any(|b| b.is_ascii_alphanumeric()) && text.len() <= 128
}

/// Loopback, RFC 1918, RFC 4193 and link-local.
#[must_use]
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Location, LocationError, is_private};

    #[test]
    fn each_form_is_read() {
        for own in ["", "local"] {
            assert_eq!(own.parse(), Ok(Location::Own));
        }
        assert_eq!("file:///srv/x".parse(), Ok(Location::Folder("/srv/x".into())));
        let Ok(Location::S3(s3)) = "s3+http://10.1.2.3:9000/box/a/b?region=jl-1".parse() else {
            panic!("S3");
        };
        assert_eq!((s3.endpoint.host.as_str(), s3.endpoint.port), ("10.1.2.3", 9_000));
        assert_eq!((s3.bucket.as_str(), s3.prefix.as_str()), ("box", "a/b"));
        assert_eq!((s3.region.as_str(), s3.endpoint.secure), ("jl-1", false));
        let Ok(Location::Ipfs(ipfs)) = "ipfs+gmtls://[fd00::1]:5001".parse() else {
            panic!("IPFS");
        };
        assert_eq!((ipfs.endpoint.host.as_str(), ipfs.prefix.as_str()), ("fd00::1", "changbai"));
        assert!(ipfs.endpoint.secure);
        assert!(
            "s3+http://store.example:9000/box".parse::<Location>().is_ok(),
            "judged when dialled"
        );
    }

    #[test]
    fn public_addresses_and_other_forms_are_refused() {
        for public in [
            "ipfs+http://8.8.8.8:5001",
            "s3+gmtls://1.2.3.4:443/box",
            "s3+http://[2001:db8::1]:9000/box",
            "s3+http://[::ffff:8.8.8.8]:9000/box",
        ] {
            assert_eq!(public.parse::<Location>(), Err(LocationError::Public), "{public}");
        }
        for wrong in [
            "x",
            "file://relative",
            "file:///",
            "s3://10.0.0.1:9000/box",
            "s3+https://10.0.0.1:9000/box",
            "s3+http://10.0.0.1/box",
            "s3+http://10.0.0.1:9000",
            "s3+http://10.0.0.1:9000/box/../up",
            "s3+http://10.0.0.1:9000/box?zone=a",
            "s3+http://user@10.0.0.1:9000/box",
            "ipfs+http://10.0.0.1:5001?region=a",
            "ipfs+http://10.0.0.1:99999",
            "ipfs+http://fd00::1:5001",
        ] {
            assert_eq!(wrong.parse::<Location>(), Err(LocationError::Form), "{wrong}");
        }
    }

    #[test]
    fn private_means_private() {
        for (address, private) in [
            ("127.0.0.1", true),
            ("10.0.0.1", true),
            ("172.31.0.1", true),
            ("172.32.0.1", false),
            ("192.168.1.1", true),
            ("169.254.1.1", true),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("8.8.8.8", false),
            ("::1", true),
            ("fd12::1", true),
            ("fe80::1", true),
            ("2001:db8::1", false),
            ("::ffff:10.0.0.1", true),
            ("::ffff:8.8.8.8", false),
        ] {
            assert_eq!(is_private(address.parse().unwrap()), private, "{address}");
        }
    }
}
