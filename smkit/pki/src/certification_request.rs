//! Requests for certificates (PKCS#10, GM/T 0092-2020 §6).

use std::fmt;

use der::{
    Encode, Sequence,
    asn1::{Any, BitString, ObjectIdentifier, SetOfVec, Uint},
};
use smkit::sm2::{PublicKey, SignerId, SigningKey, VerifyingKey};
use spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::{attr::Attribute, ext::Extension, name::RdnSequence};

use crate::{
    AlternativeNames, DistinguishedName, FormError,
    asn1::{self, sm2_with_sm3},
    extensions::{self, Extensions},
    form::Form,
    limits::REQUEST_BYTES_MAX,
    name,
    reasons::{self, Reason, speak},
};

/// A request for a certificate (证书请求, CSR). What exists has proved possession of its key: the signature, made with
/// the default signer ID, is verified while parsing.
///
/// Of the attributes only the hosts of a requested subjectAltName are read; what else a certificate will say is the
/// authority's decision.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificationRequest {
    der: Vec<u8>,
    subject: DistinguishedName,
    key: PublicKey,
    hosts: AlternativeNames,
}

impl CertificationRequest {
    /// Makes a request; `key` must be bound to [`SignerId::DEFAULT`].
    ///
    /// # Errors
    /// `key` is bound to another ID, or the subject cannot be encoded.
    pub fn create(
        subject: &DistinguishedName,
        key: &SigningKey,
        hosts: &AlternativeNames,
    ) -> Result<Self, CertificationRequestError> {
        let encoding = |error: der::Error| FORM.der(&error);
        let public = key.verifying_key().public_key();
        let info = info(subject, public, hosts).map_err(encoding)?;
        let signature = key.sign(&info.to_der().map_err(encoding)?).to_der();
        let signature = BitString::from_bytes(&signature).map_err(encoding)?;
        let signed = SignedRequest { info, algorithm: sm2_with_sm3(), signature };
        Self::from_der(&signed.to_der().map_err(encoding)?)
    }

    /// Parses DER strictly and verifies the requester's signature.
    ///
    /// # Errors
    /// See [`CertificationRequestError`].
    pub fn from_der(der: &[u8]) -> Result<Self, CertificationRequestError> {
        let SignedRequest { info, algorithm, signature } = FORM.read(der, REQUEST_BYTES_MAX)?;
        if info.version != Uint::new(&[0]).map_err(|error| FORM.der(&error))? {
            return Err(FORM.malformed("not version 1").into());
        }
        if info.subject.is_empty() {
            return Err(FORM.malformed("an empty name").into());
        }
        name::check(&info.subject).map_err(FormError::from)?;
        let key = asn1::read_key(&info.subject_public_key_info).map_err(FormError::from)?;
        FORM.sm2_with_sm3(&algorithm)?;
        let hosts = requested_hosts(info.attributes.as_ref())?;
        let signature = FORM.signature(&signature)?;
        let signed = info.to_der().map_err(|error| FORM.der(&error))?;
        VerifyingKey::new(key.clone(), SignerId::DEFAULT)
            .ok()
            .and_then(|key| key.verify(&signed, &signature).ok())
            .ok_or(CertificationRequestError::Signature)?;
        Ok(Self { der: der.to_vec(), subject: DistinguishedName(info.subject), key, hosts })
    }

    /// Parses one `CERTIFICATE REQUEST` block (RFC 7468).
    ///
    /// # Errors
    /// Not exactly one block, or as [`CertificationRequest::from_der`].
    pub fn from_pem(pem: &str) -> Result<Self, CertificationRequestError> {
        Self::from_der(&FORM.pem(PEM_LABEL, pem)?)
    }

    /// The PEM form with LF line ends.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let ending = pem_rfc7468::LineEnding::LF;
        // Base64 of at most REQUEST_BYTES_MAX bytes under a constant label cannot fail.
        pem_rfc7468::encode_string(PEM_LABEL, ending, &self.der).unwrap_or_default()
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Who asks, by their own account.
    #[must_use]
    pub const fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The key to be certified; the requester holds its private half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Hosts the certificate is to be for, by the requester's own account.
    #[must_use]
    pub const fn hosts(&self) -> &AlternativeNames {
        &self.hosts
    }
}

impl fmt::Debug for CertificationRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CertificationRequest")
            .field("subject", &self.subject)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificationRequestError {
    /// The bytes are no request.
    Form(FormError),
    /// The requester did not prove possession of the private key.
    Signature,
}

impl CertificationRequestError {
    /// Code, kind and sentences of this refusal.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::Form(error) => error.reason(),
            Self::Signature => reasons::REQUEST_SIGNATURE,
        }
    }

    fn facts(&self) -> Vec<String> {
        match self {
            Self::Form(error) => error.facts(),
            Self::Signature => Vec::new(),
        }
    }
}

speak!(CertificationRequestError);

impl From<FormError> for CertificationRequestError {
    fn from(error: FormError) -> Self {
        Self::Form(error)
    }
}

/// `CertificationRequest` (RFC 2986 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct SignedRequest {
    info: RequestInfo,
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// `CertificationRequestInfo` (RFC 2986 §4.1); some tools leave out an empty list of attributes.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct RequestInfo {
    version: Uint,
    subject: RdnSequence,
    subject_public_key_info: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    attributes: Option<SetOfVec<Attribute>>,
}

fn info(
    subject: &DistinguishedName,
    key: &PublicKey,
    hosts: &AlternativeNames,
) -> der::Result<RequestInfo> {
    let mut attributes = SetOfVec::new();
    if !hosts.is_empty() {
        let wanted = extensions::alternative_names(hosts)?;
        let value = Any::encode_from(&vec![wanted])?;
        let values = SetOfVec::try_from(vec![value])?;
        attributes.insert(Attribute { oid: EXTENSION_REQUEST, values })?;
    }
    Ok(RequestInfo {
        version: Uint::new(&[0])?,
        subject: subject.0.clone(),
        subject_public_key_info: asn1::key_info(key)?,
        attributes: Some(attributes),
    })
}

fn requested_hosts(
    attributes: Option<&SetOfVec<Attribute>>,
) -> Result<AlternativeNames, FormError> {
    let mut wanted = attributes
        .into_iter()
        .flat_map(SetOfVec::iter)
        .filter(|attribute| attribute.oid == EXTENSION_REQUEST);
    let Some(attribute) = wanted.next() else { return Ok(AlternativeNames::default()) };
    let mut values = attribute.values.iter();
    let (Some(value), None, None) = (values.next(), values.next(), wanted.next()) else {
        return Err(FORM.malformed("not exactly one list of extensions"));
    };
    let list: Vec<Extension> = value.decode_as().map_err(|error| FORM.der(&error))?;
    Ok(Extensions::read(&list)?.alternative_names.unwrap_or_default())
}

const FORM: Form = Form("certification request");
const PEM_LABEL: &str = "CERTIFICATE REQUEST";
/// extensionRequest (RFC 2985 §5.4.2).
const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");

#[cfg(test)]
mod tests;
