//! `DIR/node.json`, which a running node writes: where it listens.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
};

use changbai_node::config::{Endpoint, Scheme};
use serde::Deserialize;

use crate::{error::CliError, stream};

#[derive(Deserialize)]
struct NodeFile {
    listen: Vec<String>,
}

/// Where to connect to: GM TLS where the node speaks it.
///
/// # Errors
/// [`CliError::NotRunning`] without the file, [`CliError::NodeFile`] when it is not what a node writes.
pub(super) fn read(dir: &Path) -> Result<Endpoint, CliError> {
    let path = dir.join("node.json");
    let text = match stream::read_small(&path) {
        Ok(text) => text,
        Err(CliError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(CliError::NotRunning { dir: dir.to_owned() });
        }
        Err(error) => return Err(error),
    };
    endpoint(&text).map_err(|reason| CliError::NodeFile { dir: dir.to_owned(), path, reason })
}

fn endpoint(text: &str) -> Result<Endpoint, String> {
    let file: NodeFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let read = |text: &String| text.parse().map_err(|()| format!("listen: {text:?}"));
    let endpoints: Vec<Endpoint> = file.listen.iter().map(read).collect::<Result<_, _>>()?;
    let protected = endpoints.iter().find(|endpoint| endpoint.scheme == Scheme::GmTls);
    let mut endpoint = *protected.or_else(|| endpoints.first()).ok_or("listen: empty")?;
    // A node on every interface is reached through the loopback one.
    if endpoint.address.ip().is_unspecified() {
        endpoint.address.set_ip(match endpoint.address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    Ok(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_strictly() {
        for (text, expected) in [
            (r#"{"listen":["http://127.0.0.1:8080"],"pid":7}"#, "http://127.0.0.1:8080"),
            (r#"{"listen":["http://127.0.0.1:1","gmtls://0.0.0.0:9"]}"#, "gmtls://127.0.0.1:9"),
            (r#"{"listen":["gmtls://[::]:9"]}"#, "gmtls://[::1]:9"),
        ] {
            assert_eq!(endpoint(text).unwrap().to_string(), expected);
        }
        let wrong = ["", "{}", r#"{"listen":[]}"#, r#"{"listen":["x.example:80"]}"#];
        for wrong in wrong {
            assert!(endpoint(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn without_the_file_no_node_is_running() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(read(dir.path()), Err(CliError::NotRunning { .. })));
    }
}
