//! The canonical JSON of the evidence domain.
//!
//! The subset of RFC 8785 that holds objects, arrays, strings and integers from 0 to 2^53 − 1, with ASCII keys.
//! `serde_json` writes exactly this when a struct declares its fields in the order of their names: compact, the
//! escapes of RFC 8785 §3.2.2.2, integers without exponent. Parsing is strict: what was read is written again and
//! must be the same bytes, so that one value has one encoding.

use serde::{Serialize, de::DeserializeOwned};
use smkit::sm3::Sm3Digest;

/// Why bytes are not a canonical document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// Larger than the caller's bound.
    #[error("the document has {found_bytes} bytes, more than {max_bytes}")]
    TooLarge {
        /// Bytes found.
        found_bytes: usize,
        /// Bytes allowed.
        max_bytes: usize,
    },
    /// Not JSON, or a field is missing, unknown, twice there or of the wrong type. Values are not repeated here:
    /// they may be personal.
    #[error("the document is malformed at line {line}, column {column}")]
    Malformed {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON, but not the one encoding of its value: order, white space, escapes or a repeated key.
    #[error("the document is not in canonical form at byte {offset}")]
    NotCanonical {
        /// First byte that differs from the canonical encoding.
        offset: usize,
    },
}

/// Writes `value`, whose structs declare their fields in ASCII order of their names.
///
/// # Errors
/// [`CanonicalError::Malformed`] if `value` cannot be written as JSON (a map with keys that are no strings).
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    serde_json::to_vec(value).map_err(|e| malformed(&e))
}

/// Reads a value of at most `max_bytes` and accepts exactly the bytes that [`to_bytes`] writes for it.
///
/// # Errors
/// See [`CanonicalError`].
pub fn from_bytes<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    max_bytes: usize,
) -> Result<T, CanonicalError> {
    if bytes.len() > max_bytes {
        return Err(CanonicalError::TooLarge { found_bytes: bytes.len(), max_bytes });
    }
    let value: T = serde_json::from_slice(bytes).map_err(|e| malformed(&e))?;
    let again = to_bytes(&value)?;
    if again == bytes {
        Ok(value)
    } else {
        let offset = again.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        Err(CanonicalError::NotCanonical { offset })
    }
}

/// The digest written as 64 lower-case hexadecimal digits, the only form allowed in documents.
pub fn digest(text: &str) -> Option<Sm3Digest> {
    let bytes: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut out = [0_u8; 32];
    for (pair, byte) in bytes.chunks_exact(2).zip(&mut out) {
        let [high, low] = pair else { return None };
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(Sm3Digest::new(out))
}

fn nibble(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

fn malformed(error: &serde_json::Error) -> CanonicalError {
    CanonicalError::Malformed { line: error.line(), column: error.column() }
}
