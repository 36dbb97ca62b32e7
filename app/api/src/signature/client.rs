//! The client's half: which components to cover and the header fields to add.

use smkit::sm2::SigningKey;
use smkit::sm3::Sm3Digest;
use smkit_pki::Certificate;

use super::structured::{byte_sequences, content_digest_value, signature_parameters};
use super::{CERTIFICATE_HEADER, CONTENT_DIGEST_HEADER, IDEMPOTENCY_KEY_HEADER, signature_base};
use crate::limits::SIGNATURE_LIFETIME_S_MAX;

/// Why a request could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignRequestError {
    /// The certificate holds another public key.
    #[error("the certificate does not belong to the signing key")]
    KeyMismatch,
    /// A value would not survive as one visible-ASCII header field.
    #[error("{name} has a character that a header field cannot carry")]
    NotAscii {
        /// The value's name.
        name: &'static str,
    },
    /// The life time is zero or beyond the server's window.
    #[error("a signature lives between 1 and {SIGNATURE_LIFETIME_S_MAX} seconds, not {0}")]
    Lifetime(u64),
}

/// Signs requests for one identity. Cheap to share; holds the certificate header ready-made.
#[derive(Debug)]
pub struct RequestSigner {
    key: SigningKey,
    keyid: Sm3Digest,
    certificates: String,
}

/// What the signature covers of a body.
#[derive(Debug, Clone, Copy)]
pub struct BodyToSign<'a> {
    /// SM3 of the whole body as it will be sent.
    pub sm3: Sm3Digest,
    /// The `Content-Type` that will be sent, byte for byte.
    pub content_type: &'a str,
}

/// A request about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct RequestToSign<'a> {
    /// Upper-case method.
    pub method: &'a str,
    /// Path as sent, percent-encoded, from `/`.
    pub path: &'a str,
    /// Query as sent, without `?`.
    pub query: Option<&'a str>,
    /// The body, if one is sent.
    pub body: Option<BodyToSign<'a>>,
    /// The `Idempotency-Key` that will be sent.
    pub idempotency_key: Option<&'a str>,
}

impl RequestSigner {
    /// Binds a key (default signer ID) to its certificate; `intermediates` lead up to, not including, a root.
    ///
    /// # Errors
    /// When the certificate holds another key.
    pub fn new(
        key: SigningKey,
        certificate: &Certificate,
        intermediates: &[Certificate],
    ) -> Result<Self, SignRequestError> {
        if key.verifying_key().public_key() != certificate.public_key() {
            return Err(SignRequestError::KeyMismatch);
        }
        let mut chain = vec![certificate.der()];
        chain.extend(intermediates.iter().map(Certificate::der));
        Ok(Self { key, keyid: certificate.sm3(), certificates: byte_sequences(&chain) })
    }

    /// The header fields to add to the request, in lower case. `Content-Type` and `Idempotency-Key` are
    /// the caller's to send as given; everything else is in the answer.
    ///
    /// `now_ms` is Unix milliseconds; `created` is that rounded **up** to the next second, because a node
    /// refuses signatures older than its own start. `nonce` must be fresh random bytes.
    ///
    /// # Errors
    /// A life time outside 1 to 300 seconds, or values that are not visible ASCII.
    pub fn sign(
        &self,
        request: &RequestToSign<'_>,
        now_ms: u64,
        lifetime_s: u64,
        nonce: &[u8; 16],
    ) -> Result<Vec<(&'static str, String)>, SignRequestError> {
        if !(1..=SIGNATURE_LIFETIME_S_MAX).contains(&lifetime_s) {
            return Err(SignRequestError::Lifetime(lifetime_s));
        }
        let created = now_ms.div_ceil(1_000);
        let query = request.query.map(|query| format!("?{query}"));
        let digest = request.body.as_ref().map(|body| content_digest_value(&body.sm3));
        let mut lines: Vec<(&'static str, &str)> =
            vec![("@method", request.method), ("@path", request.path)];
        if let Some(query) = &query {
            lines.push(("@query", query));
        }
        if let (Some(body), Some(digest)) = (&request.body, &digest) {
            lines.push((CONTENT_DIGEST_HEADER, digest));
            lines.push(("content-type", body.content_type));
        }
        lines.push((CERTIFICATE_HEADER, &self.certificates));
        if let Some(key) = request.idempotency_key {
            lines.push((IDEMPOTENCY_KEY_HEADER, key));
        }
        for (name, value) in &lines {
            if value.trim() != *value || !value.bytes().all(|b| (0x20..0x7f).contains(&b)) {
                return Err(SignRequestError::NotAscii { name });
            }
        }
        let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
        let expires = created.saturating_add(lifetime_s);
        let parameters = signature_parameters(&names, created, expires, &hex(nonce), &self.keyid);
        let signature = self.key.sign(&signature_base(&lines, &parameters));
        let mut headers = vec![
            (CERTIFICATE_HEADER, self.certificates.clone()),
            ("signature-input", format!("sig1={parameters}")),
            ("signature", format!("sig1={}", byte_sequences(&[&signature.to_der()]))),
        ];
        headers.extend(digest.map(|value| (CONTENT_DIGEST_HEADER, value)));
        Ok(headers)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
