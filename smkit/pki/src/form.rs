//! Strict reading, alike for every structure: bounded, DER only, national algorithms only.

use der::{
    Decode, Encode,
    asn1::{ObjectIdentifier, OctetString},
};
use smkit::sm2::{Signature, SignatureError};
use spki::AlgorithmIdentifierOwned;
use x509_cert::ext::Extension;

use crate::{
    CertificateError, algorithm,
    reasons::{self, Reason, speak},
    shape,
};

/// Why bytes are not the structure that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormError {
    /// Not DER, another structure, or a field outside its rules.
    Malformed {
        /// What was to be read.
        what: &'static str,
        /// Byte offset where decoding stopped, if known.
        offset: Option<u32>,
        /// What is wrong.
        reason: String,
    },
    /// More bytes, or more entries, than its bound.
    TooLarge {
        /// What was to be read.
        what: &'static str,
        /// Size received.
        size: usize,
    },
    /// An algorithm outside the national suite, or another than this place demands.
    Algorithm {
        /// What was to be read.
        what: &'static str,
        /// The algorithm found.
        oid: String,
        /// What people call it.
        name: &'static str,
    },
    /// A certificate inside is none.
    Certificate(CertificateError),
}

impl FormError {
    /// Code, kind and sentences of this refusal.
    #[must_use]
    pub const fn reason(&self) -> &'static Reason {
        match self {
            Self::Malformed { .. } => reasons::FORM_MALFORMED,
            Self::TooLarge { .. } => reasons::FORM_TOO_LARGE,
            Self::Algorithm { .. } => reasons::FORM_ALGORITHM,
            Self::Certificate(error) => error.reason(),
        }
    }

    pub(crate) fn facts(&self) -> Vec<String> {
        match self {
            Self::Malformed { what, offset: Some(offset), reason } => {
                vec![(*what).to_owned(), format!("{reason} (byte {offset})")]
            }
            Self::Malformed { what, offset: None, reason } => {
                vec![(*what).to_owned(), reason.clone()]
            }
            Self::TooLarge { what, size } => vec![(*what).to_owned(), size.to_string()],
            Self::Algorithm { what, oid, name } => {
                vec![(*what).to_owned(), oid.clone(), (*name).to_owned()]
            }
            Self::Certificate(error) => error.facts(),
        }
    }
}

speak!(FormError);

impl From<CertificateError> for FormError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}

