//! The running digest of the handshake.

use smkit::{Sm3, Sm3Digest};

use super::messages::Message;

/// SM3 over every handshake message so far, headers included, whatever records carried them.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    hash: Sm3,
    /// The messages themselves, kept for peers with [`super::PeerQuirk::RawTranscriptSignature`] only. Bounded by the
    /// messages' own bounds.
    raw: Option<Vec<u8>>,
}

impl Transcript {
    pub(crate) fn new(keep_messages: bool) -> Self {
        Self { hash: Sm3::new(), raw: keep_messages.then(Vec::new) }
    }

    pub(crate) fn add(&mut self, message: &Message) {
        self.hash.update(message.bytes());
        if let Some(raw) = &mut self.raw {
            raw.extend_from_slice(message.bytes());
        }
    }

    pub(crate) fn digest(&self) -> Sm3Digest {
        self.hash.clone().finalize()
    }

    pub(crate) fn raw(&self) -> Option<&[u8]> {
        self.raw.as_deref()
    }
}
