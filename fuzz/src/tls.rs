//! A client and a server of RFC 8998 that trust everybody, so that input goes as deep as it can.

use std::io::Read as _;
use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::time_provider::DefaultTimeProvider;
use rustls::{ClientConfig, ClientConnection, Error, ServerConfig, ServerConnection};
use smkit_pki::{Authority, Certificate, Subject, Validity};
use smkit_tls::peer::{PeerRefusal, PeerRole, PeerVerifier};
use smkit_tls::rfc8998::{ClientVerifier, ServerVerifier, client_config, server_config};

use crate::Seeded;

/// Lets in whoever holds the key of any certificate.
#[derive(Debug)]
struct Anybody;

impl PeerVerifier for Anybody {
    fn verify(&self, _: &[Certificate], _: PeerRole<'_>, _: i64) -> Result<(), PeerRefusal> {
        Ok(())
    }
}

static CONFIGS: LazyLock<(Arc<ClientConfig>, Arc<ServerConfig>)> = LazyLock::new(|| {
    let subject = Subject { common_name: "localhost".to_owned(), ..Subject::default() };
    let validity = Validity { not_before: 1_000_000_000, not_after: 2_400_000_000 };
    let own = Authority::create_root(&subject, validity, &mut Seeded(40 << 32));
    let own = own.expect("a certificate of our own");
    let (chain, time) = ([own.certificate().clone()], Arc::new(DefaultTimeProvider));
    let clients = Arc::new(ClientVerifier::new(Arc::new(Anybody), true));
    let servers = Arc::new(ServerVerifier::new(Arc::new(Anybody)));
    let server = server_config(&chain, own.key(), Some(clients), time.clone());
    let client = client_config(Some((&chain, own.key())), servers, time);
    let mut client = client.expect("own certificate");
    client.resumption = Resumption::disabled();
    (Arc::new(client), Arc::new(server.expect("own certificate")))
});

/// A server that waits for its first byte.
///
/// # Panics
/// Never: the configuration is constant.
pub fn server() -> ServerConnection {
    ServerConnection::new(Arc::clone(&CONFIGS.1)).expect("a configuration")
}

/// A client that has its `ClientHello` to send.
///
/// # Panics
/// Never: the configuration is constant.
pub fn client() -> ClientConnection {
    let name = ServerName::try_from("localhost").expect("a name");
    ClientConnection::new(Arc::clone(&CONFIGS.0), name).expect("a configuration")
}

/// Hands bytes to a side, in pieces of up to `step`, until it fails.
///
/// # Errors
/// What the side says.
///
/// # Panics
/// If a side that takes nothing more says nothing either.
pub fn feed<S>(
    side: &mut rustls::ConnectionCommon<S>,
    bytes: &[u8],
    step: usize,
) -> Result<(), Error>
where
    S: rustls::SideData,
{
    for mut piece in bytes.chunks(step.max(1)) {
        while !piece.is_empty() {
            let before = piece.len();
            side.read_tls(&mut piece).expect("reading from memory");
            side.process_new_packets()?;
            let mut heard = Vec::new();
            let _ = side.reader().read_to_end(&mut heard);
            assert!(piece.len() < before, "neither progress nor an error");
        }
    }
    Ok(())
}

/// Everything a side has to send.
///
/// # Panics
/// Never: memory takes everything.
pub fn sent<S: rustls::SideData>(side: &mut rustls::ConnectionCommon<S>) -> Vec<u8> {
    let mut all = Vec::new();
    while side.wants_write() {
        side.write_tls(&mut all).expect("writing to memory");
    }
    all
}
