//! Which certificates of a shared authority belong to one organisation.

use std::collections::BTreeSet;

use smkit::Sm3Digest;
use smkit_pki::Certificate;
use thiserror::Error;

use crate::Role;

/// What a certificate must say, and who must have issued it, to be one of the organisation: for
/// example `OU=NDRC, O=CCG`, issued by the city's authority.
///
/// Attributes match exactly: same type, same characters, same case, no blanks added or taken away,
/// in any string type and any script. The subject has each unit at most once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityRule {
    /// SM3 of the DER of the authorities that may have issued the certificate itself; at least one,
    /// each among the organisation's roots and intermediates.
    pub issuers: Vec<Sm3Digest>,
    /// The organisation (O): the subject has exactly this one. Empty: not looked at.
    pub organisation: String,
    /// Units (OU) that the subject has, all of them; never the name of a role.
    pub units: Vec<String>,
    /// Whether the subject may have units that are neither in `units` nor the name of a role.
    /// Otherwise a certificate with the units of two organisations belongs to neither.
    pub further_units: bool,
}

impl IdentityRule {
    /// Whether the subject is what the rule asks for; says nothing about the issuer.
    ///
    /// # Errors
    /// [`RuleMismatch`], the first that applies in the order of its variants.
    pub fn check(&self, certificate: &Certificate) -> Result<(), RuleMismatch> {
        if !self.organisation.is_empty() {
            let found = certificate.organisation();
            if found != [self.organisation.as_str()] {
                let required = self.organisation.clone();
                return Err(RuleMismatch::Organisation { required, found });
            }
        }
        let found = certificate.organisational_units();
        if let Some(unit) = self.units.iter().find(|unit| !found.contains(unit)) {
            return Err(RuleMismatch::MissingUnit { unit: unit.clone() });
        }
        let mut seen = BTreeSet::new();
        for unit in found {
            let expected = self.units.contains(&unit) || is_role_unit(&unit);
            if !expected && !self.further_units {
                return Err(RuleMismatch::FurtherUnit { unit });
            }
            if let Some(unit) = seen.replace(unit) {
                return Err(RuleMismatch::RepeatedUnit { unit });
            }
        }
        Ok(())
    }

    /// Whether a subject exists that both rules would let pass.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let named = !self.organisation.is_empty() && !other.organisation.is_empty();
        if named && self.organisation != other.organisation {
            return false;
        }
        let [own, others] = [self, other].map(|rule| rule.units.iter().collect::<BTreeSet<_>>());
        match (self.further_units, other.further_units) {
            (false, false) => own == others,
            (false, true) => others.is_subset(&own),
            (true, false) => own.is_subset(&others),
            (true, true) => true,
        }
    }
}

/// Whether the unit is the name of a role in certificates.
pub(crate) fn is_role_unit(unit: &str) -> bool {
    unit.parse::<Role>().is_ok_and(|role| role != Role::Member)
}

/// How a subject differs from what an [`IdentityRule`] asks for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RuleMismatch {
    /// Not exactly the one organisation (O).
    #[error("the organisation (O) must be {required:?} alone, found {found:?}")]
    Organisation {
        /// What the rule names.
        required: String,
        /// What the subject has.
        found: Vec<String>,
    },
    /// A unit (OU) is missing.
    #[error("the unit (OU) {unit:?} is missing")]
    MissingUnit {
        /// Which.
        unit: String,
    },
    /// A unit (OU) that neither the rule nor a role names.
    #[error("the unit (OU) {unit:?} belongs to no role, nor to the organisation")]
    FurtherUnit {
        /// Which.
        unit: String,
    },
    /// A unit (OU) is there twice.
    #[error("the unit (OU) {unit:?} is repeated")]
    RepeatedUnit {
        /// Which.
        unit: String,
    },
}
