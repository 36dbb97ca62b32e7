//! From `ClientKeyExchange` to the keys.

use smkit::sm2::Ciphertext;
use zeroize::Zeroizing;

use super::{Exchange, Keyed, Server, State};
use crate::tlcp::{
    constant::{byte, same},
    core::Core,
    error::TlcpError,
    keys::MasterSecret,
    messages::{EcdheParams, Message, MessageKind, VERSION, read_ciphertext},
    pair::Pair,
};

impl Server {
    pub(super) fn client_key_exchange(
        &self,
        core: &mut Core,
        exchange: Exchange,
        peer: Option<Pair>,
        message: &Message,
    ) -> Result<State, TlcpError> {
        let Exchange { suite, randoms, session_id, server_name, opening } = exchange;
        let master = match opening {
            Some(opening) => {
                let params = message.parse(EcdheParams::read_of_client)?;
                let ephemeral = params.ephemeral(MessageKind::ClientKeyExchange)?;
                let client = peer.as_ref().and_then(Pair::encryption);
                let client = client.ok_or(TlcpError::NoEncryptionCertificate)?;
                let secret = opening
                    .with_peer(client.verifying_key().clone())
                    .unconfirmed(&ephemeral, PRE_MASTER_BYTES)
                    .map_err(|_| TlcpError::KeyExchange)?;
                MasterSecret::new(&secret, &randoms)
            }
            None => {
                let ciphertext = message.parse(read_ciphertext)?;
                let secret = self.pre_master(core, ciphertext)?;
                MasterSecret::new(secret.as_ref(), &randoms)
            }
        };
        core.transcript.add(message);
        let keys = master.key_block(suite, &randoms);
        let proves = peer.is_some();
        let resumed = false;
        let keyed = Keyed { suite, session_id, server_name, master, keys, peer, resumed };
        Ok(if proves { State::CertificateVerify(keyed) } else { State::ChangeCipherSpec(keyed) })
    }

    /// The pre-master secret inside, or a random one when there is none: the client then fails at Finished, and cannot
    /// learn what was wrong with its ciphertext (RFC 5246 §7.4.7.1).
    fn pre_master(
        &self,
        core: &mut Core,
        ciphertext: Option<Ciphertext>,
    ) -> Result<Zeroizing<[u8; PRE_MASTER_BYTES]>, TlcpError> {
        let mut secret = Zeroizing::new([0; PRE_MASTER_BYTES]);
        core.random.fill(secret.as_mut())?;
        let key = self.config.credentials.encryption_key();
        let decrypted = ciphertext
            .filter(|ciphertext| ciphertext.message_bytes() == PRE_MASTER_BYTES)
            .and_then(|ciphertext| key.decrypt(&ciphertext).ok());
        if let Some(decrypted) = decrypted {
            // It begins with the version of ClientHello, so that nobody can have lowered that.
            let version = decrypted.iter().zip(VERSION);
            let wrong = version.fold(0, |wrong, (found, right)| wrong | (found ^ right));
            let mask = byte(same(usize::from(wrong), 0));
            for (to, from) in secret.iter_mut().zip(decrypted.iter()) {
                *to = (from & mask) | (*to & !mask);
            }
        }
        Ok(secret)
    }
}

const PRE_MASTER_BYTES: usize = 48;
