//! Distinguished names: to text (RFC 4514), and from the fields a certificate of ours carries.

use std::fmt::Write as _;

use der::{
    Encode, Tag, Tagged,
    asn1::{
        Any, BmpString, Ia5StringRef, ObjectIdentifier, PrintableStringRef, TeletexStringRef,
        Utf8StringRef,
    },
};
use x509_cert::{
    attr::AttributeTypeAndValue,
    name::{RdnSequence, RelativeDistinguishedName},
};

use crate::certificate::CertificateError;

/// The subject of a certificate to be issued; empty fields are left out.
///
/// Every string becomes a `UTF8String`, the country a `PrintableString` (X.520 §6.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Country (C): two capital letters.
    pub country: String,
    /// Province (ST), at most 128 characters.
    pub state: String,
    /// City (L), at most 128 characters.
    pub locality: String,
    /// Organisation (O), at most 64 characters.
    pub organisation: String,
    /// Units (OU) in this order, at most 64 characters each.
    pub organisational_units: Vec<String>,
    /// Common name (CN), required, at most 64 characters.
    pub common_name: String,
}

impl Default for Subject {
    fn default() -> Self {
        Self {
            country: "CN".to_owned(),
            state: String::new(),
            locality: String::new(),
            organisation: String::new(),
            organisational_units: Vec::new(),
            common_name: String::new(),
        }
    }
}

/// A field that cannot stand in a certificate (bounds of RFC 5280 appendix A.1).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// The common name is empty.
    #[error("the common name is empty")]
    NoCommonName,
    /// The country is not two capital letters.
    #[error("the country is not two capital letters")]
    Country,
    /// A field exceeds its bound.
    #[error("{field} has more than {chars_max} characters")]
    TooLong {
        /// Short name of the attribute, such as `OU`.
        field: &'static str,
        /// Bound in characters.
        chars_max: usize,
    },
    /// A field has a control character, or a unit is empty.
    #[error("{field} is empty or has control characters")]
    Text {
        /// Short name of the attribute.
        field: &'static str,
    },
    /// More than 16 units.
    #[error("more than {UNITS_MAX} organisational units")]
    TooManyUnits,
}

/// Most organisational units of one subject.
const UNITS_MAX: usize = 16;

impl Subject {
    /// The name in the order C, ST, L, O, OU…, CN, one attribute per RDN.
    pub(crate) fn to_rdn_sequence(&self) -> Result<RdnSequence, SubjectError> {
        if self.common_name.is_empty() {
            return Err(SubjectError::NoCommonName);
        }
        if self.organisational_units.len() > UNITS_MAX {
            return Err(SubjectError::TooManyUnits);
        }
        let mut out = RdnSequence::default();
        if !self.country.is_empty() {
            if !matches!(self.country.as_bytes(), [b'A'..=b'Z', b'A'..=b'Z']) {
                return Err(SubjectError::Country);
            }
            push(&mut out, COUNTRY, Tag::PrintableString, &self.country)?;
        }
        let optional =
            [(STATE, &self.state), (LOCALITY, &self.locality), (ORGANISATION, &self.organisation)];
        for (attribute, text) in optional {
            if !text.is_empty() {
                push(&mut out, attribute, Tag::Utf8String, text)?;
            }
        }
        for unit in &self.organisational_units {
            push(&mut out, UNIT, Tag::Utf8String, unit)?;
        }
        push(&mut out, COMMON_NAME, Tag::Utf8String, &self.common_name)?;
        Ok(out)
    }
}

fn push(
    out: &mut RdnSequence,
    attribute: Attribute,
    tag: Tag,
    text: &str,
) -> Result<(), SubjectError> {
    let field = attribute.short;
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(SubjectError::Text { field });
    }
    if text.chars().count() > attribute.chars_max {
        return Err(SubjectError::TooLong { field, chars_max: attribute.chars_max });
    }
    let refused = |_| SubjectError::Text { field };
    let value = Any::new(tag, text.as_bytes()).map_err(refused)?;
    let attribute = AttributeTypeAndValue { oid: attribute.oid, value };
    out.push(RelativeDistinguishedName::try_from(vec![attribute]).map_err(refused)?);
    Ok(())
}

/// Refuses names that are not text: empty RDNs, or a value of a string type that does not decode.
pub(crate) fn check(name: &RdnSequence) -> Result<(), CertificateError> {
    for rdn in name.iter() {
        if rdn.is_empty() {
            return Err(CertificateError::malformed("a name has an empty component"));
        }
        if rdn
            .iter()
            .any(|attribute| is_string(attribute.value.tag()) && text(&attribute.value).is_none())
        {
            return Err(CertificateError::malformed("a name is not valid text"));
        }
    }
    Ok(())
}

/// All values of one attribute, in the order of the name.
pub(crate) fn values(name: &RdnSequence, attribute: Attribute) -> Vec<String> {
    name.iter()
        .flat_map(RelativeDistinguishedName::iter)
        .filter(|value| value.oid == attribute.oid)
        .filter_map(|value| text(&value.value))
        .collect()
}

