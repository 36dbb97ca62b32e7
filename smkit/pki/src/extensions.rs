//! The extensions this crate evaluates.

use std::fmt;

use der::{
    Decode, Encode, Tag, Tagged,
    asn1::{Any, ObjectIdentifier, PrintableStringRef, Utf8StringRef},
};
use x509_cert::ext::{
    Extension,
    pkix::{self, AuthorityKeyIdentifier, BasicConstraints, SubjectKeyIdentifier},
};

use crate::{asn1::ORGANISATION_CODE, certificate::CertificateError};

/// What a key may be used for (RFC 5280 §4.2.1.3); a certificate without the extension may do nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// Bit 0: signatures over data.
    pub const DIGITAL_SIGNATURE: Self = Self(1);
    /// Bit 1: signatures the signer must not be able to deny (content commitment).
    pub const NON_REPUDIATION: Self = Self(1 << 1);
    /// Bit 2: transport of keys.
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 2);
    /// Bit 3: direct encryption of data.
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 3);
    /// Bit 4: key agreement.
    pub const KEY_AGREEMENT: Self = Self(1 << 4);
    /// Bit 5: signatures on certificates.
    pub const KEY_CERT_SIGN: Self = Self(1 << 5);
    /// Bit 6: signatures on revocation lists.
    pub const CRL_SIGN: Self = Self(1 << 6);

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every use in `other` is allowed.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// May sign data.
    #[must_use]
    pub const fn digital_signature(self) -> bool {
        self.contains(Self::DIGITAL_SIGNATURE)
    }

    /// May sign undeniably.
    #[must_use]
    pub const fn non_repudiation(self) -> bool {
        self.contains(Self::NON_REPUDIATION)
    }

    /// May transport keys.
    #[must_use]
    pub const fn key_encipherment(self) -> bool {
        self.contains(Self::KEY_ENCIPHERMENT)
    }

    /// May encrypt data.
    #[must_use]
    pub const fn data_encipherment(self) -> bool {
        self.contains(Self::DATA_ENCIPHERMENT)
    }

    /// May agree on keys.
    #[must_use]
    pub const fn key_agreement(self) -> bool {
        self.contains(Self::KEY_AGREEMENT)
    }

    /// May sign certificates.
    #[must_use]
    pub const fn key_cert_sign(self) -> bool {
        self.contains(Self::KEY_CERT_SIGN)
    }

    /// May sign revocation lists.
    #[must_use]
    pub const fn crl_sign(self) -> bool {
        self.contains(Self::CRL_SIGN)
    }

    /// The bits, bit 0 first as in RFC 5280.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    fn to_asn1(self) -> pkix::KeyUsage {
        pkix::KeyUsage(der::flagset::FlagSet::new_truncated(self.0))
    }
}

impl fmt::Debug for KeyUsage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            (Self::DIGITAL_SIGNATURE, "digitalSignature"),
            (Self::NON_REPUDIATION, "nonRepudiation"),
            (Self::KEY_ENCIPHERMENT, "keyEncipherment"),
            (Self::DATA_ENCIPHERMENT, "dataEncipherment"),
            (Self::KEY_AGREEMENT, "keyAgreement"),
            (Self::KEY_CERT_SIGN, "keyCertSign"),
            (Self::CRL_SIGN, "cRLSign"),
        ];
        out.debug_set()
            .entries(named.iter().filter(|(bit, _)| self.contains(*bit)).map(|(_, name)| name))
            .finish()
    }
}

/// The evaluated extensions of one certificate.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) ca: bool,
    pub(crate) path_length: Option<u8>,
    pub(crate) key_usage: KeyUsage,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    pub(crate) authority_key_id: Option<Vec<u8>>,
    pub(crate) organisation_code: Option<String>,
    /// The first critical extension that is not evaluated; refuses every chain through this certificate.
    pub(crate) unknown_critical: Option<ObjectIdentifier>,
}

