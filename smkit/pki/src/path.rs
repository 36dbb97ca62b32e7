//! Path building and validation (RFC 5280 §6.1, order of GM/T 0015-2023 practice).

use crate::{
    Certificate, KeyUsage, Purpose, TrustAnchors,
    limits::{CHAIN_DEPTH_MAX, PATH_SIGNATURES_MAX},
};

pub(crate) use crate::limits::INTERMEDIATES_MAX;
pub use error::PathError;

/// Verifies `leaf` up to one of `anchors` at one moment, and returns that anchor.
///
/// Every path is checked in a fixed order over all its certificates: signatures, validity, basic constraints and path
/// length, critical extensions, key usage, extended key usage. Anchors are tried before intermediates; where several
/// paths exist, one valid path suffices. The anchor is checked like any other CA, its own signature included when it is
/// self-issued. Intermediates that are not needed are ignored. Revocation, host names and who is admitted are the
/// business of [`crate::Validator`].
///
/// # Errors
/// The reason of the first path tried that failed; see [`PathError`].
pub fn verify_chain(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchors: &TrustAnchors,
    at_unix_seconds: i64,
    purpose: Purpose,
) -> Result<Certificate, PathError> {
    if intermediates.len() > INTERMEDIATES_MAX {
        return Err(PathError::TooManyIntermediates { count: intermediates.len() });
    }
    let intermediates: Vec<_> = intermediates.iter().collect();
    let judge = |path: &[&Certificate]| check(path, at_unix_seconds, purpose);
    let path = Search::new(anchors, &intermediates).find(leaf, &judge)?;
    path.last().map(|anchor| (*anchor).clone()).ok_or_else(|| unknown_issuer(leaf))
}

/// Depth-first search for a valid path; bounded by depth and by signatures checked.
pub(crate) struct Search<'a> {
    anchors: &'a TrustAnchors,
    intermediates: &'a [&'a Certificate],
    signatures: usize,
    /// The reason of the first path that failed.
    reason: Option<PathError>,
}

/// What is left to check of a path from leaf to anchor whose signatures verify.
type Judge<'j> = &'j dyn Fn(&[&Certificate]) -> Result<(), PathError>;

impl<'a> Search<'a> {
    pub(crate) const fn new(
        anchors: &'a TrustAnchors,
        intermediates: &'a [&'a Certificate],
    ) -> Self {
        Self { anchors, intermediates, signatures: 0, reason: None }
    }

    /// The first path that `judge` accepts.
    pub(crate) fn find(
        mut self,
        leaf: &'a Certificate,
        judge: Judge<'_>,
    ) -> Result<Vec<&'a Certificate>, PathError> {
        let mut path = vec![leaf];
        if self.extend(&mut path, judge) {
            return Ok(path);
        }
        Err(self.reason.unwrap_or_else(|| unknown_issuer(leaf)))
    }

    /// Extends a path whose links are verified so far to a whole one; `path` is as before when this returns false.
    fn extend(&mut self, path: &mut Vec<&'a Certificate>, judge: Judge<'_>) -> bool {
        let Some(last) = path.last().copied() else { return false };
        if self.anchors.contains_sm3(&last.sm3()) {
            return self.finish(path, last, judge);
        }
        if path.len() >= CHAIN_DEPTH_MAX {
            self.fail(PathError::TooDeep);
            return false;
        }
        let (anchors, intermediates) = (self.anchors, self.intermediates);
        let mut named = false;
        for candidate in anchors.iter().chain(intermediates.iter().copied()) {
            if !last.names_as_issuer(candidate) || path.contains(&candidate) {
                continue;
            }
            named = true;
            if !self.check_link(last, candidate) {
                continue;
            }
            path.push(candidate);
            if self.extend(path, judge) {
                return true;
            }
            path.pop();
        }
        if !named {
            self.fail(unknown_issuer(last));
        }
        false
    }

    fn check_link(&mut self, subject: &Certificate, issuer: &Certificate) -> bool {
        if self.signatures >= PATH_SIGNATURES_MAX {
            self.fail(PathError::TooManyPaths);
            return false;
        }
        self.signatures = self.signatures.saturating_add(1);
        subject.verify_issued_by(issuer).map_err(|reason| self.fail(reason)).is_ok()
    }

    /// A path has reached an anchor.
    fn finish(&mut self, path: &[&Certificate], anchor: &Certificate, judge: Judge<'_>) -> bool {
        let own = if anchor.is_self_issued() { anchor.verify_self_signed() } else { Ok(()) };
        own.and_then(|()| judge(path)).map_err(|reason| self.fail(reason)).is_ok()
    }

    fn fail(&mut self, reason: PathError) {
        self.reason.get_or_insert(reason);
    }
}

/// Everything about the certificates of a path but their signatures; `path` runs from the leaf to the anchor.
pub(crate) fn check(path: &[&Certificate], at: i64, purpose: Purpose) -> Result<(), PathError> {
    path.iter().try_for_each(|certificate| check_validity(certificate, at))?;
    for (index, certificate) in path.iter().enumerate() {
        check_constraints(certificate, index, path, purpose)?;
    }
    path.iter().try_for_each(|certificate| check_extensions(certificate))?;
    let Some((leaf, authorities)) = path.split_first() else {
        return Err(PathError::NoCertificate);
    };
    purpose.check_key_usage(leaf)?;
    for authority in authorities {
        if !authority.key_usage().contains(KeyUsage::KEY_CERT_SIGN) {
            let (subject, required) = (authority.subject(), KeyUsage::KEY_CERT_SIGN);
            return Err(PathError::KeyUsage { subject, required });
        }
    }
    purpose.check_extended_key_usage(leaf)?;
    authorities.iter().try_for_each(|authority| purpose.check_confinement(authority))
}

fn check_validity(certificate: &Certificate, at: i64) -> Result<(), PathError> {
    let (not_before, not_after) = (certificate.not_before(), certificate.not_after());
    if at < not_before {
        return Err(PathError::NotYetValid { subject: certificate.subject(), not_before });
    }
    if at > not_after {
        return Err(PathError::Expired { subject: certificate.subject(), not_after });
    }
    Ok(())
}

fn check_constraints(
    certificate: &Certificate,
    index: usize,
    path: &[&Certificate],
    purpose: Purpose,
) -> Result<(), PathError> {
    let must_be_ca = index > 0 || purpose.is_for_authorities();
    if must_be_ca && !certificate.is_ca() {
        return Err(PathError::NotACa { subject: certificate.subject() });
    }
    // RFC 5280 §4.2.1.9: intermediates that are not self-issued count; the leaf, even a CA, does not.
    let below = path.iter().take(index).skip(1).filter(|below| !below.is_self_issued()).count();
    match certificate.path_length() {
        Some(path_length) if below > usize::from(path_length) => {
            Err(PathError::PathLength { subject: certificate.subject(), path_length })
        }
        _ => Ok(()),
    }
}

fn check_extensions(certificate: &Certificate) -> Result<(), PathError> {
    match certificate.unknown_critical_extension() {
        Some(oid) => Err(PathError::UnknownCriticalExtension {
            subject: certificate.subject(),
            oid: oid.to_string(),
        }),
        None => Ok(()),
    }
}

fn unknown_issuer(certificate: &Certificate) -> PathError {
    PathError::UnknownIssuer { issuer: certificate.issuer() }
}

mod error;
#[cfg(test)]
mod tests;
