//! Organisations: who vouches for whom.

mod rule;

use smkit::Sm3Digest;
use smkit_pki::{
    Certificate, PathError, Purpose, Revocation, RevocationList, RevocationMode, TrustAnchors,
    Validator, verify_chain,
};

pub(crate) use self::rule::is_role_unit;
pub use self::rule::{IdentityRule, RuleMismatch};
use crate::{Endpoint, IdentityError, OrgPolicies, Role, Roles, limits::NAME_BYTES_MAX};

/// An organisation of a channel (组织): its id, its name, the authorities it trusts, and which of
/// the certificates below them are its own.
///
/// Trusting a root trusts every certificate of that authority. An organisation that runs an
/// authority of its own needs no more; one that relies on a city's or a government's has an
/// [`IdentityRule`], and [`ChannelConfig::check`](crate::ChannelConfig::check) refuses a channel in
/// which two organisations share an authority without rules that tell them apart.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Organisation {
    /// The MSP id, as in identities and policies: letters, digits, `.` and `-`.
    pub msp_id: String,
    /// The name people read, unique in the channel; any script.
    pub name: String,
    /// The roots the organisation's certificates chain to.
    pub roots: TrustAnchors,
    /// Authorities between the roots and the certificates.
    pub intermediates: Vec<Certificate>,
    /// Which certificates below the roots are its own; `None`: all, since the authority is.
    pub rule: Option<IdentityRule>,
    /// Certificates that have the role [`Role::Admin`] beside the one that their unit gives.
    pub admins: Vec<Certificate>,
    /// SM3 of the DER of certificates that count no more, from the block on that says so.
    pub revoked: Vec<Sm3Digest>,
    /// Revocation lists (CRL) of the authorities: a certificate counts no more from the moment on that
    /// its entry names; one that no list mentions does, however old the lists.
    pub revocation_lists: Vec<RevocationList>,
    /// Roots of the certificates on its connections; never the roots of identities.
    pub tls_roots: TrustAnchors,
    /// Authorities between those roots and the certificates on its connections.
    pub tls_intermediates: Vec<Certificate>,
    /// Where other organisations find its peers.
    pub anchor_peers: Vec<Endpoint>,
    /// What the channel's implicit policies ask of this organisation.
    pub policies: OrgPolicies,
}

/// What an organisation says of a certificate that is one of its own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Admitted {
    /// The roles the certificate has here.
    pub roles: Roles,
    /// The root it chains to.
    pub root: Certificate,
}

impl Organisation {
    /// An organisation with an authority of its own, and the usual policies.
    #[must_use]
    pub fn new(msp_id: &str, name: &str, roots: TrustAnchors) -> Self {
        Self {
            msp_id: msp_id.to_owned(),
            name: name.to_owned(),
            roots,
            intermediates: Vec::new(),
            rule: None,
            admins: Vec::new(),
            revoked: Vec::new(),
            revocation_lists: Vec::new(),
            tls_roots: TrustAnchors::default(),
            tls_intermediates: Vec::new(),
            anchor_peers: Vec::new(),
            policies: OrgPolicies::of(msp_id),
        }
    }

    /// Whether the organisation vouches for `certificate` at that moment (Unix seconds), and as
    /// what. Checks in this order, and the first that fails is the answer: issuer (chain, pinned
    /// issuer), revocation, units, role.
    ///
    /// `sent_along` are intermediates that the organisation does not list; they may lead to its
    /// roots, and never stand in for a pinned issuer.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn admit(
        &self,
        certificate: &Certificate,
        sent_along: &[Certificate],
        at_unix_s: i64,
    ) -> Result<Admitted, IdentityError> {
        if certificate.is_ca() {
            return Err(IdentityError::CertificateAuthority);
        }
        let root = self.check_issuer(certificate, sent_along, at_unix_s)?;
        self.check_revocation(certificate, sent_along, at_unix_s)?;
        let roles = self.check_content(certificate)?;
        Ok(Admitted { roles, root })
    }

    /// What of [`Organisation::admit`] depends on neither time nor signatures: units and role.
    ///
    /// # Errors
    /// [`IdentityError::Unit`], [`IdentityError::NoRole`].
    pub fn check_content(&self, certificate: &Certificate) -> Result<Roles, IdentityError> {
        if let Some(rule) = &self.rule {
            rule.check(certificate)?;
        }
        // As with Fabric's NodeOUs a unit must give some role; the list adds one to it.
        let roles =
            Roles::from_units(&certificate.organisational_units()).ok_or(IdentityError::NoRole)?;
        let listed = self.admins.contains(certificate);
        Ok(if listed { roles.with(Role::Admin) } else { roles })
    }

    /// Roots and intermediates of identities.
    pub fn authorities(&self) -> impl Iterator<Item = &Certificate> {
        self.roots.iter().chain(&self.intermediates)
    }

    fn check_issuer(
        &self,
        certificate: &Certificate,
        sent_along: &[Certificate],
        at_unix_s: i64,
    ) -> Result<Certificate, IdentityError> {
        let joined: Vec<Certificate>;
        let intermediates = if sent_along.is_empty() {
            &self.intermediates
        } else {
            joined = self.intermediates.iter().chain(sent_along).cloned().collect();
            &joined
        };
        let usage = Purpose::Signing;
        let root = verify_chain(certificate, intermediates, &self.roots, at_unix_s, usage)?;
        let Some(rule) = &self.rule else { return Ok(root) };
        let pinned = self
            .authorities()
            .filter(|authority| rule.issuers.contains(&authority.sm3()))
            .any(|authority| certificate.verify_issued_by(authority).is_ok());
        if pinned { Ok(root) } else { Err(IdentityError::Issuer) }
    }

    fn check_revocation(
        &self,
        certificate: &Certificate,
        sent_along: &[Certificate],
        at_unix_s: i64,
    ) -> Result<(), IdentityError> {
        if self.revoked.contains(&certificate.sm3()) {
            return Err(IdentityError::Revoked);
        }
        if self.revocation_lists.is_empty() {
            return Ok(());
        }
        // A list in the configuration ages until the next update: asking for fresh ones would stop
        // everybody on the day it is due.
        let revocation =
            Revocation::new(RevocationMode::IfAvailable, self.revocation_lists.clone());
        let chain: Vec<Certificate> =
            std::iter::once(certificate).chain(sent_along).cloned().collect();
        Validator::admitting_all(self.roots.clone())
            .with_intermediates(self.intermediates.clone())
            .with_revocation(revocation)
            .verify(&chain, Purpose::Signing, at_unix_s, None)
            .map(|_| ())
            .map_err(|reason| match reason {
                PathError::Revoked { since, .. } => IdentityError::RevokedByIssuer { since },
                other => IdentityError::Chain(other),
            })
    }

    /// Whether a list mentions the certificate or an authority: the answer of
    /// [`Organisation::admit`] then changes at a moment that no validity shows.
    pub(crate) fn is_listed(&self, certificate: &Certificate) -> bool {
        let mut known = std::iter::once(certificate).chain(&self.intermediates);
        known.any(|certificate| {
            let serial = certificate.serial();
            self.revocation_lists.iter().any(|list| list.find(&serial).is_some())
        })
    }
}

/// Whether `text` may be an MSP id: ASCII letters, digits, `.` and `-`, bounded; so that policies can
/// name it (Fabric's rule for principals).
#[must_use]
pub fn is_msp_id(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}
