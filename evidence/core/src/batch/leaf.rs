//! One digest of a batch.

use smkit::sm3::Sm3Digest;

use crate::{
    codes::{self, ErrorCode},
    domain,
    limits::{BATCH_REFERENCE_CHARS_MAX, INTEGER_MAX},
    record, text,
};

/// One digest (摘要) of a batch with what its submitter says about it.
#[derive(Clone, PartialEq, Eq)]
pub struct BatchLeaf {
    /// SM3 of the original.
    pub sm3: Sm3Digest,
    /// Its length in bytes, if the submitter says it.
    pub size_bytes: Option<u64>,
    /// Its lower-case media type without parameters, if the submitter says it.
    pub media_type: Option<String>,
    /// The submitter's own name for it (客户参考号), such as a file number. It is in no record, but in every copy of
    /// this digest's receipt.
    pub reference: Option<String>,
}

/// Why something is no leaf. Never repeats a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeafError {
    /// Above 2^53 − 1.
    #[error("size_bytes is at most 2^53 - 1")]
    Size,
    /// Not a lower-case media type without parameters.
    #[error("media_type is a lower-case media type without parameters")]
    MediaType,
    /// Empty, longer than 128 characters, or with control characters or white space at an end.
    #[error("ref has 1 to 128 characters, no control characters, no white space at its ends")]
    Reference,
}

impl BatchLeaf {
    /// The leaf of a bare digest.
    #[must_use]
    pub const fn of(sm3: Sm3Digest) -> Self {
        Self { sm3, size_bytes: None, media_type: None, reference: None }
    }

    /// Checks what the submitter says.
    ///
    /// # Errors
    /// [`LeafError`], the first that applies.
    pub fn check(&self) -> Result<(), LeafError> {
        if self.size_bytes.is_some_and(|size| size > INTEGER_MAX) {
            return Err(LeafError::Size);
        }
        if self.media_type.as_deref().is_some_and(|name| !record::is_media_type(name)) {
            return Err(LeafError::MediaType);
        }
        match &self.reference {
            Some(name) => {
                text::check(name, BATCH_REFERENCE_CHARS_MAX).map_err(|_| LeafError::Reference)
            }
            None => Ok(()),
        }
    }

    /// Appends the bytes of the leaf: `changbai/core/batch-leaf/v1` ‖ digest ‖ size ‖ media type ‖ reference, where
    /// each of the three is u8 0 if not given, else u8 1 followed by u64 (size) or u16 length in bytes and text;
    /// integers big-endian.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(domain::BATCH_LEAF);
        out.extend_from_slice(self.sm3.as_bytes());
        match self.size_bytes {
            Some(size) => {
                out.push(1);
                out.extend_from_slice(&size.to_be_bytes());
            }
            None => out.push(0),
        }
        for text in [&self.media_type, &self.reference] {
            match text {
                Some(text) => {
                    out.push(1);
                    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
                    out.extend_from_slice(&length.to_be_bytes());
                    out.extend_from_slice(text.as_bytes());
                }
                None => out.push(0),
            }
        }
    }

    /// The leaf's bytes, as [`write`](Self::write) appends them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES_USUAL);
        self.write(&mut bytes);
        bytes
    }

    /// Reads exactly one leaf from the bytes that [`write`](Self::write) appends; `None` for any others.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(domain::BATCH_LEAF)?;
        let (sm3, rest) = rest.split_first_chunk::<32>()?;
        let (size_bytes, rest) = match rest.split_first()? {
            (0, rest) => (None, rest),
            (1, rest) => {
                let (size, rest) = rest.split_first_chunk::<8>()?;
                (Some(u64::from_be_bytes(*size)), rest)
            }
            _ => return None,
        };
        let (media_type, rest) = optional_text(rest)?;
        let (reference, rest) = optional_text(rest)?;
        let leaf = Self { sm3: Sm3Digest::new(*sm3), size_bytes, media_type, reference };
        (rest.is_empty() && leaf.check().is_ok()).then_some(leaf)
    }

    /// The leaf's hash in the tree: SM3(u8 0 ‖ bytes of the leaf).
    #[must_use]
    pub fn hash(&self) -> Sm3Digest {
        changbai_merkle::leaf_hash(&self.to_bytes())
    }
}

impl LeafError {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Size | Self::MediaType => codes::ORIGINALS,
            Self::Reference => codes::BATCH_REFERENCE,
        }
    }
}

impl std::fmt::Debug for BatchLeaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The reference is the submitter's text and may be personal.
        f.debug_struct("BatchLeaf").field("sm3", &self.sm3).finish_non_exhaustive()
    }
}

fn optional_text(bytes: &[u8]) -> Option<(Option<String>, &[u8])> {
    match bytes.split_first()? {
        (0, rest) => Some((None, rest)),
        (1, rest) => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (text, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
            Some((Some(std::str::from_utf8(text).ok()?.to_owned()), rest))
        }
        _ => None,
    }
}

/// Room for domain, digest, size, a media type and a short reference.
const BYTES_USUAL: usize = 128;
