//! The client's side of the handshake (GB/T 38636-2020 §6.4).

mod answer;

use std::sync::Arc;

use smkit::sm2::{PublicKey, Signature};

use super::{
    PeerQuirk,
    config::ClientConfig,
    core::Core,
    error::{ConfigError, TlcpError},
    hello_random,
    keys::{KeyBlock, MasterSecret, Randoms, Side},
    messages::{
        ClientExtensions, ClientHello, EcdheParams, Message, MessageKind, RENEGOTIATION_SCSV,
        ServerHello, SessionId, certificate_request, read_signature,
    },
    name::ServerName,
    pair::Pair,
    session::Session,
    signed_certificate,
    suite::{CipherSuite, KeyExchange},
};
use crate::peer::PeerRole;

/// Where a client's handshake stands, and with what.
#[derive(Debug)]
pub(crate) struct Client {
    config: Arc<ClientConfig>,
    name: ServerName,
    state: State,
    /// The session that is kept under the name is this connection's.
    owns_session: bool,
}

/// What may come next.
#[derive(Debug)]
enum State {
    ServerHello(ClientHello, Option<Session>),
    Certificate(Exchange),
    ServerKeyExchange(Exchange, Pair),
    CertificateRequest(Exchange, Pair, Option<PublicKey>),
    ServerHelloDone(Exchange, Pair, Option<PublicKey>),
    ChangeCipherSpec(Keyed),
    Finished(Keyed),
    Established,
    Failed,
}

/// Agreed by the hellos.
#[derive(Debug)]
struct Exchange {
    suite: CipherSuite,
    randoms: Randoms,
    session_id: SessionId,
}

/// The keys are there; the server has still to prove that it has them.
struct Keyed {
    suite: CipherSuite,
    session_id: SessionId,
    master: MasterSecret,
    keys: KeyBlock,
    peer: Option<Pair>,
    resumed: bool,
}

impl Client {
    /// Begins: `ClientHello` is ready to be sent.
    pub(crate) fn start(
        config: Arc<ClientConfig>,
        name: ServerName,
        core: &mut Core,
    ) -> Result<Self, ClientStartError> {
        let suites = config.offered();
        if suites.is_empty() {
            return Err(ConfigError::NoSuite.into());
        }
        let now = config.now();
        let session = config.sessions.get(&name.as_str().to_owned(), now);
        let role = PeerRole::Server { name: name.as_str() };
        let session = session.filter(|session| {
            let peer = session.peer.as_ref();
            let admitted = peer.is_some_and(|peer| peer.verify_again(&*config.verifier, role, now));
            admitted && suites.contains(&session.suite)
        });
        let mut suites: Vec<u16> = suites.into_iter().map(CipherSuite::id).collect();
        let mut extensions = ClientExtensions::default();
        if !config.has_quirk(PeerQuirk::NoExtensions) {
            suites.push(RENEGOTIATION_SCSV);
            extensions = ClientExtensions {
                server_name: name.dns().map(str::to_owned),
                alpn: config.alpn().to_vec(),
                ..ClientExtensions::ours()
            };
        }
        let hello = ClientHello {
            random: hello_random(now, &mut *core.random).map_err(TlcpError::from)?,
            session_id: session.as_ref().map(|session| session.id).unwrap_or_default(),
            suites,
            extensions,
        };
        core.send(&hello.write())?;
        let state = State::ServerHello(hello, session);
        Ok(Self { config, name, state, owns_session: false })
    }

    /// Deals with one message; on failure nothing more is accepted.
    pub(crate) fn handle(&mut self, core: &mut Core, message: &Message) -> Result<(), TlcpError> {
        use MessageKind as Kind;
        let state = std::mem::replace(&mut self.state, State::Failed);
        self.state = match (state, message.kind) {
            (State::ServerHello(hello, session), Kind::ServerHello) => {
                self.server_hello(core, &hello, session, message)?
            }
            (State::Certificate(exchange), Kind::Certificate) => {
                self.certificate(core, exchange, message)?
            }
            (State::ServerKeyExchange(exchange, pair), Kind::ServerKeyExchange) => {
                server_key_exchange(core, exchange, pair, message)?
            }
            (State::CertificateRequest(exchange, pair, point), Kind::CertificateRequest) => {
                message.parse(certificate_request)?;
                core.transcript.add(message);
                State::ServerHelloDone(exchange, pair, point)
            }
            // Without the client's certificates there is no SM2 key exchange: the request may not be missing.
            (State::CertificateRequest(exchange, pair, None), Kind::ServerHelloDone) => {
                self.server_hello_done(core, exchange, pair, None, false, message)?
            }
            (State::ServerHelloDone(exchange, pair, point), Kind::ServerHelloDone) => {
                self.server_hello_done(core, exchange, pair, point, true, message)?
            }
            (State::Finished(keyed), Kind::Finished) => self.finished(core, keyed, message)?,
            (State::Established, Kind::HelloRequest) => return Err(TlcpError::Renegotiation),
            (state, kind) => {
                let (received, expected) = (kind.name(), state.expects());
                return Err(TlcpError::UnexpectedMessage { received, expected });
            }
        };
        Ok(())
    }

    pub(crate) fn change_cipher_spec(&mut self, core: &mut Core) -> Result<(), TlcpError> {
        match std::mem::replace(&mut self.state, State::Failed) {
            State::ChangeCipherSpec(keyed) => {
                core.read_under(keyed.keys.of(Side::Server))?;
                self.state = State::Finished(keyed);
                Ok(())
            }
            state => {
                let (received, expected) = ("ChangeCipherSpec", state.expects());
                Err(TlcpError::UnexpectedMessage { received, expected })
            }
        }
    }