/// Reads one kind of structure; carries its name into every refusal.
#[derive(Clone, Copy)]
pub(crate) struct Form(pub(crate) &'static str);

impl Form {
    /// Decodes bytes that must be equal to their own encoding.
    pub(crate) fn read<'a, T>(self, der: &'a [u8], bytes_max: usize) -> Result<T, FormError>
    where
        T: Decode<'a, Error = der::Error> + Encode,
    {
        self.read_long(der, bytes_max, ELEMENTS_MAX)
    }

    /// [`Form::read`] for a part of something whose size was checked.
    pub(crate) fn strict<'a, T>(self, der: &'a [u8]) -> Result<T, FormError>
    where
        T: Decode<'a, Error = der::Error> + Encode,
    {
        self.read_long(der, usize::MAX, ELEMENTS_MAX)
    }

    /// [`Form::read`] for a structure with more elements in one place than most have.
    pub(crate) fn read_long<'a, T>(
        self,
        der: &'a [u8],
        bytes_max: usize,
        elements_max: usize,
    ) -> Result<T, FormError>
    where
        T: Decode<'a, Error = der::Error> + Encode,
    {
        if der.len() > bytes_max {
            return Err(self.too_large(der.len()));
        }
        shape::check(der, elements_max).map_err(|reason| self.malformed(reason))?;
        let decoded = T::from_der(der).map_err(|error| self.der(&error))?;
        if decoded.to_der().map_err(|error| self.der(&error))? == der {
            Ok(decoded)
        } else {
            Err(self.malformed("not the DER form of its content"))
        }
    }

    /// Extensions of a list that is absent or not empty, none of them twice, not more than 16.
    pub(crate) fn extensions(self, list: Option<&[Extension]>) -> Result<&[Extension], FormError> {
        let list = match list {
            None => return Ok(&[]),
            Some([]) => return Err(self.malformed("an empty list of extensions")),
            Some(list) => list,
        };
        if list.len() > EXTENSIONS_MAX {
            return Err(self.too_large(list.len()));
        }
        for (index, extension) in list.iter().enumerate() {
            if list.iter().take(index).any(|earlier| earlier.extn_id == extension.extn_id) {
                return Err(self.malformed("an extension is repeated"));
            }
        }
        Ok(list)
    }

    /// Passes over an extension that is not evaluated, unless it is critical.
    pub(crate) fn pass_over(self, extension: &Extension) -> Result<(), FormError> {
        if extension.critical {
            let id = extension.extn_id;
            return Err(self.malformed(format!("unknown critical extension {id}")));
        }
        Ok(())
    }

    /// Takes the one block of a PEM text with this label.
    pub(crate) fn pem(self, label: &str, pem: &str) -> Result<Vec<u8>, FormError> {
        match pem_rfc7468::decode_vec(pem.trim().as_bytes()) {
            Ok((found, der)) if found == label => Ok(der),
            Ok(_) => Err(self.malformed("a PEM block with another label")),
            Err(_) => Err(self.malformed("not exactly one PEM block")),
        }
    }

    pub(crate) fn sm2_with_sm3(self, found: &AlgorithmIdentifierOwned) -> Result<(), FormError> {
        self.expect(found, crate::asn1::SM2_WITH_SM3)
    }

    pub(crate) fn sm3(self, found: &AlgorithmIdentifierOwned) -> Result<(), FormError> {
        self.expect(found, crate::asn1::SM3)
    }

    /// Demands one algorithm, with parameters absent or NULL.
    pub(crate) fn expect(
        self,
        found: &AlgorithmIdentifierOwned,
        expected: ObjectIdentifier,
    ) -> Result<(), FormError> {
        if found.oid != expected {
            return Err(self.algorithm(&found.oid));
        }
        if algorithm::parameters_absent_or_null(found) {
            Ok(())
        } else {
            Err(self.malformed("an algorithm with parameters it does not have"))
        }
    }

    /// The signature in a BIT STRING.
    pub(crate) fn signature(self, bits: &der::asn1::BitString) -> Result<Signature, FormError> {
        let bytes =
            bits.as_bytes().ok_or_else(|| self.malformed("a signature with unused bits"))?;
        self.signature_octets(bytes)
    }

    pub(crate) fn signature_octets(self, bytes: &[u8]) -> Result<Signature, FormError> {
        Signature::from_der(bytes)
            .map_err(|error: SignatureError| self.malformed(error.to_string()))
    }

    pub(crate) fn algorithm(self, oid: &ObjectIdentifier) -> FormError {
        FormError::Algorithm { what: self.0, oid: oid.to_string(), name: algorithm::name(oid) }
    }

    pub(crate) fn malformed(self, reason: impl Into<String>) -> FormError {
        FormError::Malformed { what: self.0, offset: None, reason: reason.into() }
    }

    pub(crate) const fn too_large(self, size: usize) -> FormError {
        FormError::TooLarge { what: self.0, size }
    }

    pub(crate) fn der(self, error: &der::Error) -> FormError {
        let offset = error.position().map(u32::from);
        FormError::Malformed { what: self.0, offset, reason: error.kind().to_string() }
    }
}

/// An extension that is not critical.
pub(crate) fn extension(id: ObjectIdentifier, value: &impl Encode) -> der::Result<Extension> {
    let extn_value = OctetString::new(value.to_der()?)?;
    Ok(Extension { extn_id: id, critical: false, extn_value })
}

const EXTENSIONS_MAX: usize = 16;
/// Most elements in one place of most structures.
const ELEMENTS_MAX: usize = 256;
