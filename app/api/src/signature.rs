//! RFC 9421 HTTP message signatures with SM2 (`alg="sm2-sm3"`): the client's signer and the
//! server's verifier, both pure functions over method, path, query and header fields.
//!
//! What is covered is decided here and nowhere else. A request's signature must cover `@method`,
//! `@path`, `@query` (when there is a query), `content-digest` and `content-type` (when there is a
//! body), `changbai-certificate`, and `idempotency-key` (when present). `@authority` and
//! `content-length` may be covered too. The certificate travels in the request, so that `keyid`
//! (its SM3) needs no directory; whether it is trusted is decided by the membership of the channel.
//!
//! The signed bytes are the RFC's signature base (§2.5); the signature is a DER SM2 signature under
//! the default signer ID `1234567812345678`.

use smkit::sm3::Sm3Digest;

pub use self::client::{BodyToSign, RequestSigner, RequestToSign, SignRequestError};
pub use self::replay::{ReplayCache, ReplayVerdict};
pub(crate) use self::server::single;
pub use self::server::{Presented, RequestHead, SignatureRefusal, Window, present};
pub use self::structured::{FieldError, SignatureInput, content_digest_value};
pub(crate) use self::structured::{byte_sequence_list, content_digest};

mod client;
mod replay;
mod server;
mod structured;
#[cfg(test)]
mod tests;

/// The header field that carries the signer's certificate and its intermediates.
pub const CERTIFICATE_HEADER: &str = "changbai-certificate";
/// The header field of RFC 9530 with the SM3 digest of the body.
pub const CONTENT_DIGEST_HEADER: &str = "content-digest";
/// The header field that makes a write repeatable.
pub const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";
/// The only accepted value of `alg`.
pub const ALGORITHM: &str = "sm2-sm3";

/// Joins component lines and the parameters into the signature base (RFC 9421 §2.5).
///
/// `lines` are `(component name, value)` in the order of the inner list; `parameters` is the text of
/// `@signature-params`.
#[must_use]
pub fn signature_base(lines: &[(&str, &str)], parameters: &str) -> Vec<u8> {
    let mut base = String::new();
    for (name, value) in lines {
        base.push('"');
        base.push_str(name);
        base.push_str("\": ");
        base.push_str(value);
        base.push('\n');
    }
    base.push_str("\"@signature-params\": ");
    base.push_str(parameters);
    base.into_bytes()
}

/// The signature header fields of a request, read but not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFields {
    /// `Signature-Input`.
    pub input: SignatureInput,
    /// The bytes in `Signature`.
    pub signature: Vec<u8>,
    /// The digest in `Content-Digest`.
    pub content_digest: Option<Sm3Digest>,
    /// The DER strings in `Changbai-Certificate`, leaf first.
    pub certificates: Vec<Vec<u8>>,
}

/// Reads the signature header fields without judging them: the entry point for fuzzing.
///
/// # Errors
/// The first field that is not in its one strict form.
pub fn parse_signature_fields(
    signature_input: &str,
    signature: &str,
    content_digest: Option<&str>,
    certificates: &str,
) -> Result<SignatureFields, FieldError> {
    let input = SignatureInput::parse(signature_input)?;
    let signature = structured::signature_member(signature, &input.label)?;
    let content_digest = content_digest.map(structured::content_digest).transpose()?;
    let certificates = structured::certificate_list(certificates)?;
    Ok(SignatureFields { input, signature, content_digest, certificates })
}
