//! Names as authorities compare them.

use std::fmt;

use x509_cert::name::RdnSequence;

use crate::{FormError, NameAttribute, Subject, SubjectError, form::Form, name};

/// A distinguished name (甄别名) as it stands in a certificate or request. Equality is equality of the DER bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct DistinguishedName(pub(crate) RdnSequence);

impl DistinguishedName {
    /// Reads a DER `Name`.
    ///
    /// # Errors
    /// Not DER, empty, or a text that does not decode.
    pub fn from_der(der: &[u8]) -> Result<Self, FormError> {
        let form = Form("name");
        let name: RdnSequence = form.read(der, NAME_BYTES_MAX)?;
        if name.is_empty() {
            return Err(form.malformed("an empty name"));
        }
        name::check(&name)?;
        Ok(Self(name))
    }

    /// The DER form.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        // What was decoded, or built from checked fields, can be encoded.
        der::Encode::to_der(&self.0).unwrap_or_default()
    }

    /// The attributes one by one, in the order of the name.
    #[must_use]
    pub fn attributes(&self) -> Vec<NameAttribute> {
        name::attributes(&self.0)
    }
}

impl TryFrom<&Subject> for DistinguishedName {
    type Error = SubjectError;

    fn try_from(subject: &Subject) -> Result<Self, SubjectError> {
        subject.to_rdn_sequence().map(Self)
    }
}

/// RFC 4514; control characters are escaped.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&name::to_text(&self.0))
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

const NAME_BYTES_MAX: usize = 4 * 1024;
