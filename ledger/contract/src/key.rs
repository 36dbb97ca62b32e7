//! Composite keys, in Fabric's form.

use thiserror::Error;

use crate::limits::KEY_BYTES_MAX;

/// The key U+0000 ‖ kind ‖ U+0000 ‖ each part ‖ U+0000: apart from all plain keys, and ordered by
/// kind and parts.
///
/// # Errors
/// [`KeyError`] for an empty kind, a part with U+0000 or U+10FFFF, or a key that is too long.
pub fn composite_key(kind: &str, parts: &[&str]) -> Result<String, KeyError> {
    if kind.is_empty() {
        return Err(KeyError::Empty);
    }
    let mut key = String::from(SEPARATOR);
    for part in std::iter::once(&kind).chain(parts) {
        if part.contains([SEPARATOR, LAST]) {
            return Err(KeyError::Reserved);
        }
        key.push_str(part);
        key.push(SEPARATOR);
    }
    if key.len() > KEY_BYTES_MAX {
        return Err(KeyError::TooLong { bytes: key.len() });
    }
    Ok(key)
}

/// The range, start inclusive and end exclusive, of all composite keys that begin with `kind` and
/// `parts`; for [`Context::range`](crate::Context::range).
///
/// # Errors
/// As [`composite_key`].
pub fn composite_prefix_range(kind: &str, parts: &[&str]) -> Result<(String, String), KeyError> {
    let start = composite_key(kind, parts)?;
    let end = format!("{start}{LAST}");
    Ok((start, end))
}

/// Kind and parts of a composite key, `None` if `key` is not one.
#[must_use]
pub fn split_composite_key(key: &str) -> Option<(&str, Vec<&str>)> {
    let inner = key.strip_prefix(SEPARATOR)?.strip_suffix(SEPARATOR)?;
    let mut parts = inner.split(SEPARATOR);
    let kind = parts.next().filter(|kind| !kind.is_empty())?;
    Some((kind, parts.collect()))
}

/// Begins a composite key and ends each of its parts.
pub(crate) const SEPARATOR: char = '\u{0}';
/// The largest scalar value; ends a prefix range.
const LAST: char = '\u{10FFFF}';

/// Why a key is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A key or a composite key's kind is empty.
    #[error("empty key")]
    Empty,
    /// A plain key or a part of a composite key uses a character that delimits composite keys.
    #[error("key uses the reserved character U+0000 or U+10FFFF")]
    Reserved,
    /// The key is longer than [`KEY_BYTES_MAX`].
    #[error("key of {bytes} bytes is too long")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
}
