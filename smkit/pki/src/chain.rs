//! Path building and validation (RFC 5280 §6.1, order of GM/T 0015-2023 practice).

use crate::{
    Certificate, KeyUsage, TrustAnchors,
    limits::{CHAIN_DEPTH_MAX, INTERMEDIATES_MAX, PATH_SIGNATURES_MAX},
};

/// What the leaf's key was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Usage {
    /// It signed data: keyUsage digitalSignature.
    DigitalSignature,
    /// It signs certificates: keyUsage keyCertSign, and the leaf must be a CA.
    CertificateSign,
}

/// Verifies `leaf` up to one of `anchors` at one moment, and returns that anchor.
///
/// Every path is checked in a fixed order over all its certificates: signatures, validity, basic constraints and path
/// length, critical extensions, key usage. Anchors are tried before intermediates; where several paths exist, one valid
/// path suffices. The anchor is checked like any other CA, its own signature included when it is self-issued.
/// Intermediates that are not needed are ignored.
///
/// # Errors
/// The reason of the first path tried that failed; see [`ChainError`].
pub fn verify_chain(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchors: &TrustAnchors,
    at_unix_seconds: i64,
    usage: Usage,
) -> Result<Certificate, ChainError> {
    if intermediates.len() > INTERMEDIATES_MAX {
        return Err(ChainError::TooManyIntermediates { count: intermediates.len() });
    }
    let mut search =
        Search { intermediates, anchors, at_unix_seconds, usage, signatures: 0, reason: None };
    let mut path = vec![leaf];
    match search.extend(&mut path) {
        Some(anchor) => Ok(anchor),
        None => Err(search.reason.unwrap_or_else(|| unknown_issuer(leaf))),
    }
}

/// Why a chain was refused; every variant is a verdict on the certificates, not on the verifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No anchor or intermediate bears the issuer's name and key identifier.
    #[error("no certificate known for issuer {issuer}")]
    UnknownIssuer {
        /// The issuer sought (RFC 4514).
        issuer: String,
    },
    /// The signature on a certificate is not its issuer's.
    #[error("signature on the certificate of {subject} is invalid")]
    BadSignature {
        /// Whose certificate (RFC 4514).
        subject: String,
    },
    /// A certificate had ended.
    #[error("certificate of {subject} expired at {not_after}")]
    Expired {
        /// Whose certificate.
        subject: String,
        /// Its last valid second, in Unix seconds.
        not_after: i64,
    },
    /// A certificate had not begun.
    #[error("certificate of {subject} is not valid before {not_before}")]
    NotYetValid {
        /// Whose certificate.
        subject: String,
        /// Its first valid second, in Unix seconds.
        not_before: i64,
    },
    /// An issuer, or a leaf used to sign certificates, is not a CA.
    #[error("{subject} is not a certificate authority")]
    NotACa {
        /// Whose certificate.
        subject: String,
    },
    /// More intermediates below a CA than it allows.
    #[error("{subject} allows {path_length} intermediates below itself")]
    PathLength {
        /// Which CA.
        subject: String,
        /// Its bound.
        path_length: u8,
    },
    /// A critical extension this crate does not evaluate.
    #[error("certificate of {subject} has the unknown critical extension {oid}")]
    UnknownCriticalExtension {
        /// Whose certificate.
        subject: String,
        /// Which extension.
        oid: String,
    },
    /// keyUsage does not allow what the key was used for.
    #[error("key usage of {subject} does not include {required:?}")]
    KeyUsage {
        /// Whose certificate.
        subject: String,
        /// What is missing.
        required: KeyUsage,
    },
    /// The path has more than [`crate::CHAIN_DEPTH_MAX`] certificates.
    #[error("the chain is longer than {CHAIN_DEPTH_MAX} certificates")]
    TooDeep,
    /// More than [`crate::INTERMEDIATES_MAX`] intermediates were offered.
    #[error("{count} intermediate certificates are too many")]
    TooManyIntermediates {
        /// How many.
        count: usize,
    },
    /// The search met its bound of signatures: the certificates were made to waste time.
    #[error("the search for a chain was given up")]
    TooManyPaths,
}

/// Depth-first search for a valid path; bounded by depth and by signatures checked.
struct Search<'a> {
    intermediates: &'a [Certificate],
    anchors: &'a TrustAnchors,
    at_unix_seconds: i64,
    usage: Usage,
    signatures: usize,
    /// The reason of the first path that failed.
    reason: Option<ChainError>,
}

