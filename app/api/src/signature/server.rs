//! The server's half: from a request head to a verified, not yet trusted, signer.

use axum::http::{HeaderMap, HeaderName, Method, Uri};
use smkit::sm2::Signature;
use smkit::sm3::Sm3Digest;
use smkit_pki::{Certificate, CertificateError};

use super::structured::{FieldError, SignatureInput};
use super::{
    ALGORITHM, CERTIFICATE_HEADER, CONTENT_DIGEST_HEADER, IDEMPOTENCY_KEY_HEADER, SignatureFields,
    parse_signature_fields, signature_base,
};
use crate::limits::{SIGNATURE_LIFETIME_S_MAX, SIGNATURE_WINDOW_S, TARGET_BYTES_MAX};
use crate::problem::Code;

/// Why a signature is refused before anything of the body is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureRefusal {
    /// None of the signature header fields is there.
    #[error("the request is not signed")]
    Unsigned,
    /// A header field is missing, doubled or not in its strict form.
    #[error("{0}")]
    Malformed(String),
    /// `alg` or the certificate's key or signature is not SM2 with SM3.
    #[error("only SM2 with SM3 is accepted: {0}")]
    Algorithm(String),
    /// The signature does not match the request.
    #[error("the signature does not match the request")]
    Wrong,
    /// `created` or `expires` is outside the window, or older than this node's start.
    #[error("{0}")]
    Window(&'static str),
}

impl SignatureRefusal {
    /// The stable code of the refusal.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unsigned => Code::Unsigned,
            Self::Malformed(_) => Code::SignatureMalformed,
            Self::Algorithm(_) => Code::AlgorithmRefused,
            Self::Wrong => Code::SignatureWrong,
            Self::Window(_) => Code::SignatureExpired,
        }
    }
}

impl From<FieldError> for SignatureRefusal {
    fn from(error: FieldError) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// What of a request the signature can cover. The body is not here: its digest is a header field.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The request target.
    pub uri: &'a Uri,
    /// All header fields.
    pub headers: &'a HeaderMap,
}

/// The clock's side of the check.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Now, Unix milliseconds.
    pub now_ms: u64,
    /// When this node began to remember nonces, Unix milliseconds.
    pub started_ms: u64,
}

/// A request whose signature is right. Nothing is said yet about trust, roles or replays.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The signer's certificate.
    pub certificate: Certificate,
    /// Intermediates sent along, in the order sent.
    pub intermediates: Vec<Certificate>,
    /// SM3 of the certificate, as in `keyid`.
    pub keyid: Sm3Digest,
    /// The nonce, for the replay cache.
    pub nonce: String,
    /// `expires`, Unix seconds, for the replay cache.
    pub expires: u64,
    /// The signed digest of the body; absent means that there must be no body.
    pub content_digest: Option<Sm3Digest>,
    /// The signed idempotency key.
    pub idempotency_key: Option<String>,
}

/// Reads and verifies the signature of a request head.
///
/// # Errors
/// See [`SignatureRefusal`]; the checks run in the order presence → form → algorithm → window →
/// signature, so a code always names the first thing that is wrong.
pub fn present(head: &RequestHead<'_>, window: Window) -> Result<Presented, SignatureRefusal> {
    let names = ["signature-input", "signature", CERTIFICATE_HEADER];
    if names.iter().all(|name| !head.headers.contains_key(*name)) {
        return Err(SignatureRefusal::Unsigned);
    }
    let SignatureFields { input, signature, content_digest, certificates: chain } =
        parse_signature_fields(
            needed(head.headers, "signature-input")?,
            needed(head.headers, "signature")?,
            single(head.headers, CONTENT_DIGEST_HEADER)?,
            needed(head.headers, CERTIFICATE_HEADER)?,
        )?;
    let idempotency_key = single(head.headers, IDEMPOTENCY_KEY_HEADER)?.map(str::to_owned);
    check_coverage(head, &input)?;
    let (certificate, intermediates) = certificates(&chain)?;
    if input.alg != ALGORITHM {
        return Err(SignatureRefusal::Algorithm(format!("alg is not \"{ALGORITHM}\"")));
    }
    if input.keyid != certificate.sm3() {
        return Err(malformed("keyid is not the SM3 of the certificate that was sent"));
    }
    check_window(&input, window)?;
    let signature = Signature::from_der(&signature)
        .map_err(|_| malformed("the signature is not a strict DER SM2 signature"))?;
    let base = base_of(head, &input)?;
    certificate.verifying_key().verify(&base, &signature).map_err(|_| SignatureRefusal::Wrong)?;
    Ok(Presented {
        certificate,
        intermediates,
        keyid: input.keyid,
        nonce: input.nonce,
        expires: input.expires,
        content_digest,
        idempotency_key,
    })
}