impl Extensions {
    /// Reads a list without repetitions; every known extension must be in its only DER form.
    pub(crate) fn read(list: &[Extension]) -> Result<Self, CertificateError> {
        let mut out = Self::default();
        for (index, extension) in list.iter().enumerate() {
            if list.iter().take(index).any(|earlier| earlier.extn_id == extension.extn_id) {
                return Err(CertificateError::malformed("an extension is repeated"));
            }
            out.read_one(extension)?;
        }
        if out.path_length.is_some() && !out.ca {
            return Err(CertificateError::malformed("a path length without cA"));
        }
        Ok(out)
    }

    fn read_one(&mut self, extension: &Extension) -> Result<(), CertificateError> {
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            const_oid::db::rfc5280::ID_CE_BASIC_CONSTRAINTS => {
                let constraints: BasicConstraints = strict(value)?;
                self.ca = constraints.ca;
                self.path_length = constraints.path_len_constraint;
            }
            const_oid::db::rfc5280::ID_CE_KEY_USAGE => {
                let usage: pkix::KeyUsage = strict(value)?;
                self.key_usage = KeyUsage(usage.0.bits());
            }
            const_oid::db::rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER => {
                let id: SubjectKeyIdentifier = strict(value)?;
                self.subject_key_id = Some(id.0.as_bytes().to_vec());
            }
            const_oid::db::rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER => {
                let id: AuthorityKeyIdentifier = strict(value)?;
                self.authority_key_id = id.key_identifier.map(|id| id.as_bytes().to_vec());
            }
            ORGANISATION_CODE => self.organisation_code = Some(read_organisation_code(value)?),
            unknown if extension.critical => {
                self.unknown_critical.get_or_insert(unknown);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Encodes the extensions of a certificate to be issued, in a fixed order.
pub(crate) fn write(extensions: &Extensions) -> der::Result<Vec<Extension>> {
    let mut out = Vec::new();
    if extensions.ca {
        let constraints =
            BasicConstraints { ca: true, path_len_constraint: extensions.path_length };
        out.push(entry(const_oid::db::rfc5280::ID_CE_BASIC_CONSTRAINTS, true, &constraints)?);
    }
    let usage = extensions.key_usage.to_asn1();
    out.push(entry(const_oid::db::rfc5280::ID_CE_KEY_USAGE, true, &usage)?);
    if let Some(id) = &extensions.subject_key_id {
        let id = SubjectKeyIdentifier(der::asn1::OctetString::new(id.as_slice())?);
        out.push(entry(const_oid::db::rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER, false, &id)?);
    }
    if let Some(id) = &extensions.authority_key_id {
        let id = AuthorityKeyIdentifier {
            key_identifier: Some(der::asn1::OctetString::new(id.as_slice())?),
            ..AuthorityKeyIdentifier::default()
        };
        out.push(entry(const_oid::db::rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER, false, &id)?);
    }
    if let Some(code) = &extensions.organisation_code {
        out.push(entry(ORGANISATION_CODE, false, &PrintableStringRef::new(code)?)?);
    }
    Ok(out)
}

fn entry(id: ObjectIdentifier, critical: bool, value: &impl Encode) -> der::Result<Extension> {
    let extn_value = der::asn1::OctetString::new(value.to_der()?)?;
    Ok(Extension { extn_id: id, critical, extn_value })
}

/// Decodes a value that must be equal to its own encoding.
fn strict<'a, T>(value: &'a [u8]) -> Result<T, CertificateError>
where
    T: Decode<'a, Error = der::Error> + Encode,
{
    let decoded = T::from_der(value)?;
    if decoded.to_der()? == value {
        Ok(decoded)
    } else {
        Err(CertificateError::malformed("an extension is not in DER"))
    }
}

/// `PrintableString` by GM/T 0015-2023; `UTF8String` is met in the field.
fn read_organisation_code(value: &[u8]) -> Result<String, CertificateError> {
    let any: Any = strict(value)?;
    let text = match any.tag() {
        Tag::PrintableString => any.decode_as::<PrintableStringRef<'_>>()?.as_str().to_owned(),
        Tag::Utf8String => any.decode_as::<Utf8StringRef<'_>>()?.as_str().to_owned(),
        _ => return Err(CertificateError::malformed("the organisation code is not a string")),
    };
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(CertificateError::malformed("the organisation code is not printable"));
    }
    Ok(text)
}
