//! Who asks: from a signed request head to an identity of the channel.

use axum::http::request::Parts;
use changbai_core::Submitter;
use changbai_msp::{IdentityError, Membership, Role, Roles, serialize_identity};
use smkit::sm3::Sm3Digest;
use smkit_pki::{Certificate, CertificateError, ChainError};

use crate::problem::{Code, Problem};
use crate::signature::{ReplayVerdict, RequestHead, Window, present};
use crate::state::Shared;

/// An authenticated caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) msp_id: String,
    pub(crate) subject: String,
    pub(crate) certificate_sm3: Sm3Digest,
    pub(crate) content_digest: Option<Sm3Digest>,
    pub(crate) idempotency_key: Option<String>,
    roles: Roles,
}

/// Establishes who signed a request head: form, window and signature, then trust, then freshness. The nonce
/// is remembered last, so that only members of the channel can fill the memory of nonces.
pub(crate) fn authenticate(state: &Shared, head: &Parts) -> Result<Caller, Problem> {
    let now = state.parts.clock.now().at;
    let request = RequestHead { method: &head.method, uri: &head.uri, headers: &head.headers };
    let window = Window { now_ms: now.0, started_ms: state.started.at.0 };
    let presented = present(&request, window)
        .map_err(|refusal| Problem::new(refusal.code()).technical(refusal))?;
    let own = &state.parts.evidence.agency().msp_id;
    let (certificate, intermediates) = (&presented.certificate, &presented.intermediates);
    let at = now.seconds();
    let (msp_id, roles) = resolve(&state.parts.membership, own, certificate, intermediates, at)
        .map_err(|error| refused(&error))?;
    let (keyid, nonce) = (&presented.keyid, &presented.nonce);
    match state.replays.insert(keyid, nonce, presented.expires, now.0 / 1_000) {
        ReplayVerdict::Fresh => {}
        ReplayVerdict::Replayed => return Err(Problem::new(Code::Replayed)),
        ReplayVerdict::Full => {
            return Err(Problem::new(Code::Overloaded)
                .detail("防重放缓存已满", "the memory of nonces is full")
                .retry_after_ms(10_000));
        }
    }
    Ok(Caller {
        msp_id,
        subject: certificate.subject(),
        certificate_sm3: presented.keyid,
        content_digest: presented.content_digest,
        idempotency_key: presented.idempotency_key,
        roles,
    })
}

impl Caller {
    /// Writes need the role client or admin, in the node's own agency.
    pub(crate) fn may_write(&self, state: &Shared) -> Result<(), Problem> {
        self.is_of_agency(state)?;
        if self.roles.contains(Role::Client) || self.roles.contains(Role::Admin) {
            return Ok(());
        }
        Err(Problem::new(Code::RoleRefused).detail(
            "提交存证需要 client 或 admin 角色的证书（OU）",
            "submitting needs a certificate with the role client or admin (OU)",
        ))
    }

    /// What is kept for the node's own agency is shown to it only.
    pub(crate) fn is_of_agency(&self, state: &Shared) -> Result<(), Problem> {
        if self.msp_id == state.parts.evidence.agency().msp_id {
            return Ok(());
        }
        Err(Problem::new(Code::RoleRefused)
            .detail("证书属于其他机构", "the certificate belongs to another organisation"))
    }

    pub(crate) fn submitter(&self) -> Submitter {
        Submitter {
            certificate_sm3: self.certificate_sm3,
            subject: self.subject.clone(),
            msp_id: self.msp_id.clone(),
        }
    }
}

/// The organisation that vouches for a certificate, and the roles it has there. Where several organisations
/// share a root, the node's own agency is asked first, then the others by id.
fn resolve(
    membership: &Membership,
    own: &str,
    certificate: &Certificate,
    intermediates: &[Certificate],
    at_unix_s: i64,
) -> Result<(String, Roles), IdentityError> {
    let others = membership.organisations().filter(|org| org.msp_id != own);
    let mut refusal = None;
    for org in membership.organisation(own).into_iter().chain(others) {
        // Remembered by the membership: the chain is verified once, its time on each call.
        let identity = serialize_identity(&org.msp_id, certificate);
        let found = match membership.identify(&identity, at_unix_s) {
            Ok(identity) => return Ok((org.msp_id.clone(), identity.roles)),
            Err(IdentityError::Chain(ChainError::UnknownIssuer { .. }))
                if !intermediates.is_empty() =>
            {
                // Below an intermediate that the channel does not list but the client sent along.
                org.admit(certificate, intermediates, at_unix_s).map(|admitted| admitted.roles)
            }
            Err(error) => Err(error),
        };
        match found {
            Ok(roles) => return Ok((org.msp_id.clone(), roles)),
            // "Not one of ours" must not hide another organisation's better reason: the one that comes
            // later in the order of checks.
            Err(IdentityError::Chain(ChainError::UnknownIssuer { .. })) => {}
            Err(error) => {
                let better =
                    refusal.as_ref().is_none_or(|r: &IdentityError| r.check() < error.check());
                if better {
                    refusal = Some(error);
                }
            }
        }
    }
    Err(refusal.unwrap_or_else(|| {
        IdentityError::Chain(ChainError::UnknownIssuer { issuer: certificate.issuer() })
    }))
}

fn refused(error: &IdentityError) -> Problem {
    let code = match error {
        IdentityError::Chain(ChainError::Expired { .. } | ChainError::NotYetValid { .. }) => {
            Code::CertificateExpired
        }
        IdentityError::NoRole | IdentityError::CertificateAuthority => Code::RoleRefused,
        IdentityError::Certificate(
            CertificateError::KeyAlgorithm { .. } | CertificateError::SignatureAlgorithm { .. },
        ) => Code::AlgorithmRefused,
        _ => Code::UntrustedCertificate,
    };
    Problem::new(code).technical(error)
}
