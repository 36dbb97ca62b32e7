//! The steps from bytes to access, and their stable codes.

use std::fmt;

use thiserror::Error;

use crate::IdentityError;

/// A step on the way from a serialized identity to access, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// The bytes are one identity with one SM2 certificate that is no authority's.
    Form,
    /// The MSP id belongs to an organisation of the channel.
    Organisation,
    /// The chain leads to the organisation's roots, and a pinned issuer signed the certificate.
    Issuer,
    /// The certificate is not revoked.
    Revocation,
    /// Organisation (O) and units (OU) are what the organisation's rule asks for.
    Unit,
    /// A unit gives a role.
    Role,
    /// The policy that guards the action is satisfied.
    Policy,
}

impl Check {
    /// The name in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Organisation => "organisation",
            Self::Issuer => "issuer",
            Self::Revocation => "revocation",
            Self::Unit => "unit",
            Self::Role => "role",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why somebody gets no access.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The identity is not established.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The identity is established, and the policy does not let it.
    #[error("the policy is not satisfied by this identity")]
    Policy,
}

impl AccessError {
    /// The step that failed; all before it passed.
    #[must_use]
    pub const fn check(&self) -> Check {
        match self {
            Self::Identity(error) => error.check(),
            Self::Policy => Check::Policy,
        }
    }

    /// The stable code of the reason.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Identity(error) => error.code(),
            Self::Policy => "MS-1601",
        }
    }
}
