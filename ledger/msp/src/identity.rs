//! Identities and their serialized form.

use std::fmt;

use changbai_wire::proto::msp::SerializedIdentity;
use prost::Message;
use smkit::sm2::VerifyingKey;
use smkit_pki::{Certificate, CertificateError, PathError};
use thiserror::Error;

use crate::{
    Check, Role, Roles, RuleMismatch, limits::IDENTITY_BYTES_MAX, organisation::is_msp_id,
};

/// Somebody on a channel (身份): an organisation's id and a certificate that it vouches for.
///
/// Obtained from [`Membership::identify`](crate::Membership::identify), it has been verified up to
/// a root; from [`Identity::parse`], only its form has.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The organisation's MSP id.
    pub msp_id: String,
    /// The certificate.
    pub certificate: Certificate,
    /// What its organisational units make of it.
    pub roles: Roles,
    serialized: Vec<u8>,
}

impl Identity {
    /// Reads a serialized `msp.SerializedIdentity`, without judging whether to trust it: the roles are
    /// those of the certificate's units alone.
    ///
    /// # Errors
    /// [`IdentityError`] for anything but one canonical message with one PEM certificate of an SM2
    /// key, not a CA's, with one of the units `admin`, `client`, `peer` or `orderer`.
    pub fn parse(serialized: &[u8]) -> Result<Self, IdentityError> {
        let form = Form::read(serialized)?;
        if form.certificate.is_ca() {
            return Err(IdentityError::CertificateAuthority);
        }
        let roles = Roles::from_units(&form.certificate.organisational_units())
            .ok_or(IdentityError::NoRole)?;
        Ok(form.with(roles, serialized))
    }

    /// The serialized `msp.SerializedIdentity` with the PEM text exactly as it was given.
    #[must_use]
    pub fn serialize(&self) -> Vec<u8> {
        self.serialized.clone()
    }

    /// [`Identity::serialize`] without a copy.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.serialized
    }

    /// Whether the identity has the role.
    #[must_use]
    pub const fn has_role(&self, role: Role) -> bool {
        self.roles.contains(role)
    }

    /// The key that verifies this identity's signatures.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        self.certificate.verifying_key()
    }
}

/// A serialized identity taken apart: nothing is known yet of issuer, units or roles.
pub(crate) struct Form {
    pub(crate) msp_id: String,
    pub(crate) certificate: Certificate,
}

impl Form {
    pub(crate) fn read(serialized: &[u8]) -> Result<Self, IdentityError> {
        if serialized.len() > IDENTITY_BYTES_MAX {
            return Err(IdentityError::Malformed { reason: "too long" });
        }
        let message = SerializedIdentity::decode(serialized)
            .map_err(|_| IdentityError::Malformed { reason: "not protobuf" })?;
        if message.encode_to_vec() != serialized {
            return Err(IdentityError::Malformed { reason: "not canonically encoded" });
        }
        if !is_msp_id(&message.mspid) {
            return Err(IdentityError::Malformed { reason: "MSP id" });
        }
        let pem = str::from_utf8(&message.id_bytes)
            .map_err(|_| IdentityError::Malformed { reason: "not a PEM text" })?;
        // The kit skips text around a certificate; an identity has room for nothing else.
        let text = pem.trim();
        if !text.starts_with("-----BEGIN CERTIFICATE-----") || !text.ends_with("-----") {
            return Err(IdentityError::Malformed { reason: "not exactly a PEM certificate" });
        }
        Ok(Self { certificate: Certificate::from_pem(pem)?, msp_id: message.mspid })
    }

    pub(crate) fn with(self, roles: Roles, serialized: &[u8]) -> Identity {
        let Self { msp_id, certificate } = self;
        Identity { msp_id, certificate, roles, serialized: serialized.to_vec() }
    }
}

impl fmt::Debug for Identity {
    /// Names the certificate by its digest: subjects may be people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("msp_id", &self.msp_id)
            .field("certificate_sm3", &self.certificate.sm3())
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// The serialized `msp.SerializedIdentity` of a certificate, in the PEM form of the kit.
#[must_use]
pub fn serialize_identity(msp_id: &str, certificate: &Certificate) -> Vec<u8> {
    SerializedIdentity { mspid: msp_id.to_owned(), id_bytes: certificate.to_pem().into_bytes() }
        .encode_to_vec()
}

/// Why bytes are not an identity of the channel. [`IdentityError::check`] says at which step.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Not a serialized identity.
    #[error("malformed identity: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The certificate does not parse, or is not an SM2 certificate.
    #[error("certificate of an identity refused")]
    Certificate(#[from] CertificateError),
    /// A certificate authority may not act as an identity.
    #[error("the certificate is an authority's")]
    CertificateAuthority,
    /// No organisation of the channel has this id.
    #[error("MSP {msp_id} is not part of the channel")]
    UnknownMsp {
        /// The id.
        msp_id: String,
    },
    /// The organisation does not vouch for the certificate, or not at that time.
    #[error("the organisation does not vouch for the certificate")]
    Chain(#[from] PathError),
    /// The certificate chains to the organisation's roots, but another authority issued it.
    #[error("the certificate was not issued by an authority that the organisation's rule names")]
    Issuer,
    /// The channel's configuration lists the certificate as revoked.
    #[error("the certificate is revoked")]
    Revoked,
    /// The issuer has revoked the certificate, or the one above has revoked the issuer's.
    #[error("the certificate, or one above it, is revoked since {since}")]
    RevokedByIssuer {
        /// The first moment at which it counts no more, Unix seconds.
        since: i64,
    },
    /// The subject is not what the organisation's rule asks for.
    #[error("the subject is not the organisation's")]
    Unit(#[from] RuleMismatch),
    /// No organisational unit gives a role.
    #[error("the certificate has none of the units admin, client, peer, orderer")]
    NoRole,
}

impl IdentityError {
    /// The step of [`Membership::authorise`](crate::Membership::authorise) that failed.
    #[must_use]
    pub const fn check(&self) -> Check {
        match self {
            Self::Malformed { .. } | Self::Certificate(_) | Self::CertificateAuthority => {
                Check::Form
            }
            Self::UnknownMsp { .. } => Check::Organisation,
            Self::Chain(_) | Self::Issuer => Check::Issuer,
            Self::Revoked | Self::RevokedByIssuer { .. } => Check::Revocation,
            Self::Unit(_) => Check::Unit,
            Self::NoRole => Check::Role,
        }
    }

    /// The stable code of the reason; [`codes`](crate::codes) has them all.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "MS-1001",
            Self::Certificate(_) => "MS-1002",
            Self::CertificateAuthority => "MS-1003",
            Self::UnknownMsp { .. } => "MS-1101",
            Self::Chain(reason) => match reason {
                PathError::UnknownIssuer { .. } => "MS-1201",
                PathError::BadSignature { .. } => "MS-1202",
                PathError::Expired { .. } => "MS-1203",
                PathError::NotYetValid { .. } => "MS-1204",
                _ => "MS-1205",
            },
            Self::Issuer => "MS-1206",
            Self::Revoked => "MS-1301",
            Self::RevokedByIssuer { .. } => "MS-1302",
            Self::Unit(reason) => match reason {
                RuleMismatch::Organisation { .. } => "MS-1401",
                RuleMismatch::MissingUnit { .. } => "MS-1402",
                RuleMismatch::FurtherUnit { .. } => "MS-1403",
                RuleMismatch::RepeatedUnit { .. } => "MS-1404",
            },
            Self::NoRole => "MS-1501",
        }
    }
}
