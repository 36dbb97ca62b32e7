//! Signed attributes (RFC 5652 §11).

use der::{
    Decode, Encode,
    asn1::{Any, ObjectIdentifier, OctetString, SetOfVec},
};
use smkit::{Sm3Digest, sm3};
use x509_cert::{attr::Attribute, time::Time};

use crate::{
    FormError,
    asn1::{to_time, unix_seconds},
    form::Form,
};

/// The attributes a signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    set: SetOfVec<Attribute>,
    digest: Sm3Digest,
    signing_time: Option<i64>,
}

impl Attributes {
    /// Attributes of a content to be signed.
    pub(crate) fn new(
        content_kind: ObjectIdentifier,
        content: &[u8],
        signing_time: Option<i64>,
        further: Vec<Attribute>,
    ) -> der::Result<Self> {
        let digest = sm3(content);
        let mut set = SetOfVec::try_from(further)?;
        set.insert(attribute(CONTENT_TYPE, &content_kind)?)?;
        let octets = OctetString::new(digest.as_bytes().as_slice())?;
        set.insert(attribute(MESSAGE_DIGEST, &octets)?)?;
        // A time outside 1970 to 9999 cannot be written, and is left out by nobody's wish.
        let time = signing_time.map(|at| to_time(at).ok_or(der::ErrorKind::DateTime));
        if let Some(time) = time.transpose()? {
            set.insert(attribute(SIGNING_TIME, &time)?)?;
        }
        Ok(Self { set, digest, signing_time })
    }

    /// Reads attributes; content type and digest must be there, no type twice.
    pub(super) fn read(
        form: Form,
        set: SetOfVec<Attribute>,
        content_kind: ObjectIdentifier,
    ) -> Result<Self, FormError> {
        if set.len() > ATTRIBUTES_MAX {
            return Err(form.too_large(set.len()));
        }
        for (index, one) in set.iter().enumerate() {
            if set.iter().take(index).any(|earlier| earlier.oid == one.oid) {
                return Err(form.malformed("a signed attribute is repeated"));
            }
        }
        let kind: ObjectIdentifier = required(form, &set, CONTENT_TYPE)?;
        if kind != content_kind {
            return Err(form.malformed("the attribute contentType names another content"));
        }
        let digest: OctetString = required(form, &set, MESSAGE_DIGEST)?;
        let digest = Sm3Digest::from_slice(digest.as_bytes())
            .map_err(|_| form.malformed("the attribute messageDigest has not 32 bytes"))?;
        let signing_time = optional::<Time>(form, &set, SIGNING_TIME)?.map(unix_seconds);
        Ok(Self { set, digest, signing_time })
    }

    /// The value of a further attribute.
    pub(crate) fn value<T>(&self, form: Form, oid: ObjectIdentifier) -> Result<Option<T>, FormError>
    where
        T: for<'a> Decode<'a, Error = der::Error> + Encode,
    {
        optional(form, &self.set, oid)
    }

    /// What is signed: the attributes as a `SET OF` (RFC 5652 §5.4).
    pub(super) fn signed_bytes(&self) -> der::Result<Vec<u8>> {
        self.set.to_der()
    }

    pub(super) fn is_of(&self, content: &[u8]) -> bool {
        self.digest == sm3(content)
    }

    pub(super) const fn signing_time(&self) -> Option<i64> {
        self.signing_time
    }

    pub(super) fn into_set(self) -> SetOfVec<Attribute> {
        self.set
    }
}

/// Whether content could pass for signed attributes. A signature covers either one or the other and does not say which, so
/// such content must not be signed, or believed to be signed, as content. Told by its first byte, the tag of a set, and the
/// type that no signed attributes are without; a text with both by chance can be signed with attributes.
pub(super) fn is_attributes(content: &[u8]) -> bool {
    let digest = MESSAGE_DIGEST.as_bytes();
    content.first() == Some(&SET) && content.windows(digest.len()).any(|window| window == digest)
}

/// An attribute with one value.
pub(crate) fn attribute(oid: ObjectIdentifier, value: &impl Encode) -> der::Result<Attribute> {
    let value = Any::from_der(&value.to_der()?)?;
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![value])? })
}

fn required<T>(form: Form, set: &SetOfVec<Attribute>, oid: ObjectIdentifier) -> Result<T, FormError>
where
    T: for<'a> Decode<'a, Error = der::Error> + Encode,
{
    optional(form, set, oid)?.ok_or_else(|| form.malformed(format!("no signed attribute {oid}")))
}

fn optional<T>(
    form: Form,
    set: &SetOfVec<Attribute>,
    oid: ObjectIdentifier,
) -> Result<Option<T>, FormError>
where
    T: for<'a> Decode<'a, Error = der::Error> + Encode,
{
    let Some(found) = set.iter().find(|attribute| attribute.oid == oid) else { return Ok(None) };
    let mut values = found.values.iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(form.malformed(format!("signed attribute {oid} has not one value")));
    };
    let der = value.to_der().map_err(|error| form.der(&error))?;
    form.strict(&der).map(Some)
}

/// The tag of a `SET OF`.
const SET: u8 = 0x31;
/// Most signed attributes.
const ATTRIBUTES_MAX: usize = 64;
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