/// One attribute of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAttribute {
    /// Index of the RDN that holds it, in the order of the certificate.
    pub rdn: usize,
    /// Whether that RDN holds other attributes too.
    pub multi_valued: bool,
    /// The attribute's type in dotted form.
    pub oid: String,
    /// Its short name (RFC 4514 §3), if it has one.
    pub short_name: Option<&'static str>,
    /// Its value, if it is text; control characters are as found.
    pub value: Option<String>,
}

/// The attributes one by one, in the order of the name.
pub(crate) fn attributes(name: &RdnSequence) -> Vec<NameAttribute> {
    let mut out = Vec::new();
    for (rdn, component) in name.iter().enumerate() {
        for attribute in component.iter() {
            out.push(NameAttribute {
                rdn,
                multi_valued: component.len() > 1,
                oid: attribute.oid.to_string(),
                short_name: short_name(&attribute.oid),
                value: text(&attribute.value),
            });
        }
    }
    out
}

fn short_name(oid: &ObjectIdentifier) -> Option<&'static str> {
    ATTRIBUTES.iter().find(|known| known.oid == *oid).map(|known| known.short)
}

/// RFC 4514 §2: last RDN first, `,` between RDNs, `+` inside one.
pub(crate) fn to_text(name: &RdnSequence) -> String {
    let mut out = String::new();
    let rdns: Vec<_> = name.iter().collect();
    for (index, rdn) in rdns.into_iter().rev().enumerate() {
        if index > 0 {
            out.push(',');
        }
        for (index, attribute) in rdn.iter().enumerate() {
            if index > 0 {
                out.push('+');
            }
            write_attribute(&mut out, attribute);
        }
    }
    out
}

fn write_attribute(out: &mut String, attribute: &AttributeTypeAndValue) {
    let known = ATTRIBUTES.iter().find(|known| known.oid == attribute.oid);
    match (known, text(&attribute.value)) {
        (Some(known), Some(value)) => {
            out.push_str(known.short);
            out.push('=');
            write_escaped(out, &value);
        }
        // RFC 4514 §2.4: a type without a short name is written as its OID and the value in hexadecimal.
        _ => {
            let _ = write!(out, "{}=#", attribute.oid);
            for byte in attribute.value.to_der().unwrap_or_default() {
                let _ = write!(out, "{byte:02x}");
            }
        }
    }
}

/// RFC 4514 §2.4; control characters are escaped too, so that a name cannot forge a line of a log or a terminal.
fn write_escaped(out: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (index, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => out.extend(['\\', character]),
            '#' if index == 0 => out.push_str("\\#"),
            ' ' if index == 0 || index == last => out.push_str("\\ "),
            _ if character.is_control() => {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    let _ = write!(out, "\\{byte:02x}");
                }
            }
            _ => out.push(character),
        }
    }
}

const fn is_string(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Utf8String
            | Tag::PrintableString
            | Tag::Ia5String
            | Tag::TeletexString
            | Tag::BmpString
    )
}

pub(crate) fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.to_string()),
        Tag::PrintableString => {
            value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.to_string())
        }
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok().map(|text| text.to_string()),
        Tag::TeletexString => {
            value.decode_as::<TeletexStringRef<'_>>().ok().map(|text| text.to_string())
        }
        Tag::BmpString => value.decode_as::<BmpString>().ok().map(|text| text.to_string()),
        _ => None,
    }
}

/// An attribute type with its short name (RFC 4514 §3) and upper bound (RFC 5280 appendix A.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) oid: ObjectIdentifier,
    pub(crate) short: &'static str,
    chars_max: usize,
}

/// The attribute of a short name such as `OU`, in capitals.
pub(crate) fn by_short_name(short: &str) -> Option<Attribute> {
    ATTRIBUTES.iter().find(|known| known.short == short).copied()
}

const fn attribute(oid: &str, short: &'static str, chars_max: usize) -> Attribute {
    Attribute { oid: ObjectIdentifier::new_unwrap(oid), short, chars_max }
}

pub(crate) const COMMON_NAME: Attribute = attribute("2.5.4.3", "CN", 64);
pub(crate) const ORGANISATION: Attribute = attribute("2.5.4.10", "O", 64);
pub(crate) const UNIT: Attribute = attribute("2.5.4.11", "OU", 64);
const COUNTRY: Attribute = attribute("2.5.4.6", "C", 2);
const STATE: Attribute = attribute("2.5.4.8", "ST", 128);
const LOCALITY: Attribute = attribute("2.5.4.7", "L", 128);
const ATTRIBUTES: [Attribute; 9] = [
    COMMON_NAME,
    LOCALITY,
    STATE,
    ORGANISATION,
    UNIT,
    COUNTRY,
    attribute("2.5.4.9", "STREET", 128),
    attribute("0.9.2342.19200300.100.1.25", "DC", 64),
    attribute("0.9.2342.19200300.100.1.1", "UID", 64),
];

#[cfg(test)]
mod tests;
