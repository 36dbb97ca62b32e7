//! Roles within an organisation.

use std::{fmt, str::FromStr};

/// What an identity may be within its organisation (Fabric's `MSPRoleType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// Anyone the organisation vouches for.
    Member = 0,
    /// Administers the organisation.
    Admin = 1,
    /// Proposes and submits transactions.
    Client = 2,
    /// Endorses and commits.
    Peer = 3,
    /// Orders: in this ledger, a validator.
    Orderer = 4,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Member, Self::Admin, Self::Client, Self::Peer, Self::Orderer];

    /// The name in policies, and, except for members, the organisational unit in certificates.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Client => "client",
            Self::Peer => "peer",
            Self::Orderer => "orderer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or(())
    }
}

/// The roles of one identity; [`Role::Member`] is always among them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// The roles that organisational units give, `None` if they give none: an identity without one
    /// of the four units is refused, as with Fabric's `NodeOUs`.
    #[must_use]
    pub fn from_units<S: AsRef<str>>(units: &[S]) -> Option<Self> {
        let bits = units
            .iter()
            .filter_map(|unit| unit.as_ref().parse::<Role>().ok())
            .filter(|role| *role != Role::Member)
            .fold(0, |bits, role| bits | bit(role));
        (bits != 0).then_some(Self(bits | bit(Role::Member)))
    }

    /// These roles and one more.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | bit(role))
    }

    /// Whether `role` is among them.
    #[must_use]
    pub const fn contains(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    /// The roles in ascending order.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.contains(*role))
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

const fn bit(role: Role) -> u8 {
    1 << role as u8
}
