//! Who asks: from a request head and its connection to an identity of the channel.

mod claim;

use axum::http::request::Parts;
use changbai_core::{
    Submitter,
    process::{Actor, ActorRole},
};
use changbai_msp::{IdentityError, Membership, Role, Roles, serialize_identity};
use changbai_wire::time::UnixMillis;
use smkit::sm3::Sm3Digest;
use smkit_pki::{Certificate, CertificateError, PathError};

use self::claim::{Claim, claim};
use crate::access::KnownAs;
use crate::problem::{Code, Problem};
use crate::signature::ReplayVerdict;
use crate::state::Shared;

/// An authenticated caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) msp_id: String,
    pub(crate) subject: String,
    pub(crate) certificate: Certificate,
    pub(crate) certificate_sm3: Sm3Digest,
    pub(crate) content_digest: Option<Sm3Digest>,
    pub(crate) idempotency_key: Option<String>,
    roles: Roles,
    /// The certificate has the unit `court`.
    court: bool,
    signed: bool,
}

/// Establishes who sends a request: what it claims, then trust, then freshness. A nonce is remembered last, so that
/// only members of the channel can fill the memory of nonces.
pub(crate) fn authenticate(state: &Shared, head: &Parts) -> Result<Caller, Problem> {
    let asker = Asker::of(state, head)?;
    let caller = asker.on(state, &state.parts.channel.membership())?;
    asker.remember(state)?;
    Ok(caller)
}

/// Who is to be named in the process log for a request that needs no identity: whoever it is signed by, else nobody.
pub(crate) fn actor(state: &Shared, head: &Parts) -> Actor {
    authenticate(state, head).map_or(Actor::PUBLIC, |caller| caller.actor())
}

/// Somebody whose request is theirs; whether a channel knows them is asked next.
#[derive(Debug)]
pub(crate) struct Asker {
    claim: Claim,
    now: UnixMillis,
    /// Where the log is told who asks.
    known_as: Option<KnownAs>,
}

impl Asker {
    pub(crate) fn of(state: &Shared, head: &Parts) -> Result<Self, Problem> {
        let known_as = head.extensions.get().cloned();
        Ok(Self { claim: claim(state, head)?, now: state.parts.clock.now().at, known_as })
    }

    /// Who they are on a channel with these members.
    pub(crate) fn on(&self, state: &Shared, members: &Membership) -> Result<Caller, Problem> {
        let claim = &self.claim;
        let own = &state.parts.evidence.agency().msp_id;
        let (certificate, intermediates) = (&claim.certificate, &claim.intermediates);
        let (msp_id, roles) = resolve(members, own, certificate, intermediates, self.now.seconds())
            .map_err(|error| refused(&error))?;
        if let Some(asker) = &self.known_as {
            asker.is(certificate.sm3());
        }
        Ok(Caller {
            msp_id,
            subject: certificate.subject(),
            certificate: certificate.clone(),
            certificate_sm3: certificate.sm3(),
            content_digest: claim.content_digest,
            idempotency_key: claim.idempotency_key.clone(),
            roles,
            court: certificate.organisational_units().iter().any(|unit| unit == COURT_UNIT),
            signed: claim.once.is_some(),
        })
    }

    /// Who they are on the first of the node's channels that knows them; the node's evidence channel gives the reason
    /// where none does.
    pub(crate) fn on_any(&self, state: &Shared) -> Result<Caller, Problem> {
        self.on(state, &state.parts.channel.membership()).or_else(|problem| {
            let channels = state.parts.channels.channels();
            let mut found = channels.iter().filter_map(|c| self.on(state, &c.membership()).ok());
            found.next().ok_or(problem)
        })
    }

    /// Remembers the request, so that nobody sends it twice. Only for members of a channel.
    pub(crate) fn remember(&self, state: &Shared) -> Result<(), Problem> {
        remember(state, &self.claim, self.now.0 / 1_000)
    }
}

fn remember(state: &Shared, claim: &Claim, now_s: u64) -> Result<(), Problem> {
    let Some(once) = &claim.once else { return Ok(()) };
    match state.replays.insert(&claim.certificate.sm3(), &once.nonce, once.expires, now_s) {
        ReplayVerdict::Fresh => Ok(()),
        ReplayVerdict::Replayed => Err(Problem::new(Code::Replayed)),
        ReplayVerdict::Full => Err(Problem::new(Code::Overloaded)
            .detail("防重放缓存已满", "the memory of nonces is full")
            .retry_after_ms(10_000)),
    }
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

    /// The node is its own agency's: only administrators of it change what channels it is on.
    pub(crate) fn may_administer(&self, state: &Shared) -> Result<(), Problem> {
        self.is_of_agency(state)?;
        if self.roles.contains(Role::Admin) {
            return Ok(());
        }
        Err(Problem::new(Code::RoleRefused).detail(
            "管理通道需要 admin 角色的证书（OU）",
            "administering channels needs a certificate with the role admin (OU)",
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

    /// Whether the certificate is a court's; which organisations may say so is another question.
    pub(crate) const fn is_court(&self) -> bool {
        self.court
    }

    /// How the process log names them.
    pub(crate) fn actor(&self) -> Actor {
        Actor::known(self.certificate_sm3, self.role())
    }

    /// The role that says most about what they may do.
    pub(crate) fn role(&self) -> ActorRole {
        if self.roles.contains(Role::Admin) {
            ActorRole::Admin
        } else if self.roles.contains(Role::Client) {
            ActorRole::Client
        } else {
            ActorRole::Member
        }
    }

    /// What a body without a digest is: too little signed, or a header field forgotten.
    pub(crate) fn undigested(&self) -> Code {
        if self.signed { Code::SignatureMalformed } else { Code::DigestMissing }
    }

    pub(crate) fn submitter(&self) -> Submitter {
        Submitter {
            certificate_sm3: self.certificate_sm3,
            subject: self.subject.clone(),
            msp_id: self.msp_id.clone(),
        }
    }
}

/// Organisational unit of courts' certificates, beside that of a role: courts are clients of the channel.
const COURT_UNIT: &str = "court";

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
            Err(IdentityError::Chain(PathError::UnknownIssuer { .. }))
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
            Err(IdentityError::Chain(PathError::UnknownIssuer { .. })) => {}
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
        IdentityError::Chain(PathError::UnknownIssuer { issuer: certificate.issuer() })
    }))
}

fn refused(error: &IdentityError) -> Problem {
    let code = match error {
        IdentityError::Chain(PathError::Expired { .. } | PathError::NotYetValid { .. }) => {
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
