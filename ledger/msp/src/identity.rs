//! Identities and their serialized form.

use std::fmt;

use changbai_wire::proto::msp::SerializedIdentity;
use prost::Message;
use smkit::sm2::VerifyingKey;
use smkit_pki::{Certificate, CertificateError, PathError};
use thiserror::Error;

use crate::{Role, Roles, limits::IDENTITY_BYTES_MAX, organisation::is_msp_id};

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
    /// Reads a serialized `msp.SerializedIdentity`, without judging whether to trust it.
    ///
    /// # Errors
    /// [`IdentityError`] for anything but one canonical message with one PEM certificate of an SM2
    /// key, not a CA's, with one of the units `admin`, `client`, `peer` or `orderer`.
    pub fn parse(serialized: &[u8]) -> Result<Self, IdentityError> {
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
        let certificate = Certificate::from_pem(pem)?;
        if certificate.is_ca() {
            return Err(IdentityError::CertificateAuthority);
        }
        let roles =
            Roles::from_units(&certificate.organisational_units()).ok_or(IdentityError::NoRole)?;
        Ok(Self { msp_id: message.mspid, certificate, roles, serialized: serialized.to_vec() })
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

/// Why bytes are not an identity of the channel.
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
    /// No organisational unit gives a role.
    #[error("the certificate has none of the units admin, client, peer, orderer")]
    NoRole,
    /// No organisation of the channel has this id.
    #[error("MSP {msp_id} is not part of the channel")]
    UnknownMsp {
        /// The id.
        msp_id: String,
    },
    /// The organisation does not vouch for the certificate, or not at that time.
    #[error("the organisation does not vouch for the certificate")]
    Chain(#[from] PathError),
}