/// The signature base of a request as the server sees it.
pub(super) fn base_of(
    head: &RequestHead<'_>,
    input: &SignatureInput,
) -> Result<Vec<u8>, SignatureRefusal> {
    let query = format!("?{}", head.uri.query().unwrap_or(""));
    let mut authority = String::new();
    let mut lines: Vec<(&str, &str)> = Vec::with_capacity(input.components.len());
    if input.components.iter().any(|name| name == "@authority") {
        authority = authority_of(head)?;
    }
    for name in &input.components {
        let value = match name.as_str() {
            "@method" => head.method.as_str(),
            "@path" => head.uri.path(),
            "@query" => &query,
            "@authority" => &authority,
            derived if derived.starts_with('@') => {
                return Err(malformed("a derived component that this server does not know"));
            }
            field => needed(head.headers, field)?,
        };
        lines.push((name, value));
    }
    Ok(signature_base(&lines, &input.text))
}

// RFC 9421 §2.2.3: lower case; our listener has no default port to strip.
fn authority_of(head: &RequestHead<'_>) -> Result<String, SignatureRefusal> {
    match head.uri.authority() {
        Some(authority) => Ok(authority.as_str().to_ascii_lowercase()),
        None => Ok(needed(head.headers, "host")?.to_ascii_lowercase()),
    }
}

fn check_coverage(head: &RequestHead<'_>, input: &SignatureInput) -> Result<(), SignatureRefusal> {
    if head.uri.path().len() + head.uri.query().map_or(0, str::len) > TARGET_BYTES_MAX {
        return Err(malformed("the request target is too long"));
    }
    let covered = |name: &str| input.components.iter().any(|known| known == name);
    let present = |name: &str| head.headers.contains_key(name);
    let needed = [
        ("@method", true),
        ("@path", true),
        ("@query", head.uri.query().is_some()),
        (CERTIFICATE_HEADER, true),
        (CONTENT_DIGEST_HEADER, present(CONTENT_DIGEST_HEADER) || announces_body(head.headers)),
        // The type decides how the body's bytes are read: a changed boundary would be a changed body.
        ("content-type", present("content-type")),
        (IDEMPOTENCY_KEY_HEADER, present(IDEMPOTENCY_KEY_HEADER)),
    ];
    for (name, required) in needed {
        if required && !covered(name) {
            return Err(SignatureRefusal::Malformed(format!("the signature must cover {name}")));
        }
    }
    Ok(())
}

fn announces_body(headers: &HeaderMap) -> bool {
    headers.contains_key("transfer-encoding")
        || headers.get("content-length").is_some_and(|value| value.as_bytes() != b"0")
}

fn certificates(chain: &[Vec<u8>]) -> Result<(Certificate, Vec<Certificate>), SignatureRefusal> {
    let mut parsed = Vec::with_capacity(chain.len());
    for der in chain {
        parsed.push(Certificate::from_der(der).map_err(|error| match error {
            CertificateError::KeyAlgorithm { .. } | CertificateError::SignatureAlgorithm { .. } => {
                SignatureRefusal::Algorithm(error.to_string())
            }
            other => SignatureRefusal::Malformed(format!("{CERTIFICATE_HEADER}: {other}")),
        })?);
    }
    let mut parsed = parsed.into_iter();
    let leaf = parsed.next().ok_or_else(|| malformed("no certificate was sent"))?;
    Ok((leaf, parsed.collect()))
}

fn check_window(input: &SignatureInput, window: Window) -> Result<(), SignatureRefusal> {
    let created_ms = input.created.saturating_mul(1_000);
    let expires_ms = input.expires.saturating_mul(1_000);
    let lifetime_s = input.expires.checked_sub(input.created).filter(|s| *s > 0);
    let span_ms = SIGNATURE_WINDOW_S * 1_000;
    let refused = if lifetime_s.is_none_or(|s| s > SIGNATURE_LIFETIME_S_MAX) {
        "expires must lie 1 to 300 seconds after created"
    } else if created_ms > window.now_ms.saturating_add(span_ms) {
        "created lies more than 300 seconds ahead of this node's clock"
    } else if created_ms.saturating_add(span_ms) < window.now_ms {
        "created lies more than 300 seconds behind this node's clock"
    } else if window.now_ms >= expires_ms {
        "the signature has expired"
    } else if created_ms < window.started_ms {
        "the signature was created before this node started; sign again"
    } else {
        return Ok(());
    };
    Err(SignatureRefusal::Window(refused))
}

fn needed<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, SignatureRefusal> {
    single(headers, name)?
        .ok_or_else(|| SignatureRefusal::Malformed(format!("the header field {name} is missing")))
}

// A field that is covered, or that steers the check, appears once and is visible ASCII.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> Result<Option<&'a str>, SignatureRefusal> {
    let Ok(field) = HeaderName::try_from(name) else {
        return Err(malformed("a component is not a header field name"));
    };
    let mut values = headers.get_all(&field).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(SignatureRefusal::Malformed(format!("{name} appears more than once")));
    }
    match first.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(SignatureRefusal::Malformed(format!("{name} is not visible ASCII"))),
    }
}

fn malformed(reason: &str) -> SignatureRefusal {
    SignatureRefusal::Malformed(reason.to_owned())
}
