//! Implicit-meta policies: so many of the groups below must be satisfied, each by its own policy.

use std::{fmt, str::FromStr};

use changbai_wire::proto::common::{ImplicitMetaPolicy, implicit_meta_policy::Rule};

use super::PolicyError;

/// How many of the groups below must be satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetaRule {
    /// One.
    Any,
    /// All of them.
    All,
    /// More than half of them.
    Majority,
}

/// A policy that every organisation of a channel has, by Fabric's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyName {
    /// Who administers.
    Admins,
    /// Who endorses.
    Endorsement,
    /// Who approves chaincode.
    LifecycleEndorsement,
    /// Who reads.
    Readers,
    /// Who writes.
    Writers,
}

/// An implicit-meta policy (隐式元策略), such as `MAJORITY Admins`: of the groups below the one that
/// has it, so many must satisfy their own policy of that name.
///
/// A signature may count for several groups, as in Fabric. Unlike there, a group without groups
/// below it satisfies nothing: there is no majority of nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MetaPolicy {
    /// How many.
    pub rule: MetaRule,
    /// Of which policy.
    pub sub_policy: PolicyName,
}

impl MetaRule {
    const ALL: [Self; 3] = [Self::Any, Self::All, Self::Majority];

    /// How many of `count` groups that is; more than there are when there are none.
    #[must_use]
    pub const fn needed(self, count: usize) -> usize {
        match (self, count) {
            (_, 0) | (Self::Any, _) => 1,
            (Self::All, _) => count,
            (Self::Majority, _) => count / 2 + 1,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Any => "ANY",
            Self::All => "ALL",
            Self::Majority => "MAJORITY",
        }
    }
}

impl PolicyName {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 5] =
        [Self::Admins, Self::Endorsement, Self::LifecycleEndorsement, Self::Readers, Self::Writers];

    /// Fabric's name, the key in a configuration's groups.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admins => "Admins",
            Self::Endorsement => "Endorsement",
            Self::LifecycleEndorsement => "LifecycleEndorsement",
            Self::Readers => "Readers",
            Self::Writers => "Writers",
        }
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl MetaPolicy {
    /// The protobuf form.
    #[must_use]
    pub fn to_proto(self) -> ImplicitMetaPolicy {
        let rule = match self.rule {
            MetaRule::Any => Rule::Any,
            MetaRule::All => Rule::All,
            MetaRule::Majority => Rule::Majority,
        };
        ImplicitMetaPolicy { sub_policy: self.sub_policy.name().to_owned(), rule: rule.into() }
    }

    /// Reads the protobuf form.
    ///
    /// # Errors
    /// [`PolicyError::Message`] for an unknown rule or name.
    pub fn from_proto(message: &ImplicitMetaPolicy) -> Result<Self, PolicyError> {
        let rule = match Rule::try_from(message.rule) {
            Ok(Rule::Any) => MetaRule::Any,
            Ok(Rule::All) => MetaRule::All,
            Ok(Rule::Majority) => MetaRule::Majority,
            Err(_) => return Err(PolicyError::Message("an unknown rule of an implicit policy")),
        };
        let sub_policy = PolicyName::ALL
            .into_iter()
            .find(|name| name.name() == message.sub_policy)
            .ok_or(PolicyError::Message("an implicit policy over an unknown name"))?;
        Ok(Self { rule, sub_policy })
    }
}

impl fmt::Display for MetaPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.rule.name(), self.sub_policy)
    }
}

impl FromStr for MetaPolicy {
    type Err = PolicyError;

    /// Reads `ANY`, `ALL` or `MAJORITY`, in any case, and the name of a policy.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        const RULE: PolicyError = expected("ANY, ALL or MAJORITY");
        const NAME: PolicyError =
            expected("one of Readers, Writers, Admins, Endorsement, LifecycleEndorsement");
        let mut words = text.split_ascii_whitespace();
        let (rule, name) = (words.next(), words.next());
        let rule = MetaRule::ALL
            .into_iter()
            .find(|known| rule.is_some_and(|rule| rule.eq_ignore_ascii_case(known.name())))
            .ok_or(RULE)?;
        let sub_policy = PolicyName::ALL
            .into_iter()
            .find(|known| name == Some(known.name()))
            .filter(|_| words.next().is_none())
            .ok_or(NAME)?;
        Ok(Self { rule, sub_policy })
    }
}

const fn expected(expected: &'static str) -> PolicyError {
    PolicyError::Syntax { at: 0, expected }
}
