//! Who a request says it comes from, before anybody asks whether the channel knows them.
//!
//! Three ways lead here, and all of them end in the same rules of [`super::authenticate`]: a signed request (RFC
//! 9421), the client certificate of the GM TLS connection, and a `Client-Cert` (RFC 9440) from a gateway that the
//! configuration names. A signature says more than a connection, and a gateway's client more than the gateway, so they
//! are asked for in that order. A `Client-Cert` from anywhere else is refused, never ignored: whoever sends it expects
//! it to count.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use smkit::sm3::Sm3Digest;
use smkit_pki::{Certificate, CertificateError};

use crate::limits::CERTIFICATES_MAX;
use crate::problem::{Code, Problem};
use crate::signature::{
    CERTIFICATE_HEADER, CONTENT_DIGEST_HEADER, IDEMPOTENCY_KEY_HEADER, RequestHead,
    SignatureRefusal, Window, byte_sequence_list, content_digest, present, single,
};
use crate::state::Shared;
use crate::transport::Transport;

/// RFC 9440 §2.2.
const CLIENT_CERT_HEADER: &str = "client-cert";
/// RFC 9440 §2.3.
const CLIENT_CERT_CHAIN_HEADER: &str = "client-cert-chain";

/// An identity somebody claims, with what they said about the body.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) certificate: Certificate,
    pub(super) intermediates: Vec<Certificate>,
    pub(super) content_digest: Option<Sm3Digest>,
    pub(super) idempotency_key: Option<String>,
    /// Signed requests are remembered, so that nobody sends them twice; a connection cannot be replayed.
    pub(super) once: Option<Once>,
}

/// What a signed request is remembered by.
#[derive(Debug)]
pub(super) struct Once {
    pub(super) nonce: String,
    pub(super) expires: u64,
}

/// Reads the claim of a request.
pub(super) fn claim(state: &Shared, head: &Parts) -> Result<Claim, Problem> {
    let transport = head.extensions.get::<Transport>();
    let forwarded = [CLIENT_CERT_HEADER, CLIENT_CERT_CHAIN_HEADER]
        .iter()
        .any(|name| head.headers.contains_key(*name));
    let trusted = transport.is_some_and(|t| state.parts.gateways.contains(t.remote.ip()));
    if forwarded && !trusted {
        return Err(Problem::new(Code::GatewayRefused));
    }
    let names = ["signature-input", "signature", CERTIFICATE_HEADER];
    if names.iter().any(|name| head.headers.contains_key(*name)) {
        return signed(state, head);
    }
    if forwarded {
        let (certificate, intermediates) = forwarded_certificates(&head.headers).map_err(refuse)?;
        return unsigned(certificate, intermediates, &head.headers).map_err(refuse);
    }
    match transport.map(|transport| transport.certificates.as_slice()) {
        Some([certificate, intermediates @ ..]) => {
            unsigned(certificate.clone(), intermediates.to_vec(), &head.headers).map_err(refuse)
        }
        _ => Err(refuse(SignatureRefusal::Unsigned)),
    }
}

fn signed(state: &Shared, head: &Parts) -> Result<Claim, Problem> {
    let request = RequestHead { method: &head.method, uri: &head.uri, headers: &head.headers };
    let now_ms = state.now_ms();
    let window = Window { now_ms, started_ms: state.started.at.0 };
    let presented = present(&request, window).map_err(refuse)?;
    Ok(Claim {
        certificate: presented.certificate,
        intermediates: presented.intermediates,
        content_digest: presented.content_digest,
        idempotency_key: presented.idempotency_key,
        once: Some(Once { nonce: presented.nonce, expires: presented.expires }),
    })
}

fn unsigned(
    certificate: Certificate,
    intermediates: Vec<Certificate>,
    headers: &HeaderMap,
) -> Result<Claim, SignatureRefusal> {
    let digest = single(headers, CONTENT_DIGEST_HEADER)?.map(content_digest).transpose()?;
    let idempotency_key = single(headers, IDEMPOTENCY_KEY_HEADER)?.map(str::to_owned);
    Ok(Claim { certificate, intermediates, content_digest: digest, idempotency_key, once: None })
}

fn forwarded_certificates(
    headers: &HeaderMap,
) -> Result<(Certificate, Vec<Certificate>), SignatureRefusal> {
    let missing = || SignatureRefusal::Malformed("client-cert is missing".to_owned());
    let leaf = single(headers, CLIENT_CERT_HEADER)?.ok_or_else(missing)?;
    let mut chain = byte_sequence_list(CLIENT_CERT_HEADER, leaf, 1)?;
    if let Some(value) = single(headers, CLIENT_CERT_CHAIN_HEADER)? {
        let most = CERTIFICATES_MAX.saturating_sub(1);
        chain.extend(byte_sequence_list(CLIENT_CERT_CHAIN_HEADER, value, most)?);
    }
    let mut parsed = Vec::with_capacity(chain.len());
    for der in &chain {
        parsed.push(Certificate::from_der(der).map_err(|error| match error {
            CertificateError::KeyAlgorithm { .. } | CertificateError::SignatureAlgorithm { .. } => {
                SignatureRefusal::Algorithm(error.to_string())
            }
            other => SignatureRefusal::Malformed(format!("{CLIENT_CERT_HEADER}: {other}")),
        })?);
    }
    let mut parsed = parsed.into_iter();
    Ok((parsed.next().ok_or_else(missing)?, parsed.collect()))
}

fn refuse(refusal: SignatureRefusal) -> Problem {
    Problem::new(refusal.code()).technical(refusal)
}
