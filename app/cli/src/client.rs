//! The one module that speaks to a running node: HTTP over GM TLS where the node offers it, in clear on the loopback
//! interface otherwise, each request signed with the operator's SM2 key (RFC 9421), repeated within bounds when the
//! connection or the node fails for a moment.
//!
//! Repeating is safe: reads change nothing, and a write carries one `Idempotency-Key` through all its attempts.
//! Every attempt is signed anew, because a node accepts a nonce once.

mod answer;
mod attempt;
mod gm_tls;
mod identity;
mod multipart;
mod node_file;
mod upload;

use std::{io, path::PathBuf, sync::Arc, thread, time::Duration};

use smkit::{OsRandom, Random};
use smkit_pki::Certificate;
use ureq::{
    Agent,
    http::Response,
    unversioned::{
        resolver::DefaultResolver,
        transport::{Connector as _, TcpConnector},
    },
};

pub(crate) use self::{
    attempt::Failed,
    multipart::{Multipart, Part},
    upload::Upload,
};
use self::{gm_tls::GmTls, identity::Identity};
use crate::{error::CliError, lang::Lang, limits, run::Context, stream};

/// The authority of the node's TLS certificates.
const SERVER_ROOT: &str = "identity/tls-ca/ca.cert.pem";

/// A client of the node that runs on one data directory.
#[derive(Debug)]
pub(crate) struct Client {
    dir: PathBuf,
    lang: Lang,
    agent: Agent,
    identity: Option<Arc<Identity>>,
    hasty: bool,
}

/// One request; by default a GET without body.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Upper-case method.
    pub(crate) method: &'static str,
    /// Path from `/api/v1`.
    pub(crate) path: &'a str,
    /// Query without `?`, percent-encoded.
    pub(crate) query: Option<&'a str>,
    /// What is sent.
    pub(crate) body: Body<'a>,
    /// Makes a write repeatable.
    pub(crate) idempotency_key: Option<&'a str>,
    /// A further status whose answer has the shape of a success.
    pub(crate) also_status: Option<u16>,
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self {
            method: "GET",
            path: "/",
            query: None,
            body: Body::Empty,
            idempotency_key: None,
            also_status: None,
        }
    }
}

