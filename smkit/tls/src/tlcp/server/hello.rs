//! The server's first flight: what it chose, who it is, what it asks.

use smkit::sm2::{Opening, Signature, SignerId};

use super::{Exchange, Keyed, Server, State};
use crate::{
    peer::PeerRole,
    tlcp::{
        ClientAuthentication, PeerQuirk,
        core::Core,
        error::TlcpError,
        hello_random,
        keys::{Randoms, Side},
        messages::{
            ClientHello, EcdheParams, Message, MessageKind, ServerExtensions, ServerHello,
            SessionId, put_certificate_request, put_signature,
        },
        session::Session,
        signed_certificate,
        suite::{CipherSuite, KeyExchange},
    },
};

impl Server {
    pub(super) fn client_hello(
        &self,
        core: &mut Core,
        message: &Message,
    ) -> Result<State, TlcpError> {
        let hello = ClientHello::read(message)?;
        core.expect_no_fragment("bytes after ClientHello")?;
        core.transcript.add(message);
        core.agreed.alpn = self.choose_alpn(&hello)?;
        let randoms = Randoms {
            client: hello.random,
            server: hello_random(self.config.now(), &mut *core.random)?,
        };
        match self.resumable(&hello) {
            Some(session) => Self::resume(core, &hello, session, randoms),
            None => self.greet(core, hello, randoms),
        }
    }

    /// The whole handshake: certificate, key exchange, request for the client's certificates.
    fn greet(
        &self,
        core: &mut Core,
        hello: ClientHello,
        randoms: Randoms,
    ) -> Result<State, TlcpError> {
        let suite = self.choose_suite(&hello).ok_or(TlcpError::NoSharedSuite)?;
        let session_id = self.new_session_id(core)?;
        send_hello(core, &hello, randoms.server, session_id, suite)?;
        core.send(self.config.credentials.message())?;
        let opening = self.send_key_exchange(core, suite, &randoms)?;
        let asks = self.config.clients.verifier().is_some();
        if asks {
            core.send(&Message::write(MessageKind::CertificateRequest, |out| {
                put_certificate_request(out, &self.config.authorities);
            }))?;
        }
        core.send(&Message::write(MessageKind::ServerHelloDone, |_| ()))?;
        let server_name = hello.extensions.server_name;
        let exchange = Exchange { suite, randoms, session_id, server_name, opening };
        Ok(if asks {
            State::Certificate(exchange)
        } else {
            State::ClientKeyExchange(exchange, None)
        })
    }

    /// The short handshake: new keys from the old master secret.
    fn resume(
        core: &mut Core,
        hello: &ClientHello,
        session: Session,
        randoms: Randoms,
    ) -> Result<State, TlcpError> {
        send_hello(core, hello, randoms.server, session.id, session.suite)?;
        let keys = session.master.key_block(session.suite, &randoms);
        core.write_under(keys.of(Side::Server))?;
        core.send_finished(&session.master, Side::Server)?;
        Ok(State::ChangeCipherSpec(Keyed {
            suite: session.suite,
            session_id: session.id,
            server_name: session.server_name,
            master: session.master,
            keys,
            peer: session.peer,
            resumed: true,
        }))
    }

    /// `ServerKeyExchange`: a signature over the encryption certificate (ECC) or over an ephemeral point (ECDHE), bound to
    /// this handshake by both randoms.
    fn send_key_exchange(
        &self,
        core: &mut Core,
        suite: CipherSuite,
        randoms: &Randoms,
    ) -> Result<Option<Opening>, TlcpError> {
        let credentials = &self.config.credentials;
        let sign = |params: &[u8]| -> Signature {
            let signed = [randoms.client.as_slice(), &randoms.server, params].concat();
            credentials.signing_key().sign(&signed)
        };
        let mut params = Vec::new();
        let (opening, signature) = match suite.key_exchange() {
            KeyExchange::Ecc => (None, sign(&signed_certificate(credentials.encryption_der()))),
            KeyExchange::Ecdhe => {
                let key = credentials.encryption_key();
                let opening = Opening::new(key, SignerId::DEFAULT, &mut *core.random);
                let opening = opening.map_err(|_| TlcpError::KeyExchange)?;
                EcdheParams::write(&mut params, opening.ephemeral());
                let signature = sign(&params);
                (Some(opening), signature)
            }
        };
        core.send(&Message::write(MessageKind::ServerKeyExchange, |out| {
            out.extend_from_slice(&params);
            put_signature(out, &signature);
        }))?;
        Ok(opening)
    }

    fn choose_suite(&self, hello: &ClientHello) -> Option<CipherSuite> {
        let exchange = hello.extensions.allow_sm2_exchange();
        self.config.candidates().find(|suite| {
            hello.suites.contains(&suite.id())
                && (exchange || suite.key_exchange() == KeyExchange::Ecc)
        })
    }

    fn choose_alpn(&self, hello: &ClientHello) -> Result<Option<Vec<u8>>, TlcpError> {
        let (ours, theirs) = (self.config.alpn(), &hello.extensions.alpn);
        if ours.is_empty() || theirs.is_empty() {
            return Ok(None);
        }
        let chosen = ours.iter().find(|name| theirs.contains(name));
        chosen.cloned().map(Some).ok_or(TlcpError::NoApplicationProtocol)
    }

    /// The session the client names, if it was for the same server name and a suite still offered, and its peer would still
    /// be admitted. If not, the whole handshake says why.
    fn resumable(&self, hello: &ClientHello) -> Option<Session> {
        if hello.session_id.is_empty() {
            return None;
        }
        let now = self.config.now();
        let session = self.config.sessions.get(&hello.session_id, now)?;
        let same = session.server_name == hello.extensions.server_name
            && hello.suites.contains(&session.suite.id());
        let admitted = match (&session.peer, &self.config.clients) {
            (Some(peer), clients) => clients
                .verifier()
                .is_some_and(|verifier| peer.verify_again(verifier, PeerRole::Client, now)),
            (None, clients) => !matches!(clients, ClientAuthentication::Required(_)),
        };
        (same && admitted).then_some(session)
    }

    fn new_session_id(&self, core: &mut Core) -> Result<SessionId, TlcpError> {
        if !self.config.sessions.is_enabled() {
            return Ok(SessionId::NONE);
        }
        let mut id = [0; 32];
        core.random.fill(&mut id)?;
        Ok(SessionId::new(id))
    }

    /// Messages are kept only for a peer that signs them whole.
    pub(crate) fn keeps_messages(config: &super::ServerConfig) -> bool {
        config.has_quirk(PeerQuirk::RawTranscriptSignature)
    }
}

fn send_hello(
    core: &mut Core,
    hello: &ClientHello,
    random: [u8; 32],
    session_id: SessionId,
    suite: CipherSuite,
) -> Result<(), TlcpError> {
    let extensions = ServerExtensions {
        server_name: false,
        alpn: core.agreed.alpn.clone(),
        renegotiation_info: hello.signals_renegotiation_info(),
    };
    core.send(&ServerHello { random, session_id, suite: suite.id(), extensions }.write())
}