    /// The connection failed: a session that belongs to it is not to be resumed.
    pub(crate) fn forget_session(&self) {
        if self.owns_session {
            self.config.sessions.remove(&self.name.as_str().to_owned());
        }
    }

    /// Messages are kept only for a peer that wants them signed whole.
    pub(crate) fn keeps_messages(config: &ClientConfig) -> bool {
        config.has_quirk(PeerQuirk::RawTranscriptSignature)
    }

    fn server_hello(
        &mut self,
        core: &mut Core,
        offered: &ClientHello,
        session: Option<Session>,
        message: &Message,
    ) -> Result<State, TlcpError> {
        let hello = ServerHello::read(message)?;
        core.transcript.add(message);
        let wrong_suite = TlcpError::WrongSuite { id: hello.suite };
        let suite = CipherSuite::from_id(hello.suite)
            .filter(|suite| offered.suites.contains(&suite.id()))
            .ok_or_else(|| wrong_suite.clone())?;
        hello.extensions.check(offered)?;
        core.agreed.alpn = hello.extensions.alpn;
        let randoms = Randoms { client: offered.random, server: hello.random };
        let session_id = hello.session_id;
        match session {
            Some(session) if session.id == session_id => {
                if session.suite != suite {
                    return Err(wrong_suite);
                }
                let Session { master, peer, .. } = session;
                let keys = master.key_block(suite, &randoms);
                self.owns_session = true;
                let resumed = true;
                let keyed = Keyed { suite, session_id, master, keys, peer, resumed };
                Ok(State::ChangeCipherSpec(keyed))
            }
            refused => {
                if refused.is_some() {
                    self.config.sessions.remove(&self.name.as_str().to_owned());
                }
                Ok(State::Certificate(Exchange { suite, randoms, session_id }))
            }
        }
    }

    fn certificate(
        &self,
        core: &mut Core,
        exchange: Exchange,
        message: &Message,
    ) -> Result<State, TlcpError> {
        let pair = Pair::read(message)?.ok_or(TlcpError::NoCertificate)?;
        core.transcript.add(message);
        let role = PeerRole::Server { name: self.name.as_str() };
        pair.verify(&*self.config.verifier, role, true, self.config.now())?;
        Ok(State::ServerKeyExchange(exchange, pair))
    }

    fn finished(
        &mut self,
        core: &mut Core,
        keyed: Keyed,
        message: &Message,
    ) -> Result<State, TlcpError> {
        core.check_finished(&keyed.master, Side::Server, message)?;
        core.expect_no_fragment("bytes after Finished")?;
        if keyed.resumed {
            core.write_under(keyed.keys.of(Side::Client))?;
            core.send_finished(&keyed.master, Side::Client)?;
        } else if !keyed.session_id.is_empty() {
            let lifetime = self.config.sessions.lifetime_seconds;
            let session = Session {
                id: keyed.session_id,
                suite: keyed.suite,
                ends_at: Session::end(self.config.now(), lifetime, keyed.peer.as_ref()),
                master: keyed.master,
                peer: keyed.peer.clone(),
                server_name: self.name.dns().map(str::to_owned),
            };
            self.config.sessions.put(self.name.as_str().to_owned(), session);
            self.owns_session = true;
        }
        core.agreed.server_name = self.name.dns().map(str::to_owned);
        core.establish(keyed.suite, keyed.peer, keyed.resumed);
        Ok(State::Established)
    }
}

/// Checks the server's signature over its encryption certificate (ECC) or its ephemeral point (ECDHE).
fn server_key_exchange(
    core: &mut Core,
    exchange: Exchange,
    pair: Pair,
    message: &Message,
) -> Result<State, TlcpError> {
    const KIND: MessageKind = MessageKind::ServerKeyExchange;
    let ecdhe = exchange.suite.key_exchange() == KeyExchange::Ecdhe;
    let (params, signature) = message.parse(|reader| {
        let params = if ecdhe { Some(EcdheParams::read(reader)?) } else { None };
        Some((params, read_signature(reader)?))
    })?;
    let encryption = pair.encryption().ok_or(TlcpError::NoEncryptionCertificate)?;
    let params_bytes = match params {
        Some(params) => params.bytes.to_vec(),
        None => signed_certificate(encryption.der()),
    };
    let Randoms { client, server } = &exchange.randoms;
    let signed = [client.as_slice(), server, &params_bytes].concat();
    let bad = TlcpError::BadSignature { message: KIND };
    let signature = Signature::from_der(signature).map_err(|_| bad.clone())?;
    let key = pair.signing().ok_or(TlcpError::NoCertificate)?.verifying_key();
    key.verify(&signed, &signature).map_err(|_| bad)?;
    let point = params.map(|params| params.ephemeral(KIND)).transpose()?;
    core.transcript.add(message);
    Ok(State::CertificateRequest(exchange, pair, point))
}

impl State {
    const fn expects(&self) -> &'static str {
        match self {
            Self::ServerHello(..) => "ServerHello",
            Self::Certificate(_) => "Certificate",
            Self::ServerKeyExchange(..) => "ServerKeyExchange",
            Self::CertificateRequest(_, _, None) => "CertificateRequest or ServerHelloDone",
            Self::CertificateRequest(..) => "CertificateRequest",
            Self::ServerHelloDone(..) => "ServerHelloDone",
            Self::ChangeCipherSpec(_) => "ChangeCipherSpec",
            Self::Finished(_) => "Finished",
            Self::Established => "application data",
            Self::Failed => "nothing",
        }
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Keyed").field("suite", &self.suite).finish_non_exhaustive()
    }
}

/// Why a client could not begin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientStartError {
    /// The configuration or the server's name does not allow it.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The random source failed.
    #[error(transparent)]
    Tlcp(#[from] TlcpError),
}
