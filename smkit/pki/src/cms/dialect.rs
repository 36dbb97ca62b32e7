//! Which identifiers and versions stand in a message.

use der::asn1::ObjectIdentifier;

use crate::form::Form;

/// What distinguishes GB/T 35275 from RFC 5652.
pub(crate) struct Dialect {
    /// How refusals call it.
    pub(crate) form: Form,
    /// `ContentInfo.contentType`.
    pub(super) kind: ObjectIdentifier,
    /// What is signed.
    pub(crate) content: ObjectIdentifier,
    pub(super) version: u8,
    /// `SignerInfo.digestEncryptionAlgorithm`.
    pub(super) signature: ObjectIdentifier,
    /// Whether signatures must cover attributes rather than the content itself (RFC 3161 §2.4.2).
    pub(super) attributes_required: bool,
}

/// GB/T 35275-2017. GmSSL 3.3 writes 1.2.156.10197.1.501 for the signature algorithm and leaves ZA out of the digest: a
/// dialect of its own, which is refused.
pub(super) const GB_T_35275: Dialect = Dialect {
    form: Form("signed message"),
    kind: oid("1.2.156.10197.6.1.4.2.2"),
    content: DATA,
    version: 1,
    signature: oid(smkit::oid::SM2_SIGNATURE),
    attributes_required: false,
};

/// Time-stamp tokens: CMS proper with `id-ct-TSTInfo` inside (RFC 3161 §2.4.2).
pub(crate) const TIME_STAMP: Dialect = Dialect {
    form: Form("time-stamp token"),
    kind: oid("1.2.840.113549.1.7.2"),
    content: oid("1.2.840.113549.1.9.16.1.4"),
    version: 3,
    signature: crate::asn1::SM2_WITH_SM3,
    attributes_required: true,
};

/// `data` of GB/T 35275.
pub(super) const DATA: ObjectIdentifier = oid("1.2.156.10197.6.1.4.2.1");
/// `envelopedData` of GB/T 35275.
pub(super) const ENVELOPED: ObjectIdentifier = oid("1.2.156.10197.6.1.4.2.3");

const fn oid(dotted: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(dotted)
}