/// The body of a request.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    /// None.
    Empty,
    /// A JSON document.
    Json(&'a [u8]),
    /// Bytes of a block or a transaction.
    Bytes(&'a [u8]),
    /// Lines of JSON.
    Lines(&'a [u8]),
    /// Originals, streamed from their files.
    Upload(&'a Upload),
}

/// A response whose body has not been read.
pub(crate) type Answer = Response<ureq::Body>;

impl Client {
    /// A client that signs as the operator of the node on `context.dir`.
    ///
    /// # Errors
    /// When the operator's key or certificate cannot be used, or no node has ever run there.
    pub(crate) fn signing(context: &Context) -> Result<Self, CliError> {
        // Asked first: without a node, its absence is the better explanation than the absence of a key.
        node_file::read(&context.dir)?;
        let identity = Arc::new(Identity::read(&context.dir)?);
        Self::with(context, Some(&identity), Some(Arc::clone(&identity)))
    }

    /// A client that signs as the administrator of the agency whose node runs on `context.dir`.
    ///
    /// # Errors
    /// As [`Client::signing`].
    pub(crate) fn administrator(context: &Context) -> Result<Self, CliError> {
        node_file::read(&context.dir)?;
        let identity = Arc::new(Identity::of_administrator(&context.dir)?);
        Self::with(context, Some(&identity), Some(Arc::clone(&identity)))
    }

    /// A client that signs as a court whose key and certificate lie in `context.dir`.
    ///
    /// # Errors
    /// As [`Client::signing`].
    pub(crate) fn court(context: &Context) -> Result<Self, CliError> {
        node_file::read(&context.dir)?;
        let identity = Arc::new(Identity::of_court(&context.dir)?);
        Self::with(context, Some(&identity), Some(Arc::clone(&identity)))
    }

    /// A client that signs nothing, for what everybody may ask. On a connection that wants a certificate it shows the
    /// operator's, where there is one.
    ///
    /// # Errors
    /// As [`Client::signing`], but for a missing key.
    pub(crate) fn anonymous(context: &Context) -> Result<Self, CliError> {
        let shown = Identity::read(&context.dir).ok().map(Arc::new);
        Self::with(context, shown.as_ref(), None)
    }

    fn with(
        context: &Context,
        shown: Option<&Arc<Identity>>,
        identity: Option<Arc<Identity>>,
    ) -> Result<Self, CliError> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // Only the node of this directory is meant, whatever the environment says about proxies.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(limits::CONNECT_TIMEOUT))
            .timeout_await_100(Some(limits::CONTINUE_TIMEOUT))
            .timeout_recv_response(Some(limits::ANSWER_TIMEOUT))
            .user_agent(concat!("changbai/", env!("CARGO_PKG_VERSION")))
            .build();
        let path = context.dir.join(SERVER_ROOT);
        let wrong = |reason: String| CliError::Identity { path: path.clone(), reason };
        let roots = match stream::read_small(&path) {
            Ok(pem) => Certificate::pem_many(&pem).map_err(|e| wrong(e.to_string()))?,
            Err(CliError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let own = shown.map(|identity| (identity.chain(), identity.key()));
        let gm_tls = GmTls::new(roots, own).map_err(wrong)?;
        let connector = TcpConnector::default().chain(gm_tls);
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        Ok(Self { dir: context.dir.clone(), lang: context.lang, agent, identity, hasty: false })
    }

    /// The same client, who asks once and does not wait long.
    pub(crate) fn hasty(self) -> Self {
        Self { hasty: true, ..self }
    }

    /// Sends a request and reads the JSON document of its answer.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(
        &self,
        call: &Call<'_>,
    ) -> Result<T, CliError> {
        self.send(call, &mut answer::json)
    }

    /// Sends a request and reads the bytes of its answer.
    pub(crate) fn bytes(&self, call: &Call<'_>, bytes_max: u64) -> Result<Vec<u8>, CliError> {
        self.send(call, &mut |answer| answer::bytes(answer, bytes_max))
    }

    /// Sends a request, up to [`limits::ATTEMPTS_MAX`] times, and hands a successful answer to `accept`; when the
    /// connection breaks inside `accept`, that counts as a failed attempt too.
    pub(crate) fn send<T>(
        &self,
        call: &Call<'_>,
        accept: &mut dyn FnMut(Answer) -> Result<T, Failed>,
    ) -> Result<T, CliError> {
        let mut pause = limits::BACKOFF_FIRST;
        let mut attempts = 1;
        loop {
            let failed = match self.attempt(call, attempts, accept) {
                Ok(value) => return Ok(value),
                Err(failed) => failed,
            };
            let (wait, error) = match failed {
                Failed::ForGood(error) => return Err(error),
                Failed::ForNow { wait, error } => (wait, error),
            };
            if self.hasty || attempts >= limits::ATTEMPTS_MAX {
                return Err(error);
            }
            tracing::info!(attempt = attempts, error = %error, "cli::retry");
            thread::sleep(wait.unwrap_or(pause).max(pause).min(limits::BACKOFF_MAX));
            pause = (pause * 2).min(limits::BACKOFF_MAX);
            attempts += 1;
        }
    }
}

/// A fresh key for one write and all its attempts: 128 random bits in hex.
pub(crate) fn idempotency_key() -> Result<String, CliError> {
    Ok(random_16()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn random_16() -> Result<[u8; 16], CliError> {
    let mut bytes = [0; 16];
    OsRandom.fill(&mut bytes).map_err(|error| CliError::Random { reason: error.to_string() })?;
    Ok(bytes)
}

/// Percent-encodes a query value (RFC 3986: everything but unreserved characters).
pub(crate) fn encode_query(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    let encode = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    value.bytes().map(encode).collect()
}

/// The pause a node asks for with `Retry-After`, in seconds.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
