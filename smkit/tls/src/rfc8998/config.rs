//! rustls configurations with everything set as it should be.

use std::sync::Arc;

use rustls::{
    ClientConfig, ServerConfig,
    client::{Resumption, danger::ServerCertVerifier},
    pki_types::CertificateDer,
    server::{NoServerSessionStorage, danger::ClientCertVerifier},
    sign::{CertifiedKey, SingleCertAndKey},
    time_provider::TimeProvider,
};
use smkit::{RandomError, sm2::PrivateKey};
use smkit_pki::Certificate;

use super::{Ticketer, provider, signing_key};

/// Whether a server wants to know who its clients are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// A client without an accepted certificate is refused.
    Required,
    /// A client may stay anonymous; a certificate it shows must be accepted.
    Optional,
    /// Clients are not asked.
    None,
}

/// A server's configuration: `chain` (own certificate first) with its key, clients judged by `clients` or not asked.
///
/// Sessions resume from tickets for up to two hours; one ticket a connection. rustls's fields may be changed afterwards:
/// for sessions that the server remembers itself, put a `ServerSessionMemoryCache` into `session_storage` and a
/// `NoServerSessionStorage`-like ticketer away.
///
/// # Errors
/// See [`ConfigError`].
pub fn server_config(
    chain: &[Certificate],
    key: &PrivateKey,
    clients: Option<Arc<dyn ClientCertVerifier>>,
    time: Arc<dyn TimeProvider>,
) -> Result<ServerConfig, ConfigError> {
    let certified = certified_key(chain, key)?;
    let builder = ServerConfig::builder_with_details(Arc::new(provider()), Arc::clone(&time))
        .with_protocol_versions(&[&rustls::version::TLS13])?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.ticketer = Ticketer::new(TICKET_SECONDS, time)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = TICKETS_PER_CONNECTION;
    Ok(config)
}

/// A client's configuration: servers judged by `servers`; with `own`, the client shows that certificate when asked.
///
/// # Errors
/// See [`ConfigError`].
pub fn client_config(
    own: Option<(&[Certificate], &PrivateKey)>,
    servers: Arc<dyn ServerCertVerifier>,
    time: Arc<dyn TimeProvider>,
) -> Result<ClientConfig, ConfigError> {
    let builder = ClientConfig::builder_with_details(Arc::new(provider()), time)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(servers);
    let mut config = match own {
        Some((chain, key)) => {
            let certified = SingleCertAndKey::from(certified_key(chain, key)?);
            builder.with_client_cert_resolver(Arc::new(certified))
        }
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::in_memory_sessions(SERVERS_REMEMBERED);
    Ok(config)
}

fn certified_key(chain: &[Certificate], key: &PrivateKey) -> Result<CertifiedKey, ConfigError> {
    let own = chain.first().ok_or(ConfigError::NoCertificate)?;
    if own.public_key() != key.public_key() {
        return Err(ConfigError::KeyMismatch { subject: own.subject() });
    }
    let chain = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
    Ok(CertifiedKey::new(chain, signing_key(key)?))
}

/// Why there is no configuration.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The chain is empty.
    #[error("a chain without a certificate")]
    NoCertificate,
    /// The key belongs to another certificate.
    #[error("the private key does not belong to the certificate of {subject}")]
    KeyMismatch {
        /// Subject of the first certificate.
        subject: String,
    },
    /// No randomness for ticket keys.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The pair of certificates or the protocol names do not fit TLCP.
    #[error(transparent)]
    Tlcp(#[from] crate::tlcp::ConfigError),
    /// rustls does not accept the configuration.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
}

/// A key seals tickets for an hour and opens them for one more.
const TICKET_SECONDS: u32 = 3600;
/// Each connection yields one, a resumed one its successor: no ticket is needed twice.
const TICKETS_PER_CONNECTION: usize = 1;
/// Servers whose tickets a client keeps.
const SERVERS_REMEMBERED: usize = 256;
