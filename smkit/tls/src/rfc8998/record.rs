//! Record protection (RFC 8446 §5.2, RFC 8998 §3.3): SM4-GCM and SM4-CCM, in place on the record's own buffer.

use rustls::{
    ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion,
    crypto::cipher::{
        AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, MessageDecrypter, MessageEncrypter,
        Nonce, OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, Tls13AeadAlgorithm,
        UnsupportedOperationError, make_tls13_aad,
    },
};
use smkit::sm4::{Ccm, Gcm, Key, NONCE_BYTES, Sm4Error, TAG_BYTES};

/// Records of `TLS_SM4_GCM_SM3`.
pub(super) struct GcmRecords;
/// Records of `TLS_SM4_CCM_SM3`.
pub(super) struct CcmRecords;

impl Tls13AeadAlgorithm for GcmRecords {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(Record { aead: cut(&key).map(|key| Gcm::new(&key)), iv })
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        Box::new(Record { aead: cut(&key).map(|key| Gcm::new(&key)), iv })
    }

    fn key_len(&self) -> usize {
        KEY_BYTES
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        // rustls 0.23 has no variant for SM4: traffic keys stay inside.
        Err(UnsupportedOperationError)
    }
}

impl Tls13AeadAlgorithm for CcmRecords {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(Record { aead: cut(&key).map(|key| Ccm::new(&key)), iv })
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        Box::new(Record { aead: cut(&key).map(|key| Ccm::new(&key)), iv })
    }

    fn key_len(&self) -> usize {
        KEY_BYTES
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// What both modes do for a record.
trait Aead: Send + Sync {
    fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], Sm4Error>;

    fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Sm4Error>;
}

impl Aead for Gcm {
    fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], Sm4Error> {
        self.seal_detached(nonce, aad, data)
    }

    fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Sm4Error> {
        self.open_detached(nonce, aad, data, tag)
    }
}

impl Aead for Ccm {
    fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], Sm4Error> {
        self.seal_detached(nonce, aad, data)
    }

    fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Sm4Error> {
        self.open_detached(nonce, aad, data, tag)
    }
}

/// The traffic key of one direction.
struct Record<A> {
    /// `None` only if rustls hands out a key of another length than `key_len` asked for; nothing passes then.
    aead: Option<A>,
    iv: Iv,
}

impl<A: Aead> MessageEncrypter for Record<A> {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let aead = self.aead.as_ref().ok_or(Error::EncryptError)?;
        let total_bytes = self.encrypted_payload_len(message.payload.len());
        let mut record = PrefixedPayload::with_capacity(total_bytes);
        record.extend_from_chunks(&message.payload);
        record.extend_from_slice(&[u8::from(message.typ)]);
        let nonce = Nonce::new(&self.iv, sequence).0;
        let tag = aead
            .seal(&nonce, &make_tls13_aad(total_bytes), record.as_mut())
            .map_err(|_| Error::EncryptError)?;
        record.extend_from_slice(&tag);
        // RFC 8446 §5.2: outside, every protected record says application data of TLS 1.2.
        Ok(OutboundOpaqueMessage::new(
            ContentType::ApplicationData,
            ProtocolVersion::TLSv1_2,
            record,
        ))
    }

    fn encrypted_payload_len(&self, payload_bytes: usize) -> usize {
        payload_bytes.saturating_add(CONTENT_TYPE_BYTES + TAG_BYTES)
    }
}

impl<A: Aead> MessageDecrypter for Record<A> {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let aead = self.aead.as_ref().ok_or(Error::DecryptError)?;
        let aad = make_tls13_aad(message.payload.len());
        let nonce = Nonce::new(&self.iv, sequence).0;
        let (body, tag) =
            message.payload.split_last_chunk_mut::<TAG_BYTES>().ok_or(Error::DecryptError)?;
        let body_bytes = body.len();
        aead.open(&nonce, &aad, body, tag).map_err(|_| Error::DecryptError)?;
        message.payload.truncate(body_bytes);
        message.into_tls13_unpadded_message()
    }
}

/// The key as smkit's type; rustls cuts it to `key_len` bytes.
fn cut(key: &AeadKey) -> Option<Key> {
    Key::from_slice(key.as_ref()).ok()
}

const KEY_BYTES: usize = 16;
/// The inner content type of RFC 8446 §5.2.
const CONTENT_TYPE_BYTES: usize = 1;

#[cfg(test)]
mod tests;
