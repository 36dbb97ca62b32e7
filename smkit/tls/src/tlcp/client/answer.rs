//! The client's second flight: who it is, the pre-master secret, the proof that it holds its key.

use smkit::sm2::{PublicKey, Responder, SignerId};
use zeroize::Zeroizing;

use super::{Client, Exchange, Keyed, State};
use crate::tlcp::{
    PeerQuirk,
    core::Core,
    error::TlcpError,
    keys::{MasterSecret, Side},
    messages::{
        EcdheParams, Message, MessageKind, VERSION, put_certificate_list, put_ciphertext,
        put_signature,
    },
    pair::Pair,
};

impl Client {
    pub(super) fn server_hello_done(
        &self,
        core: &mut Core,
        exchange: Exchange,
        pair: Pair,
        point: Option<PublicKey>,
        requested: bool,
        message: &Message,
    ) -> Result<State, TlcpError> {
        message.parse(|_| Some(()))?;
        core.expect_no_fragment("bytes after ServerHelloDone")?;
        core.transcript.add(message);
        if requested {
            self.send_certificate(core, point.is_some())?;
        }
        let master = match point {
            Some(point) => self.send_exchange(core, &exchange, &pair, &point)?,
            None => send_encrypted(core, &exchange, &pair)?,
        };
        if requested {
            self.send_proof(core)?;
        }
        let Exchange { suite, randoms, session_id } = exchange;
        let keys = master.key_block(suite, &randoms);
        core.write_under(keys.of(Side::Client))?;
        core.send_finished(&master, Side::Client)?;
        let (peer, resumed) = (Some(pair), false);
        Ok(State::ChangeCipherSpec(Keyed { suite, session_id, master, keys, peer, resumed }))
    }

    /// An empty list when there is nothing to show (RFC 5246 §7.4.6).
    fn send_certificate(&self, core: &mut Core, is_ecdhe: bool) -> Result<(), TlcpError> {
        let single = self.config.has_quirk(PeerQuirk::SingleClientCertificate) && !is_ecdhe;
        match &self.config.credentials {
            Some(credentials) if single => core.send(credentials.signing_message()),
            Some(credentials) => core.send(credentials.message()),
            None => core.send(&Message::write(MessageKind::Certificate, |out| {
                put_certificate_list(out, std::iter::empty());
            })),
        }
    }

    /// ECDHE: answers the server's point; the server is user A, the client user B (GB/T 32918.3-2016).
    fn send_exchange(
        &self,
        core: &mut Core,
        exchange: &Exchange,
        pair: &Pair,
        point: &PublicKey,
    ) -> Result<MasterSecret, TlcpError> {
        let credentials = self.config.credentials.as_ref().ok_or(TlcpError::KeyExchange)?;
        let server = pair.encryption().ok_or(TlcpError::NoEncryptionCertificate)?;
        let responder = Responder::new(
            credentials.encryption_key(),
            SignerId::DEFAULT,
            server.verifying_key(),
            point,
            PRE_MASTER_BYTES,
            &mut *core.random,
        );
        let responder = responder.map_err(|_| TlcpError::KeyExchange)?;
        core.send(&Message::write(MessageKind::ClientKeyExchange, |out| {
            EcdheParams::write_of_client(out, responder.ephemeral());
        }))?;
        Ok(MasterSecret::new(&responder.unconfirmed(), &exchange.randoms))
    }

    /// `CertificateVerify`: SM2 over the digest of all messages so far (GB/T 38636-2020 §6.4.5.10).
    fn send_proof(&self, core: &mut Core) -> Result<(), TlcpError> {
        let Some(credentials) = &self.config.credentials else { return Ok(()) };
        let key = credentials.signing_key();
        let signature = match core.transcript.raw() {
            Some(messages) => key.sign(messages),
            None => key.sign(core.transcript.digest().as_bytes()),
        };
        core.send(&Message::write(MessageKind::CertificateVerify, |out| {
            put_signature(out, &signature);
        }))
    }
}

/// ECC: a fresh pre-master secret for the server's encryption key. It begins with the version of `ClientHello`.
fn send_encrypted(
    core: &mut Core,
    exchange: &Exchange,
    pair: &Pair,
) -> Result<MasterSecret, TlcpError> {
    let server = pair.encryption().ok_or(TlcpError::NoEncryptionCertificate)?;
    let mut secret = Zeroizing::new([0; PRE_MASTER_BYTES]);
    core.random.fill(secret.as_mut())?;
    secret.iter_mut().zip(VERSION).for_each(|(to, from)| *to = from);
    let ciphertext = server.public_key().encrypt(secret.as_ref(), &mut *core.random);
    let ciphertext = ciphertext.map_err(|_| TlcpError::KeyExchange)?;
    core.send(&Message::write(MessageKind::ClientKeyExchange, |out| {
        put_ciphertext(out, &ciphertext);
    }))?;
    Ok(MasterSecret::new(secret.as_ref(), &exchange.randoms))
}

const PRE_MASTER_BYTES: usize = 48;
