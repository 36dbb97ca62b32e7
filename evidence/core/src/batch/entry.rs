//! `batch.json`: what one digest of a batch needs besides the record's receipt.

use changbai_merkle::{InclusionProof, PATH_LEN_MAX, ProofError};
use serde::{Deserialize, Serialize, Serializer};
use smkit::sm3::Sm3Digest;

use super::{BatchLeaf, BatchRoot, LeafError};
use crate::{
    canonical::{self, CanonicalError},
    limits::{BATCH_DIGESTS_MAX, BATCH_ENTRY_BYTES_MAX},
};

/// One digest of a batch with its path to the record's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchEntry {
    /// The digest and what was said about it.
    pub leaf: BatchLeaf,
    /// Its place and path.
    pub inclusion: InclusionProof,
}

/// Why bytes are no `batch.json`. Never repeats a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchEntryError {
    /// Not canonical JSON of this shape.
    #[error(transparent)]
    Encoding(#[from] CanonicalError),
    /// A format version other than 1.
    #[error("batch entry format {found} is not known")]
    Format {
        /// The version found.
        found: u64,
    },
    /// A digest that is not 64 lower-case hexadecimal digits.
    #[error("{part} is not 64 lower-case hexadecimal digits")]
    Digest {
        /// Where.
        part: &'static str,
    },
    /// Index, size or length of the path are out of bounds.
    #[error("the place in the batch is out of bounds")]
    Place,
    /// What is said about the digest has not its form.
    #[error(transparent)]
    Leaf(#[from] LeafError),
}

impl BatchEntry {
    /// Whether the path leads from this leaf to `batch`.
    ///
    /// # Errors
    /// [`ProofError`], saying what is wrong.
    pub fn verify(&self, batch: &BatchRoot) -> Result<(), ProofError> {
        if self.inclusion.size != batch.size {
            let (index, size) = (self.inclusion.index, batch.size);
            return Err(ProofError::OutOfRange { index, size });
        }
        self.inclusion.verify(&self.leaf.hash(), &batch.root)
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// None in practice: texts and integers always have a JSON form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        let leaf = LeafOut {
            media_type: self.leaf.media_type.as_deref(),
            reference: self.leaf.reference.as_deref(),
            size_bytes: self.leaf.size_bytes,
            sm3: Hex(&self.leaf.sm3),
        };
        let InclusionProof { index, size, path } = &self.inclusion;
        let path = path.iter().map(Hex).collect();
        canonical::to_bytes(&Out { format: FORMAT, index: *index, leaf, path, size: *size })
    }

    /// Reads exactly the bytes that [`to_bytes`](Self::to_bytes) writes.
    ///
    /// # Errors
    /// [`BatchEntryError`] for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BatchEntryError> {
        let json: Json = canonical::from_bytes(bytes, BATCH_ENTRY_BYTES_MAX)?;
        if json.format != FORMAT {
            return Err(BatchEntryError::Format { found: json.format });
        }
        let size_max = u64::try_from(BATCH_DIGESTS_MAX).unwrap_or(u64::MAX);
        if json.index >= json.size || json.size > size_max || json.path.len() > PATH_LEN_MAX {
            return Err(BatchEntryError::Place);
        }
        let digest =
            |text: &str, part| canonical::digest(text).ok_or(BatchEntryError::Digest { part });
        let leaf = BatchLeaf {
            sm3: digest(&json.leaf.sm3, "leaf.sm3")?,
            size_bytes: json.leaf.size_bytes,
            media_type: json.leaf.media_type,
            reference: json.leaf.reference,
        };
        leaf.check()?;
        let path: Result<_, _> = json.path.iter().map(|text| digest(text, "path")).collect();
        let inclusion = InclusionProof { index: json.index, size: json.size, path: path? };
        Ok(Self { leaf, inclusion })
    }
}

/// Fields in the order of their names: that is the canonical order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    format: u64,
    index: u64,
    leaf: JsonLeaf,
    path: Vec<String>,
    size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonLeaf {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    sm3: String,
}

/// [`Json`] to be written: 100,000 of these are written at a time, so nothing is copied.
#[derive(Serialize)]
struct Out<'a> {
    format: u64,
    index: u64,
    leaf: LeafOut<'a>,
    path: Vec<Hex<'a>>,
    size: u64,
}

#[derive(Serialize)]
struct LeafOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    media_type: Option<&'a str>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_bytes: Option<u64>,
    sm3: Hex<'a>,
}

/// A digest as 64 lower-case hexadecimal digits.
struct Hex<'a>(&'a Sm3Digest);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0_u8; 64];
        let (pairs, _) = digits.as_chunks_mut::<2>();
        for (pair, byte) in pairs.iter_mut().zip(self.0.as_bytes()) {
            *pair = [nibble(byte >> 4), nibble(byte & 15)];
        }
        serializer.serialize_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

const fn nibble(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

const FORMAT: u64 = 1;
