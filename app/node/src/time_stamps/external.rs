//! The authorities that the configuration names as sources of tokens.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use changbai_api::time_stamp_client::{TimeStampClient, TsaUrl};
use changbai_time::{QueryTransport, TimeStamper, TokenSource, TransportError, TsaClient};
use smkit_pki::{Certificate, TrustAnchors, Validator};
use smkit_tls::peer::PathVerifier;
use tokio::runtime::Handle;

use crate::config::{TimeSettings, Tsa, ValidConfig};
use crate::error::StartError;
use crate::identity::{text, wrong};
use crate::time::NodeTime;
use crate::transport;

/// Everybody who is asked, in order. Without a list it is the node's own authority.
pub(super) fn sources(
    config: &ValidConfig,
    time: &NodeTime,
    own: Option<Arc<TimeStamper>>,
) -> Result<Vec<Arc<dyn TokenSource>>, StartError> {
    let settings = &config.settings.time;
    let mut authorities = settings.authorities()?;
    if authorities.is_empty() && own.is_some() {
        authorities.push(Tsa::Own);
    }
    let folder = config.file.parent().unwrap_or_else(|| Path::new("."));
    let each = |one: Tsa| match (one, &own) {
        (Tsa::Own, Some(own)) => Ok(Arc::clone(own) as Arc<dyn TokenSource>),
        (Tsa::Own, None) => Err(StartError::Wiring(NO_OWN.to_owned())),
        (Tsa::External(url), _) => {
            external(url, folder, settings, time).map(|client| Arc::new(client) as _)
        }
    };
    authorities.into_iter().map(each).collect()
}

fn external(
    url: TsaUrl,
    folder: &Path,
    settings: &TimeSettings,
    time: &NodeTime,
) -> Result<TsaClient, StartError> {
    let validator = validator(&folder.join(&settings.tsa_trust))?;
    let connections = if settings.tsa_tls_trust.as_os_str().is_empty() {
        validator.clone()
    } else {
        self::validator(&folder.join(&settings.tsa_tls_trust))?
    };
    let verifier = Arc::new(PathVerifier::of(connections));
    let now = Arc::new(transport::NodeTime(time.clock()));
    let name = url.to_string();
    let client = TimeStampClient::new(url, verifier, now)
        .map_err(|error| StartError::Wiring(format!("time.tsa: {error}")))?;
    let transport = Box::new(Wire { client: Arc::new(client), runtime: Handle::current() });
    let policy = Some(settings.tsa_asked_policy.clone()).filter(|policy| !policy.is_empty());
    Ok(TsaClient::new(name, transport, validator, time.clock()).with_policy(policy))
}

fn validator(file: &Path) -> Result<Validator, StartError> {
    let roots = Certificate::pem_many(&text(file)?).map_err(|e| wrong(file, &e))?;
    if roots.is_empty() {
        return Err(wrong(file, &"no certificate in it"));
    }
    Ok(Validator::admitting_all(TrustAnchors::from_certificates(roots)))
}

/// The async client for whoever blocks: the query runs on the node's runtime, and ends with it.
#[derive(Debug)]
struct Wire {
    client: Arc<TimeStampClient>,
    runtime: Handle,
}

impl QueryTransport for Wire {
    fn post(&self, query: &[u8]) -> Result<Vec<u8>, TransportError> {
        let (sender, receiver) = sync_channel(1);
        let (client, query) = (Arc::clone(&self.client), query.to_vec());
        self.runtime.spawn(async move {
            // Whoever asked may have gone.
            drop(sender.send(client.query(&query).await));
        });
        let stopped = |_| TransportError { reason: "the node stops".to_owned(), again: false };
        let answer = receiver.recv().map_err(stopped)?;
        answer.map_err(|error| TransportError { reason: error.reason, again: error.again })
    }
}

const NO_OWN: &str =
    "time.tsa: own: this node has no time-stamp authority (time.tsa_policy, or a certificate)";
