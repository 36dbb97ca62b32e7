//! Whether a certificate has been revoked.

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
