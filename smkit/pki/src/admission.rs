//! Who may come in: an authority to be issued under, and what the subject must say.

use std::{fmt, str::FromStr};

use der::{Tag, Tagged};
use smkit::Sm3Digest;
use x509_cert::name::RdnSequence;

use crate::{
    Certificate, PathError,
    name::{self, Attribute},
};

/// One way to be admitted (准入规则): issued under a pinned authority, with a subject that matches a rule.
///
/// A root in the list of anchors alone admits nobody: it may have issued to half the country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    issuer: Sm3Digest,
    subject: Option<SubjectRule>,
}

impl Admission {
    /// Admits every subject whose chain runs through the CA certificate with this fingerprint, at whatever height.
    #[must_use]
    pub const fn under(issuer: Sm3Digest) -> Self {
        Self { issuer, subject: None }
    }

    /// Demands a matching subject as well.
    #[must_use]
    pub fn with_subject(self, rule: SubjectRule) -> Self {
        Self { subject: Some(rule), ..self }
    }

    /// `path` runs from the leaf to the anchor.
    pub(crate) fn check(&self, path: &[&Certificate]) -> Result<(), PathError> {
        let (Some(leaf), authorities) = (path.first(), path.get(1..).unwrap_or_default()) else {
            return Err(PathError::NoCertificate);
        };
        if !authorities.iter().any(|authority| authority.sm3() == self.issuer) {
            return Err(PathError::IssuerNotAdmitted { subject: leaf.subject() });
        }
        self.subject.as_ref().map_or(Ok(()), |rule| rule.check(leaf))
    }
}

/// What a subject must contain, such as `OU=NDRC,O=CCG` or `OU=长春市大数据局`.
///
/// Each required value must stand alone in an RDN of the subject, character by character: no case folding, no
/// normalisation, no substrings. A type may be required several times; every value must then be there, each once. Of
/// organisation and country there must be no further value than required; of units there may be, unless the rule says
/// [`SubjectRule::exactly`]. An RDN that joins a required type with anything else matches no rule: which of its parts
/// was vetted as what cannot be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectRule {
    required: Vec<(Attribute, String)>,
    exact: bool,
}

impl SubjectRule {
    /// Also refuses further values of any type that the rule names.
    #[must_use]
    pub fn exactly(self) -> Self {
        Self { exact: true, ..self }
    }

    /// Judges the subject of a certificate.
    ///
    /// # Errors
    /// [`PathError::SubjectNotAdmitted`], [`PathError::SubjectAmbiguous`].
    pub fn check(&self, certificate: &Certificate) -> Result<(), PathError> {
        let name = certificate.subject_name();
        let subject = || certificate.subject();
        for (attribute, _) in &self.required {
            if is_ambiguous(name, *attribute) {
                let attribute = attribute.short;
                return Err(PathError::SubjectAmbiguous { subject: subject(), attribute });
            }
            if !self.matches(name, *attribute) {
                let rule = self.to_string();
                return Err(PathError::SubjectNotAdmitted { subject: subject(), rule });
            }
        }
        Ok(())
    }

    /// Whether the values required of one type are there, each once.
    fn matches(&self, name: &RdnSequence, attribute: Attribute) -> bool {
        let Some(found) = values(name, attribute) else { return false };
        let required: Vec<_> = self
            .required
            .iter()
            .filter(|(wanted, _)| *wanted == attribute)
            .map(|(_, value)| value.as_str())
            .collect();
        let alone = self.exact || !matches!(attribute.short, "OU" | "DC");
        let once = |value: &&&str| found.iter().filter(|found| found == *value).count() == 1;
        required.iter().filter(once).count() == required.len()
            && (!alone || found.len() == required.len())
    }
}

/// Whether the type stands in an RDN with several attributes.
fn is_ambiguous(name: &RdnSequence, attribute: Attribute) -> bool {
    name.iter().any(|rdn| rdn.len() > 1 && rdn.iter().any(|found| found.oid == attribute.oid))
}

/// All values of a type; `None` if one is not of a string type whose characters are beyond doubt.
fn values(name: &RdnSequence, attribute: Attribute) -> Option<Vec<String>> {
    name.iter()
        .flat_map(x509_cert::name::RelativeDistinguishedName::iter)
        .filter(|found| found.oid == attribute.oid)
        .map(|found| match found.value.tag() {
            // A TeletexString may mean anything, a BMPString hides half of Unicode.
            Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => name::text(&found.value),
            _ => None,
        })
        .collect()
}

/// `TYPE=value` joined by `,`; spaces around both are dropped, `\` takes the next character as it is.
impl FromStr for SubjectRule {
    type Err = SubjectRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut required: Vec<(Attribute, String)> = Vec::new();
        for part in split(text) {
            let (short, value) = part.split_once('=').ok_or(SubjectRuleError::NoValue)?;
            let short = short.trim().to_ascii_uppercase();
            let attribute =
                name::by_short_name(&short).ok_or(SubjectRuleError::UnknownType { name: short })?;
            let value = unescape(value);
            if value.is_empty() || value.chars().any(char::is_control) {
                return Err(SubjectRuleError::NoValue);
            }
            if required.contains(&(attribute, value.clone())) {
                return Err(SubjectRuleError::Repeated);
            }
            if required.len() >= REQUIRED_MAX {
                return Err(SubjectRuleError::TooMany);
            }
            required.push((attribute, value));
        }
        Ok(Self { required, exact: false })
    }
}

impl fmt::Display for SubjectRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (attribute, value)) in self.required.iter().enumerate() {
            if index > 0 {
                out.write_str(",")?;
            }
            out.write_str(attribute.short)?;
            out.write_str("=")?;
            for character in value.chars() {
                if matches!(character, ',' | '\\' | ' ') {
                    out.write_str("\\")?;
                }
                write!(out, "{character}")?;
            }
        }
        Ok(())
    }
}

/// A text that is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectRuleError {
    /// A part is not `TYPE=value`.
    #[error("a part of the rule is not TYPE=value")]
    NoValue,
    /// A type without a short name known here.
    #[error("attribute type {name} is not known")]
    UnknownType {
        /// As given.
        name: String,
    },
    /// The same requirement twice.
    #[error("a requirement is repeated")]
    Repeated,
    /// More than 16 requirements.
    #[error("more than {REQUIRED_MAX} requirements")]
    TooMany,
}

/// Splits at commas that are not escaped.
fn split(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (index, character) in text.char_indices() {
        if character == ',' && !escaped {
            out.push(text.get(start..index).unwrap_or_default());
            start = index + 1;
        }
        escaped = character == '\\' && !escaped;
    }
    out.push(text.get(start..).unwrap_or_default());
    out
}

fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut kept = 0;
    let mut characters = value.trim_start().chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                out.extend(characters.next());
                kept = out.len();
            }
            other => out.push(other),
        }
    }
    // Spaces at the end are dropped unless they were escaped.
    out.truncate(out.trim_end().len().max(kept));
    out
}

/// Most requirements of one rule.
const REQUIRED_MAX: usize = 16;

#[cfg(test)]
mod tests;
