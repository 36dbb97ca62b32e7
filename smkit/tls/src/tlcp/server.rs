//! The server's side of the handshake (GB/T 38636-2020 §6.4).

mod hello;
mod key_exchange;

use std::sync::Arc;

use smkit::sm2::{Opening, Signature};

use super::{
    PeerQuirk,
    config::ServerConfig,
    core::Core,
    error::TlcpError,
    keys::{KeyBlock, MasterSecret, Randoms, Side},
    messages::{Message, MessageKind, SessionId, read_signature},
    pair::Pair,
    session::Session,
    suite::{CipherSuite, KeyExchange},
};
use crate::peer::PeerRole;

/// Where a server's handshake stands, and with what.
#[derive(Debug)]
pub(crate) struct Server {
    config: Arc<ServerConfig>,
    state: State,
    /// The session to forget should the connection fail (RFC 5246 §7.2.2).
    session_id: SessionId,
}

/// What may come next.
#[derive(Debug)]
enum State {
    ClientHello,
    Certificate(Exchange),
    ClientKeyExchange(Exchange, Option<Pair>),
    CertificateVerify(Keyed),
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
    server_name: Option<String>,
    /// The server's half of an SM2 key exchange, with ECDHE.
    opening: Option<Opening>,
}

/// The keys are there, but nobody has proven anything yet.
struct Keyed {
    suite: CipherSuite,
    session_id: SessionId,
    server_name: Option<String>,
    master: MasterSecret,
    keys: KeyBlock,
    peer: Option<Pair>,
    resumed: bool,
}

impl Server {
    pub(crate) const fn new(config: Arc<ServerConfig>) -> Self {
        Self { config, state: State::ClientHello, session_id: SessionId::NONE }
    }

    /// Deals with one message; on failure nothing more is accepted.
    pub(crate) fn handle(&mut self, core: &mut Core, message: &Message) -> Result<(), TlcpError> {
        use MessageKind as Kind;
        let state = std::mem::replace(&mut self.state, State::Failed);
        self.state = match (state, message.kind) {
            (State::ClientHello, Kind::ClientHello) => self.client_hello(core, message)?,
            (State::Certificate(exchange), Kind::Certificate) => {
                self.certificate(core, exchange, message)?
            }
            (State::ClientKeyExchange(exchange, peer), Kind::ClientKeyExchange) => {
                self.client_key_exchange(core, exchange, peer, message)?
            }
            (State::CertificateVerify(keyed), Kind::CertificateVerify) => {
                self.certificate_verify(core, keyed, message)?
            }
            (State::Finished(keyed), Kind::Finished) => self.finished(core, keyed, message)?,
            (State::Established, Kind::ClientHello) => return Err(TlcpError::Renegotiation),
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
                core.read_under(keyed.keys.of(Side::Client))?;
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
        if !self.session_id.is_empty() {
            self.config.sessions.remove(&self.session_id);
        }
    }

    fn certificate(
        &self,
        core: &mut Core,
        exchange: Exchange,
        message: &Message,
    ) -> Result<State, TlcpError> {
        let pair = Pair::read(message)?;
        core.transcript.add(message);
        let needs_encryption = exchange.suite.key_exchange() == KeyExchange::Ecdhe;
        match (&pair, &self.config.clients) {
            (Some(pair), clients) => {
                let verifier = clients.verifier().ok_or(TlcpError::NoCertificate)?;
                pair.verify(verifier, PeerRole::Client, needs_encryption, self.config.now())?;
            }
            (None, super::ClientAuthentication::Optional(_)) if !needs_encryption => {}
            (None, _) => return Err(TlcpError::NoCertificate),
        }
        Ok(State::ClientKeyExchange(exchange, pair))
    }

    fn certificate_verify(
        &self,
        core: &mut Core,
        keyed: Keyed,
        message: &Message,
    ) -> Result<State, TlcpError> {
        let bad = TlcpError::BadSignature { message: MessageKind::CertificateVerify };
        let signature = message.parse(read_signature)?;
        let signature = Signature::from_der(signature).map_err(|_| bad.clone())?;
        let signer = keyed.peer.as_ref().and_then(Pair::signing).ok_or_else(|| bad.clone())?;
        let key = signer.verifying_key();
        let right = key.verify(core.transcript.digest().as_bytes(), &signature).is_ok()
            || (self.config.has_quirk(PeerQuirk::RawTranscriptSignature)
                && core.transcript.raw().is_some_and(|raw| key.verify(raw, &signature).is_ok()));
        if !right {
            return Err(bad);
        }
        core.transcript.add(message);
        Ok(State::ChangeCipherSpec(keyed))
    }

    fn finished(
        &mut self,
        core: &mut Core,
        keyed: Keyed,
        message: &Message,
    ) -> Result<State, TlcpError> {
        core.check_finished(&keyed.master, Side::Client, message)?;
        core.expect_no_fragment("bytes after Finished")?;
        if !keyed.resumed {
            core.write_under(keyed.keys.of(Side::Server))?;
            core.send_finished(&keyed.master, Side::Server)?;
        }
        self.session_id = keyed.session_id;
        if !keyed.resumed && !keyed.session_id.is_empty() {
            let lifetime = self.config.sessions.lifetime_seconds;
            let session = Session {
                id: keyed.session_id,
                suite: keyed.suite,
                ends_at: Session::end(self.config.now(), lifetime, keyed.peer.as_ref()),
                master: keyed.master,
                peer: keyed.peer.clone(),
                server_name: keyed.server_name.clone(),
            };
            self.config.sessions.put(keyed.session_id, session);
        }
        core.agreed.server_name = keyed.server_name;
        core.establish(keyed.suite, keyed.peer, keyed.resumed);
        Ok(State::Established)
    }
}

impl State {
    const fn expects(&self) -> &'static str {
        match self {
            Self::ClientHello => "ClientHello",
            Self::Certificate(_) => "Certificate",
            Self::ClientKeyExchange(..) => "ClientKeyExchange",
            Self::CertificateVerify(_) => "CertificateVerify",
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
