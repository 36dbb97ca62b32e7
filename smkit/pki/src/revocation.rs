//! Whether a certificate had been revoked at one moment.

use crate::{
    Certificate, CertificateId, CertificateStatus, OcspResponse, PathError, RevocationList,
    RevokedCertificate,
};

/// How much must be known about revocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevocationMode {
    /// Nothing is asked.
    #[default]
    Off,
    /// What is known counts; what is not known is no obstacle.
    IfAvailable,
    /// For every certificate below the anchor it must be known that it was not revoked.
    Required,
}

/// What a verifier knows about revocation: lists and OCSP responses given by the caller, and how to use them.
///
/// Nothing is fetched. A list counts for a certificate when its issuer in the path has signed it and may do so, a
/// response as [`OcspResponse::verify`] says. Of several the newest that says anything counts; of two alike, the one that
/// revokes. The question is always about the moment of the path: a revocation after it does not reach back, a list made
/// after it is as good as one made before, and a list that was due for renewal before it proves only what it lists.
#[derive(Clone, Debug, Default)]
pub struct Revocation {
    mode: RevocationMode,
    lists: Vec<RevocationList>,
    responses: Vec<OcspResponse>,
}

impl Revocation {
    /// Uses these lists.
    #[must_use]
    pub const fn new(mode: RevocationMode, lists: Vec<RevocationList>) -> Self {
        Self { mode, lists, responses: Vec::new() }
    }

    /// Uses these responses as well; one without nextUpdate is stale one second after it was made.
    #[must_use]
    pub fn with_responses(self, responses: Vec<OcspResponse>) -> Self {
        Self { responses, ..self }
    }

    /// `path` runs from the leaf to the anchor, which nobody can revoke.
    pub(crate) fn check(&self, path: &[&Certificate], at: i64) -> Result<(), PathError> {
        if self.mode == RevocationMode::Off {
            return Ok(());
        }
        path.array_windows().try_for_each(|[subject, issuer]| self.check_one(subject, issuer, at))
    }

    fn check_one(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        at: i64,
    ) -> Result<(), PathError> {
        let subject = || certificate.subject();
        let (statements, forged) = self.statements(certificate, issuer);
        let mut stale = None;
        for statement in statements {
            match statement.about(at) {
                Answer::Good => return Ok(()),
                Answer::Revoked(entry) => {
                    let (since, reason) = (entry.since(), entry.reason);
                    return Err(PathError::Revoked { subject: subject(), since, reason });
                }
                Answer::Stale => {
                    // Whatever is older is no better.
                    stale = Some(statement.next_update);
                    break;
                }
                Answer::Nothing => {}
            }
        }
        if self.mode != RevocationMode::Required {
            return Ok(());
        }
        let subject = subject();
        match stale {
            Some(next_update) => {
                Err(PathError::StaleRevocationInformation { subject, next_update })
            }
            None if forged => Err(PathError::BadRevocationInformation { subject }),
            None => Err(PathError::NoRevocationInformation { subject }),
        }
    }

    /// What the issuer says about a certificate, newest first, and whether something only pretends to be the issuer's.
    fn statements(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
    ) -> (Vec<Statement>, bool) {
        let mut forged = false;
        let mut out = Vec::new();
        for list in self.lists.iter().filter(|list| list.is_named(issuer)) {
            if list.verify(issuer).is_err() {
                forged = true;
                continue;
            }
            out.push(Statement {
                this_update: list.this_update(),
                next_update: list.next_update(),
                revoked: list.find(&certificate.serial()).copied(),
                conclusive: list.covers(certificate.not_after()),
            });
        }
        let id = (!self.responses.is_empty()).then(|| CertificateId::of(certificate, issuer));
        for response in &self.responses {
            let Some(answer) = id.as_ref().and_then(|id| response.find(id)) else { continue };
            if response.verify(issuer).is_err() {
                forged = true;
                continue;
            }
            let revoked = match answer.status {
                CertificateStatus::Unknown => continue,
                CertificateStatus::Good => None,
                CertificateStatus::Revoked(revoked) => Some(revoked),
            };
            out.push(Statement {
                this_update: answer.this_update,
                next_update: answer.next_update.unwrap_or(answer.this_update),
                revoked,
                // A responder may forget who has expired, as a list may.
                conclusive: certificate.not_after() >= answer.this_update,
            });
        }
        out.sort_by_key(|statement| {
            (std::cmp::Reverse(statement.this_update), statement.revoked.is_none())
        });
        (out, forged)
    }
}

/// What one list says about one certificate.
struct Statement {
    this_update: i64,
    next_update: i64,
    revoked: Option<RevokedCertificate>,
    /// Whether saying nothing means "not revoked".
    conclusive: bool,
}

enum Answer {
    Good,
    Revoked(RevokedCertificate),
    Stale,
    Nothing,
}

impl Statement {
    fn about(&self, at: i64) -> Answer {
        match self.revoked {
            Some(entry) if entry.since() <= at => Answer::Revoked(entry),
            None if !self.conclusive => Answer::Nothing,
            None if self.next_update < at => Answer::Stale,
            // An entry says when the certificate was revoked, so it was not before.
            Some(_) | None => Answer::Good,
        }
    }
}

/// Why a certificate was revoked (`CRLReason`, RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RevocationReason {
    /// 0: not said.
    #[default]
    Unspecified,
    /// 1: the private key is known to others.
    KeyCompromise,
    /// 2: the authority's key is.
    CaCompromise,
    /// 3: the subject's name or affiliation changed.
    AffiliationChanged,
    /// 4: another certificate takes its place.
    Superseded,
    /// 5: no longer needed.
    CessationOfOperation,
    /// 6: on hold; counts as revoked while it lasts.
    CertificateHold,
    /// 9: a privilege was withdrawn.
    PrivilegeWithdrawn,
    /// 10: the attribute authority's key is known to others.
    AaCompromise,
}

impl RevocationReason {
    /// The name of the standard.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    /// The number of the standard.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::CaCompromise => 2,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::CertificateHold => 6,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// The reason of a number; 8 (`removeFromCRL`) stands in delta lists only and is none.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Unspecified,
            1 => Self::KeyCompromise,
            2 => Self::CaCompromise,
            3 => Self::AffiliationChanged,
            4 => Self::Superseded,
            5 => Self::CessationOfOperation,
            6 => Self::CertificateHold,
            9 => Self::PrivilegeWithdrawn,
            10 => Self::AaCompromise,
            _ => return None,
        })
    }

    /// The reason of a name, as given on a command line.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        (0..=10).filter_map(Self::from_code).find(|reason| reason.name() == name)
    }
}

#[cfg(test)]
mod tests;
