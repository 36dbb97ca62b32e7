//! The ASN.1 shape of messages (GB/T 35275-2017 §8, §9; RFC 5652 §5), used for reading and writing alike.

use der::{
    Sequence,
    asn1::{Any, ObjectIdentifier, OctetString, SetOfVec, Uint},
};
use spki::AlgorithmIdentifierOwned;
use x509_cert::{attr::Attribute, name::RdnSequence};

use crate::{Certificate, unsorted::Unsorted};

/// `ContentInfo` with a `SignedData`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct SignedMessage {
    pub(super) kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) content: Signed,
}

/// `ContentInfo` with an `EnvelopedData`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct EnvelopedMessage {
    pub(super) kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) content: Enveloped,
}

/// `SignedData`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Signed {
    pub(super) version: u8,
    pub(super) digests: Unsorted<AlgorithmIdentifierOwned>,
    pub(super) content: SignedContent,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(super) certificates: Option<Unsorted<Any>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(super) lists: Option<Unsorted<Any>>,
    pub(super) signers: Unsorted<SignerInfo>,
}

/// `contentInfo` of GB/T 35275, `EncapsulatedContentInfo` of RFC 5652.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct SignedContent {
    pub(super) kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) content: Option<OctetString>,
}

/// `SignerInfo`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct SignerInfo {
    pub(super) version: u8,
    pub(super) signer: IssuerAndSerial,
    pub(super) digest: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(super) attributes: Option<SetOfVec<Attribute>>,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) signature: OctetString,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    pub(super) unsigned: Option<Unsorted<Attribute>>,
}

/// `IssuerAndSerialNumber`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(crate) struct IssuerAndSerial {
    pub(super) issuer: RdnSequence,
    pub(super) serial: Uint,
}

impl IssuerAndSerial {
    pub(crate) fn of(certificate: &Certificate) -> der::Result<Self> {
        let serial = certificate.serial().to_asn1()?;
        Ok(Self { issuer: certificate.issuer_name().clone(), serial })
    }

    pub(crate) fn names(&self, certificate: &Certificate) -> bool {
        self.issuer == *certificate.issuer_name()
            && self.serial.as_bytes() == certificate.serial().as_bytes()
    }
}

/// `EnvelopedData`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Enveloped {
    pub(super) version: u8,
    pub(super) recipients: Unsorted<RecipientInfo>,
    pub(super) content: EncryptedContent,
}

/// `RecipientInfo`, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct RecipientInfo {
    pub(super) version: u8,
    pub(super) recipient: IssuerAndSerial,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) key: OctetString,
}

/// `EncryptedContentInfo` without the shared information of GB/T 35275 §9.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct EncryptedContent {
    pub(super) kind: ObjectIdentifier,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    pub(super) content: OctetString,
}
