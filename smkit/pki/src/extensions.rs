//! The extensions this crate evaluates.

use const_oid::db::rfc5280;
use der::{
    Decode, Encode, Tag, Tagged,
    asn1::{Any, Ia5String, ObjectIdentifier, PrintableStringRef, Utf8StringRef},
};
use x509_cert::ext::{
    Extension,
    pkix::{
        self, AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier,
        BasicConstraints, CrlDistributionPoints, SubjectAltName, SubjectKeyIdentifier,
        crl::dp::DistributionPoint,
        name::{DistributionPointName, GeneralName},
    },
};

use crate::{
    AlternativeNames, ExtendedKeyUsage, KeyUsage, asn1::ORGANISATION_CODE,
    certificate::CertificateError,
};

/// The evaluated extensions of one certificate.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) ca: bool,
    pub(crate) path_length: Option<u8>,
    pub(crate) key_usage: KeyUsage,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    pub(crate) authority_key_id: Option<Vec<u8>>,
    pub(crate) organisation_code: Option<String>,
    pub(crate) extended_key_usage: Option<ExtendedKeyUsage>,
    pub(crate) alternative_names: Option<AlternativeNames>,
    /// Where the issuer's revocation list is: URIs of cRLDistributionPoints.
    pub(crate) crl_uris: Vec<String>,
    /// Where its OCSP responder is: URIs of authorityInfoAccess.
    pub(crate) ocsp_uris: Vec<String>,
    /// id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
    pub(crate) ocsp_no_check: bool,
    /// The first critical extension that is not evaluated; refuses every chain through this certificate.
    pub(crate) unknown_critical: Option<ObjectIdentifier>,
}

impl Extensions {
    /// Reads a list without repetitions; every known extension must be in its only DER form.
    pub(crate) fn read(list: &[Extension]) -> Result<Self, CertificateError> {
        if list.len() > EXTENSIONS_MAX {
            return Err(CertificateError::malformed("too many extensions"));
        }
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
            rfc5280::ID_CE_BASIC_CONSTRAINTS => {
                let constraints: BasicConstraints = strict(value)?;
                self.ca = constraints.ca;
                self.path_length = constraints.path_len_constraint;
            }
            rfc5280::ID_CE_KEY_USAGE => {
                let usage: pkix::KeyUsage = strict(value)?;
                self.key_usage = KeyUsage::from_bits(usage.0.bits());
            }
            rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER => {
                let id: SubjectKeyIdentifier = strict(value)?;
                self.subject_key_id = Some(id.0.as_bytes().to_vec());
            }
            rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER => {
                let id: AuthorityKeyIdentifier = strict(value)?;
                self.authority_key_id = id.key_identifier.map(|id| id.as_bytes().to_vec());
            }
            rfc5280::ID_CE_EXT_KEY_USAGE => {
                let pkix::ExtendedKeyUsage(oids) = strict(value)?;
                if oids.is_empty() {
                    return Err(CertificateError::malformed("an empty extended key usage"));
                }
                let critical = extension.critical;
                self.extended_key_usage = Some(ExtendedKeyUsage { critical, oids });
            }
            rfc5280::ID_CE_SUBJECT_ALT_NAME => {
                let names: SubjectAltName = strict(value)?;
                self.alternative_names = Some(AlternativeNames::read(&names)?);
            }
            rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS => {
                let points: CrlDistributionPoints = strict(value)?;
                self.crl_uris = points.0.iter().flat_map(crl_uris).collect();
            }
            rfc5280::ID_PE_AUTHORITY_INFO_ACCESS => {
                let access: AuthorityInfoAccessSyntax = strict(value)?;
                self.ocsp_uris = access.0.iter().filter_map(ocsp_uri).collect();
            }
            OCSP_NO_CHECK => {
                strict::<der::asn1::Null>(value)?;
                self.ocsp_no_check = true;
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
        out.push(entry(rfc5280::ID_CE_BASIC_CONSTRAINTS, true, &constraints)?);
    }
    let usage = extensions.key_usage.to_asn1();
    out.push(entry(rfc5280::ID_CE_KEY_USAGE, true, &usage)?);
    if let Some(id) = &extensions.subject_key_id {
        let id = SubjectKeyIdentifier(der::asn1::OctetString::new(id.as_slice())?);
        out.push(entry(rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER, false, &id)?);
    }
    if let Some(id) = &extensions.authority_key_id {
        let id = AuthorityKeyIdentifier {
            key_identifier: Some(der::asn1::OctetString::new(id.as_slice())?),
            ..AuthorityKeyIdentifier::default()
        };
        out.push(entry(rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER, false, &id)?);
    }
    if let Some(usage) = &extensions.extended_key_usage {
        let value = pkix::ExtendedKeyUsage(usage.oids.clone());
        out.push(entry(rfc5280::ID_CE_EXT_KEY_USAGE, usage.critical, &value)?);
    }
    if let Some(names) = &extensions.alternative_names {
        out.push(alternative_names(names)?);
    }
    if !extensions.crl_uris.is_empty() {
        let points = extensions.crl_uris.iter().map(|uri| distribution_point(uri));
        let points = CrlDistributionPoints(points.collect::<der::Result<_>>()?);
        out.push(entry(rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS, false, &points)?);
    }
    if !extensions.ocsp_uris.is_empty() {
        let access = extensions.ocsp_uris.iter().map(|uri| {
            let access_location = uri_name(uri)?;
            Ok(AccessDescription { access_method: rfc5280::ID_AD_OCSP, access_location })
        });
        let access = AuthorityInfoAccessSyntax(access.collect::<der::Result<_>>()?);
        out.push(entry(rfc5280::ID_PE_AUTHORITY_INFO_ACCESS, false, &access)?);
    }
    if extensions.ocsp_no_check {
        out.push(entry(OCSP_NO_CHECK, false, &der::asn1::Null)?);
    }
    if let Some(code) = &extensions.organisation_code {
        out.push(entry(ORGANISATION_CODE, false, &PrintableStringRef::new(code)?)?);
    }
    Ok(out)
}

/// A subjectAltName on its own, as in a request.
pub(crate) fn alternative_names(names: &AlternativeNames) -> der::Result<Extension> {
    entry(rfc5280::ID_CE_SUBJECT_ALT_NAME, false, &names.to_asn1()?)
}

fn entry(id: ObjectIdentifier, critical: bool, value: &impl Encode) -> der::Result<Extension> {
    let extn_value = der::asn1::OctetString::new(value.to_der()?)?;
    Ok(Extension { extn_id: id, critical, extn_value })
}

fn crl_uris(point: &DistributionPoint) -> Vec<String> {
    match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => names.iter().filter_map(uri).collect(),
        _ => Vec::new(),
    }
}

fn ocsp_uri(access: &AccessDescription) -> Option<String> {
    (access.access_method == rfc5280::ID_AD_OCSP).then(|| uri(&access.access_location)).flatten()
}

fn uri(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str().to_owned()),
        _ => None,
    }
}

fn uri_name(uri: &str) -> der::Result<GeneralName> {
    Ia5String::new(uri).map(GeneralName::UniformResourceIdentifier)
}

fn distribution_point(uri: &str) -> der::Result<DistributionPoint> {
    let name = DistributionPointName::FullName(vec![uri_name(uri)?]);
    Ok(DistributionPoint { distribution_point: Some(name), reasons: None, crl_issuer: None })
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

/// id-pkix-ocsp-nocheck.
const OCSP_NO_CHECK: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");
const EXTENSIONS_MAX: usize = 64;
