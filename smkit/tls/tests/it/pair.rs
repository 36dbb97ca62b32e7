//! A client and a server that talk through memory.

use std::{io::Read, sync::Arc};

use rustls::{
    ClientConfig, ClientConnection, Error, ServerConfig, ServerConnection, crypto::CryptoProvider,
    pki_types::ServerName,
};
use smkit_tls::rfc8998::{self, ClientVerifier, ServerVerifier};

use crate::authority::{Holder, TestCa, TestTime, TestVerifier};

/// Everything one handshake needs; a test changes what it is about.
pub(crate) struct Setting {
    pub(crate) time: Arc<TestTime>,
    pub(crate) verifier: Arc<TestVerifier>,
    pub(crate) servers: Arc<ServerVerifier>,
    pub(crate) clients: Arc<ClientVerifier>,
    pub(crate) server: ServerConfig,
    pub(crate) client: ClientConfig,
    pub(crate) name: &'static str,
}

impl Setting {
    /// Mutual authentication with right certificates on both sides.
    pub(crate) fn mutual() -> Self {
        let ca = TestCa::new();
        Self::with(&ca, &ca.server(), Some(&ca.client()))
    }

    pub(crate) fn with(ca: &TestCa, server: &Holder, client: Option<&Holder>) -> Self {
        let (time, verifier) = (TestTime::new(), ca.verifier());
        let servers = Arc::new(ServerVerifier::new(verifier.clone()));
        let clients = Arc::new(ClientVerifier::new(verifier.clone(), true));
        let (asked, judged) = (clients.clone(), servers.clone());
        let server =
            rfc8998::server_config(&server.chain, &server.key, Some(asked), time.clone()).unwrap();
        let own = client.map(|client| (client.chain.as_slice(), &client.key));
        let client = rfc8998::client_config(own, judged, time.clone()).unwrap();
        Self { time, verifier, servers, clients, server, client, name: "localhost" }
    }

    pub(crate) fn pair(&self) -> Pair {
        Pair::new(self.client.clone(), self.server.clone(), self.name)
    }
}

/// The provider with one suite.
pub(crate) fn only(suite: rustls::SupportedCipherSuite) -> CryptoProvider {
    CryptoProvider { cipher_suites: vec![suite], ..rfc8998::provider() }
}

pub(crate) struct Pair {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
    /// Application data that arrived at each side.
    heard_by_client: Vec<u8>,
    heard_by_server: Vec<u8>,
}

/// How a handshake ended on both sides.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) client: Result<(), Error>,
    pub(crate) server: Result<(), Error>,
}

impl Pair {
    pub(crate) fn new(client: ClientConfig, server: ServerConfig, name: &'static str) -> Self {
        let name = ServerName::try_from(name).unwrap();
        Self {
            client: ClientConnection::new(Arc::new(client), name).unwrap(),
            server: ServerConnection::new(Arc::new(server)).unwrap(),
            heard_by_client: Vec::new(),
            heard_by_server: Vec::new(),
        }
    }

    /// Carries bytes until nobody has any; a side that failed still delivers its alert.
    pub(crate) fn run(&mut self) -> Ended {
        self.run_with(|_, bytes| bytes)
    }

    /// As [`Pair::run`] with somebody in between: `true` for what the client sends.
    pub(crate) fn run_with(&mut self, mut between: impl FnMut(bool, Vec<u8>) -> Vec<u8>) -> Ended {
        let mut ended = Ended { client: Ok(()), server: Ok(()) };
        loop {
            let to_server = between(true, sent(|out| self.client.write_tls(out).map(drop)));
            let to_client = between(false, sent(|out| self.server.write_tls(out).map(drop)));
            if to_server.is_empty() && to_client.is_empty() {
                return ended;
            }
            if ended.server.is_ok() {
                ended.server = take(&to_server, |mut rest| {
                    self.server.read_tls(&mut rest).unwrap();
                    self.server.process_new_packets()?;
                    self.heard_by_server.extend(heard(&mut self.server.reader()));
                    Ok(rest)
                });
            }
            if ended.client.is_ok() {
                ended.client = take(&to_client, |mut rest| {
                    self.client.read_tls(&mut rest).unwrap();
                    self.client.process_new_packets()?;
                    self.heard_by_client.extend(heard(&mut self.client.reader()));
                    Ok(rest)
                });
            }
        }
    }

    /// A handshake that must succeed.
    pub(crate) fn shake(&mut self) {
        let ended = self.run();
        assert_eq!((ended.client, ended.server), (Ok(()), Ok(())));
        assert!(!self.client.is_handshaking() && !self.server.is_handshaking());
    }

    pub(crate) fn client_says(&mut self, data: &[u8]) -> Vec<u8> {
        std::io::Write::write_all(&mut self.client.writer(), data).unwrap();
        let ended = self.run();
        assert_eq!((ended.client, ended.server), (Ok(()), Ok(())));
        std::mem::take(&mut self.heard_by_server)
    }

    pub(crate) fn server_says(&mut self, data: &[u8]) -> Vec<u8> {
        std::io::Write::write_all(&mut self.server.writer(), data).unwrap();
        let ended = self.run();
        assert_eq!((ended.client, ended.server), (Ok(()), Ok(())));
        std::mem::take(&mut self.heard_by_client)
    }
}

/// Everything a side has to send, in one piece.
fn sent(mut write: impl FnMut(&mut Vec<u8>) -> std::io::Result<()>) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let before = all.len();
        write(&mut all).unwrap();
        if all.len() == before {
            return all;
        }
    }
}

/// Hands bytes to a side until all are taken or it fails.
fn take<'a>(
    bytes: &'a [u8],
    mut read: impl FnMut(&'a [u8]) -> Result<&'a [u8], Error>,
) -> Result<(), Error> {
    let mut rest = bytes;
    while !rest.is_empty() {
        rest = read(rest)?;
    }
    Ok(())
}

/// What has arrived, without waiting for more.
pub(crate) fn heard(reader: &mut impl Read) -> Vec<u8> {
    let (mut all, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = reader.read(&mut chunk) {
        all.extend_from_slice(&chunk[..count]);
    }
    all
}
