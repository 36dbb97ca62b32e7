//! One place that decides whether a certificate may be relied on.

use crate::{
    Admission, Certificate, PathError, Purpose, Revocation, TrustAnchors,
    alternative_names::Host,
    path::{self, Search},
};

/// Judges chains by one policy: trust anchors, admissions, known intermediates, revocation.
///
/// The order is fixed, over all certificates of a path: form (when the certificates were parsed), signatures, validity,
/// basic constraints and path length with unknown critical extensions, key usage, extended key usage, revocation, name
/// of the host, admission. One reason is given: the first.
///
/// Made once and kept: keys of anchors and known intermediates are tabulated as they are used, and signatures of anchors
/// are verified once.
#[derive(Clone, Debug)]
pub struct Validator {
    anchors: TrustAnchors,
    admissions: Admissions,
    intermediates: Vec<Certificate>,
    revocation: Revocation,
}

#[derive(Clone, Debug)]
enum Admissions {
    /// Whoever an anchor vouches for.
    Anyone,
    Listed(Vec<Admission>),
}

impl Validator {
    /// Admits who matches one of `admissions`; with none it admits nobody.
    #[must_use]
    pub fn new(anchors: TrustAnchors, admissions: Vec<Admission>) -> Self {
        Self::with(anchors, Admissions::Listed(admissions))
    }

    /// Admits everybody below an anchor: right for anchors that issue to the platform alone.
    #[must_use]
    pub fn admitting_all(anchors: TrustAnchors) -> Self {
        Self::with(anchors, Admissions::Anyone)
    }

    fn with(anchors: TrustAnchors, admissions: Admissions) -> Self {
        let (intermediates, revocation) = (Vec::new(), Revocation::default());
        Self { anchors, admissions, intermediates, revocation }
    }

    /// Authorities below the anchors that peers need not send; those they send all the same are recognised.
    #[must_use]
    pub fn with_intermediates(mut self, intermediates: Vec<Certificate>) -> Self {
        self.intermediates = intermediates;
        self
    }

    /// What is known about revocation, and how much must be; without it nothing is asked.
    #[must_use]
    pub fn with_revocation(self, revocation: Revocation) -> Self {
        Self { revocation, ..self }
    }

    /// The anchors.
    #[must_use]
    pub const fn anchors(&self) -> &TrustAnchors {
        &self.anchors
    }

    /// Verifies `chain`, the leaf first and intermediates in any order, for `purpose` at one moment.
    ///
    /// With `host`, a DNS name or IP address, the leaf must be for that host.
    ///
    /// # Errors
    /// The first reason of the first path that failed; see [`PathError`].
    pub fn verify(
        &self,
        chain: &[Certificate],
        purpose: Purpose,
        at_unix_seconds: i64,
        host: Option<&str>,
    ) -> Result<VerifiedPath, PathError> {
        let (leaf, presented) = chain.split_first().ok_or(PathError::NoCertificate)?;
        if presented.len() > path::INTERMEDIATES_MAX {
            return Err(PathError::TooManyIntermediates { count: presented.len() });
        }
        // One that is known has its key's table already.
        let intermediates: Vec<&Certificate> = self
            .intermediates
            .iter()
            .chain(presented.iter().filter(|presented| !self.intermediates.contains(presented)))
            .collect();
        let judge = |path: &[&Certificate]| self.judge(path, purpose, at_unix_seconds, host);
        let path = Search::new(&self.anchors, &intermediates).find(leaf, &judge)?;
        Ok(VerifiedPath(path.into_iter().cloned().collect()))
    }

    /// Verifies the two certificates of a TLCP peer (双证书): the signing certificate as [`Validator::verify`] does for
    /// `purpose`, the encryption certificate for [`Purpose::TlcpEncryption`] and the same host; both must have the same
    /// subject and issuer.
    ///
    /// # Errors
    /// As [`Validator::verify`], for the signing certificate first; [`PathError::PairSubjects`].
    pub fn verify_pair(
        &self,
        signing: &Certificate,
        encryption: &Certificate,
        intermediates: &[Certificate],
        purpose: Purpose,
        at_unix_seconds: i64,
        host: Option<&str>,
    ) -> Result<VerifiedPath, PathError> {
        let chain = |leaf: &Certificate| [std::slice::from_ref(leaf), intermediates].concat();
        let found = self.verify(&chain(signing), purpose, at_unix_seconds, host)?;
        self.verify(&chain(encryption), Purpose::TlcpEncryption, at_unix_seconds, host)?;
        if signing.subject_name() != encryption.subject_name()
            || signing.issuer_name() != encryption.issuer_name()
        {
            let (signing, encryption) = (signing.subject(), encryption.subject());
            return Err(PathError::PairSubjects { signing, encryption });
        }
        Ok(found)
    }

    /// Everything but the signatures of one path, leaf to anchor.
    fn judge(
        &self,
        path: &[&Certificate],
        purpose: Purpose,
        at_unix_seconds: i64,
        host: Option<&str>,
    ) -> Result<(), PathError> {
        path::check(path, at_unix_seconds, purpose)?;
        self.revocation.check(path, at_unix_seconds)?;
        if let (Some(leaf), Some(host)) = (path.first(), host) {
            check_host(leaf, host)?;
        }
        self.admit(path)
    }

    fn admit(&self, path: &[&Certificate]) -> Result<(), PathError> {
        let Admissions::Listed(admissions) = &self.admissions else { return Ok(()) };
        let mut refusal = None;
        for admission in admissions {
            match admission.check(path) {
                Ok(()) => return Ok(()),
                // "Issued elsewhere" must not hide what the right authority's rule says.
                Err(reason) => match refusal {
                    None | Some(PathError::IssuerNotAdmitted { .. }) => refusal = Some(reason),
                    Some(_) => {}
                },
            }
        }
        let subject = path.first().map(|leaf| leaf.subject()).unwrap_or_default();
        Err(refusal.unwrap_or(PathError::IssuerNotAdmitted { subject }))
    }
}

/// A path that was verified, leaf first, anchor last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPath(Vec<Certificate>);

impl VerifiedPath {
    /// Leaf, intermediates, anchor; never empty.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }

    /// The certificate that was verified.
    #[must_use]
    pub fn leaf(&self) -> Option<&Certificate> {
        self.0.first()
    }

    /// The anchor it was verified up to.
    #[must_use]
    pub fn anchor(&self) -> Option<&Certificate> {
        self.0.last()
    }
}

/// RFC 9525 §2: the common name is not consulted.
fn check_host(leaf: &Certificate, host: &str) -> Result<(), PathError> {
    let name = || host.to_owned();
    let wanted = Host::parse(host).ok_or_else(|| PathError::NameForm { name: name() })?;
    match leaf.alternative_names() {
        Some(names) if names.matches(&wanted) => Ok(()),
        Some(names) if !names.is_empty() => Err(PathError::NameMismatch { name: name() }),
        _ => Err(PathError::NoNames { name: name() }),
    }
}

#[cfg(test)]
mod tests;
