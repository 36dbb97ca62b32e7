//! `DIR/node.json`, which a running node writes: where it listens.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};

use serde::Deserialize;

use crate::{error::CliError, stream};

#[derive(Deserialize)]
struct NodeFile {
    listen: String,
}

/// The host and port to connect to.
///
/// # Errors
/// [`CliError::NotRunning`] without the file, [`CliError::NodeFile`] when it is not what a node writes.
pub(super) fn read(dir: &Path) -> Result<String, CliError> {
    let path = dir.join("node.json");
    let text = match stream::read_small(&path) {
        Ok(text) => text,
        Err(CliError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(CliError::NotRunning { dir: dir.to_owned() });
        }
        Err(error) => return Err(error),
    };
    address(&text).map_err(|reason| CliError::NodeFile { dir: dir.to_owned(), path, reason })
}

fn address(text: &str) -> Result<String, String> {
    let file: NodeFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut address: SocketAddr =
        file.listen.parse().map_err(|_| format!("listen: {:?}", file.listen))?;
    // A node on every interface is reached through the loopback one.
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    Ok(address.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly() {
        assert_eq!(address(r#"{"listen":"127.0.0.1:8080","pid":7}"#).unwrap(), "127.0.0.1:8080");
        assert_eq!(address(r#"{"listen":"0.0.0.0:9"}"#).unwrap(), "127.0.0.1:9");
        assert_eq!(address(r#"{"listen":"[::]:9"}"#).unwrap(), "[::1]:9");
        for wrong in ["", "{}", r#"{"listen":"example.com:80"}"#, r#"{"listen":8080}"#] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn without_the_file_no_node_is_running() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(read(dir.path()), Err(CliError::NotRunning { .. })));
    }
}