impl<'a> Search<'a> {
    /// Extends a path whose links are verified so far; `path` is as before when this returns `None`.
    fn extend<'b>(&mut self, path: &mut Vec<&'b Certificate>) -> Option<Certificate>
    where
        'a: 'b,
    {
        let last = *path.last()?;
        if self.anchors.contains_sm3(&last.sm3()) {
            return self.finish(path, last);
        }
        if path.len() >= CHAIN_DEPTH_MAX {
            self.fail(ChainError::TooDeep);
            return None;
        }
        let (anchors, intermediates) = (self.anchors, self.intermediates);
        let mut named = false;
        for candidate in anchors.iter().chain(intermediates) {
            if !last.names_as_issuer(candidate) || path.contains(&candidate) {
                continue;
            }
            named = true;
            if !self.check_link(last, candidate) {
                continue;
            }
            path.push(candidate);
            let found = self.extend(path);
            path.pop();
            if found.is_some() {
                return found;
            }
        }
        if !named {
            self.fail(unknown_issuer(last));
        }
        None
    }

    fn check_link(&mut self, subject: &Certificate, issuer: &Certificate) -> bool {
        if self.signatures >= PATH_SIGNATURES_MAX {
            self.fail(ChainError::TooManyPaths);
            return false;
        }
        self.signatures = self.signatures.saturating_add(1);
        subject.verify_issued_by(issuer).map_err(|reason| self.fail(reason)).is_ok()
    }

    /// A path has reached an anchor: everything but the signatures between its certificates is left to check.
    fn finish(&mut self, path: &[&Certificate], anchor: &Certificate) -> Option<Certificate> {
        if anchor.is_self_issued() && !self.check_link(anchor, anchor) {
            return None;
        }
        check_path(path, self.at_unix_seconds, self.usage)
            .map_err(|reason| self.fail(reason))
            .ok()?;
        Some(anchor.clone())
    }

    fn fail(&mut self, reason: ChainError) {
        self.reason.get_or_insert(reason);
    }
}

/// `path` runs from the leaf to the anchor.
fn check_path(path: &[&Certificate], at: i64, usage: Usage) -> Result<(), ChainError> {
    path.iter().try_for_each(|certificate| check_validity(certificate, at))?;
    for (index, certificate) in path.iter().enumerate() {
        check_constraints(certificate, index, path, usage)?;
    }
    path.iter().try_for_each(|certificate| check_extensions(certificate))?;
    for (index, certificate) in path.iter().enumerate() {
        let required = match (index, usage) {
            (0, Usage::DigitalSignature) => KeyUsage::DIGITAL_SIGNATURE,
            _ => KeyUsage::KEY_CERT_SIGN,
        };
        if !certificate.key_usage().contains(required) {
            return Err(ChainError::KeyUsage { subject: certificate.subject(), required });
        }
    }
    Ok(())
}

fn check_validity(certificate: &Certificate, at: i64) -> Result<(), ChainError> {
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    if at < not_before {
        return Err(ChainError::NotYetValid { subject: certificate.subject(), not_before });
    }
    if at > not_after {
        return Err(ChainError::Expired { subject: certificate.subject(), not_after });
    }
    Ok(())
}

fn check_constraints(
    certificate: &Certificate,
    index: usize,
    path: &[&Certificate],
    usage: Usage,
) -> Result<(), ChainError> {
    let must_be_ca = index > 0 || usage == Usage::CertificateSign;
    if must_be_ca && !certificate.is_ca() {
        return Err(ChainError::NotACa { subject: certificate.subject() });
    }
    // RFC 5280 §4.2.1.9: intermediates that are not self-issued count; the leaf, even a CA, does not.
    let below = path.iter().take(index).skip(1).filter(|below| !below.is_self_issued()).count();
    match certificate.path_length() {
        Some(path_length) if below > usize::from(path_length) => {
            Err(ChainError::PathLength { subject: certificate.subject(), path_length })
        }
        _ => Ok(()),
    }
}

fn check_extensions(certificate: &Certificate) -> Result<(), ChainError> {
    match certificate.unknown_critical_extension() {
        Some(oid) => Err(ChainError::UnknownCriticalExtension {
            subject: certificate.subject(),
            oid: oid.to_string(),
        }),
        None => Ok(()),
    }
}

fn unknown_issuer(certificate: &Certificate) -> ChainError {
    ChainError::UnknownIssuer { issuer: certificate.issuer() }
}

#[cfg(test)]
mod tests;
