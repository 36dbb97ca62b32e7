//! The ASN.1 shape of seals, used for reading and writing alike.
//!
//! As really emitted, which differs from copies in circulation: certificates are wrapped in OCTET STRING, version 4 has
//! no `signInfo` level, and the extensions of a seal are not tagged.

use der::{
    Sequence,
    asn1::{Any, BitString, Ia5String, ObjectIdentifier, OctetString, PrintableString, UtcTime},
};

use crate::timestamp::GenTime;

/// `SES_Signature` from version 4 on.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Signature {
    pub(super) to_sign: ToSign,
    pub(super) certificate: OctetString,
    pub(super) algorithm: ObjectIdentifier,
    pub(super) signature: BitString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) time_stamp: Option<BitString>,
}

/// `TBS_Sign` from version 4 on.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct ToSign {
    pub(super) version: u8,
    pub(super) seal: Seal,
    pub(super) time: GenTime,
    pub(super) data_hash: BitString,
    pub(super) property: Ia5String,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) extensions: Option<Vec<Extension>>,
}

/// `SESeal` from version 4 on; the time stamp belongs to version 5.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Seal {
    pub(super) info: Info,
    pub(super) certificate: OctetString,
    pub(super) algorithm: ObjectIdentifier,
    pub(super) signature: BitString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) time_stamp: Option<BitString>,
}

/// `SES_SealInfo` from version 4 on. Extensions are untagged in real files; `[0]` is read as well.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Info {
    pub(super) head: Head,
    pub(super) id: Ia5String,
    pub(super) property: Property,
    pub(super) picture: Picture,
    #[asn1(optional = "true")]
    pub(super) extensions: Option<Vec<Extension>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) tagged_extensions: Option<Vec<Extension>>,
}

/// `SES_Header`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Head {
    pub(super) id: Ia5String,
    pub(super) version: u8,
    pub(super) vendor: Ia5String,
}

/// `SES_ESPropertyInfo` from version 4 on.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Property {
    pub(super) kind: u8,
    pub(super) name: String,
    pub(super) list_kind: u8,
    /// Certificates or digests, as `list_kind` says.
    pub(super) list: Any,
    pub(super) created: GenTime,
    pub(super) valid_from: GenTime,
    pub(super) valid_to: GenTime,
}

/// `CertDigestObj`.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct CertificateDigest {
    pub(super) kind: PrintableString,
    pub(super) digest: OctetString,
}

/// `SES_ESPictureInfo`; lengths in millimetres.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Picture {
    pub(super) kind: Ia5String,
    pub(super) data: OctetString,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// `ExtData`; an explicit FALSE, which DER forbids, occurs and is kept.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Extension {
    pub(super) id: ObjectIdentifier,
    #[asn1(optional = "true")]
    pub(super) critical: Option<bool>,
    pub(super) value: OctetString,
}

/// `SES_Signature` of version 1.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct SignatureV1 {
    pub(super) to_sign: ToSignV1,
    pub(super) signature: BitString,
}

/// `TBS_Sign` of version 1, which holds certificate and algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct ToSignV1 {
    pub(super) version: u8,
    pub(super) seal: SealV1,
    /// A `UTCTime`, or a time stamp.
    pub(super) time: BitString,
    pub(super) data_hash: BitString,
    pub(super) property: Ia5String,
    pub(super) certificate: OctetString,
    pub(super) algorithm: ObjectIdentifier,
}

/// `SESeal` of version 1.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct SealV1 {
    pub(super) info: InfoV1,
    pub(super) sign: SignInfoV1,
}

/// `SES_SignInfo` of version 1.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct SignInfoV1 {
    pub(super) certificate: OctetString,
    pub(super) algorithm: ObjectIdentifier,
    pub(super) signature: BitString,
}

/// What the maker signs in version 1.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct SignedV1 {
    pub(super) info: InfoV1,
    pub(super) certificate: OctetString,
    pub(super) algorithm: ObjectIdentifier,
}

/// `SES_SealInfo` of version 1.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct InfoV1 {
    pub(super) head: Head,
    pub(super) id: Ia5String,
    pub(super) property: PropertyV1,
    pub(super) picture: Picture,
    #[asn1(optional = "true")]
    pub(super) extensions: Option<Vec<Extension>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub(super) tagged_extensions: Option<Vec<Extension>>,
}

/// `SES_ESPropertyInfo` of version 1.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct PropertyV1 {
    pub(super) kind: u8,
    pub(super) name: String,
    pub(super) list: Vec<OctetString>,
    pub(super) created: UtcTime,
    pub(super) valid_from: UtcTime,
    pub(super) valid_to: UtcTime,
}
