//! A seal and its fields.

use std::fmt;

use smkit::{Sm3Digest, sm2::Signature, sm3};

use super::read;
use crate::{Certificate, FormError, TimeStampToken};

/// The edition of a seal's structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SealVersion {
    /// GM/T 0031-2014, as its first version has it.
    V1,
    /// GB/T 38540-2020.
    V4,
    /// GM/T 0031-2025, in force from 2026-07-01.
    V5,
}

/// Whose seal it is; other numbers occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SealedAs {
    /// An organisation's (单位): 1.
    Organisation,
    /// A person's (个人): 2.
    Person,
    /// Something that the standard does not name.
    Other(u8),
}

/// Who may sign with a seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealSigners {
    /// Holders of these certificates.
    Certificates(Vec<Certificate>),
    /// Holders of the certificates with these SM3 digests.
    Digests(Vec<Sm3Digest>),
}

/// What a seal looks like.
#[derive(Clone, PartialEq, Eq)]
pub struct SealPicture {
    /// `PNG`, `GIF`, `OFD`, …
    pub kind: String,
    /// The file.
    pub data: Vec<u8>,
    /// Width in millimetres.
    pub width_mm: u32,
    /// Height in millimetres.
    pub height_mm: u32,
}

/// An electronic seal (电子印章), `SESeal`.
///
/// Parsing proves form, not origin: see [`Seal::verify`]. Equality is equality of the DER bytes.
#[derive(Clone)]
pub struct Seal {
    pub(super) der: Vec<u8>,
    /// What the maker signed.
    pub(super) signed: Vec<u8>,
    pub(super) version: SealVersion,
    pub(super) id: String,
    pub(super) vendor: String,
    pub(super) sealed_as: SealedAs,
    pub(super) name: String,
    pub(super) signers: SealSigners,
    pub(super) created: i64,
    pub(super) valid_from: i64,
    pub(super) valid_to: i64,
    pub(super) picture: SealPicture,
    pub(super) maker: Certificate,
    pub(super) signature: Signature,
    /// The signature's bytes, which a time stamp is over.
    pub(super) signature_der: Vec<u8>,
    pub(super) time_stamp: Option<TimeStampToken>,
}

impl Seal {
    /// Parses DER strictly, of versions 1, 4 and 5; untagged and tagged extensions and an explicit FALSE are accepted.
    ///
    /// # Errors
    /// See [`FormError`]; algorithms other than SM2-with-SM3 are refused by name.
    pub fn from_der(der: &[u8]) -> Result<Self, FormError> {
        read::seal(der)
    }

    /// The exact bytes parsed.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Which edition.
    #[must_use]
    pub const fn version(&self) -> SealVersion {
        self.version
    }

    /// The seal's code (印章编码).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who made the software that made it.
    #[must_use]
    pub fn vendor(&self) -> &str {
        &self.vendor
    }

    /// Whose seal it is.
    #[must_use]
    pub const fn sealed_as(&self) -> SealedAs {
        self.sealed_as
    }

    /// The seal's name (印章名称).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who may sign with it.
    #[must_use]
    pub const fn signers(&self) -> &SealSigners {
        &self.signers
    }

    /// When it was made, seconds since 1970.
    #[must_use]
    pub const fn created(&self) -> i64 {
        self.created
    }

    /// First second of its validity.
    #[must_use]
    pub const fn valid_from(&self) -> i64 {
        self.valid_from
    }

    /// Last second of its validity.
    #[must_use]
    pub const fn valid_to(&self) -> i64 {
        self.valid_to
    }

    /// What it looks like.
    #[must_use]
    pub const fn picture(&self) -> &SealPicture {
        &self.picture
    }

    /// The maker's certificate (制章者).
    #[must_use]
    pub const fn maker(&self) -> &Certificate {
        &self.maker
    }

    /// The time stamp over the maker's signature (version 5).
    #[must_use]
    pub const fn time_stamp(&self) -> Option<&TimeStampToken> {
        self.time_stamp.as_ref()
    }

    /// What a time stamp of this seal is over.
    #[must_use]
    pub fn imprint(&self) -> Sm3Digest {
        sm3(&self.signature_der)
    }

    /// Whether the seal may be used by who holds this certificate.
    #[must_use]
    pub fn is_for(&self, signer: &Certificate) -> bool {
        match &self.signers {
            SealSigners::Certificates(list) => list.contains(signer),
            SealSigners::Digests(list) => list.contains(&signer.sm3()),
        }
    }
}

impl PartialEq for Seal {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Seal {}

impl fmt::Debug for Seal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Seal")
            .field("version", &self.version)
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SealPicture {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SealPicture")
            .field("kind", &self.kind)
            .field("data_bytes", &self.data.len())
            .field("width_mm", &self.width_mm)
            .field("height_mm", &self.height_mm)
            .finish()
    }
}

impl SealVersion {
    /// The number in the structure.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V4 => 4,
            Self::V5 => 5,
        }
    }
}

impl SealedAs {
    /// The number in the structure.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Organisation => 1,
            Self::Person => 2,
            Self::Other(number) => number,
        }
    }

    pub(super) const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Organisation,
            2 => Self::Person,
            other => Self::Other(other),
        }
    }
}
