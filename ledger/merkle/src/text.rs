//! What the text formats share: bounded lines, base64 of one form, decimals of one form.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use smkit::Sm3Digest;
use thiserror::Error;

/// Why a text is not in its one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TextError {
    /// Longer than any valid one.
    #[error("the text is longer than {max} bytes")]
    TooLong {
        /// Bytes allowed.
        max: usize,
    },
    /// Not UTF-8, or with a control character.
    #[error("the text has bytes that no text has")]
    NotText,
    /// A line is missing, too many, or not what has to stand there.
    #[error("line {line}: {expected} expected")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// More signatures, or more lines of a proof, than a verifier looks at.
    #[error("more than {max} lines of one kind")]
    TooMany {
        /// How many are allowed.
        max: usize,
    },
    /// The same key signed twice.
    #[error("two signatures of one key")]
    Duplicate,
}

/// Base64 as in RFC 4648 §4, padded, trailing bits zero: one text for each sequence of bytes.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn digest(text: &str) -> Option<Sm3Digest> {
    Sm3Digest::from_slice(&from_base64(text)?).ok()
}

/// A decimal number without sign, leading zero or anything else around it.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| plain)?;
    (text == "0" || !text.starts_with('0')).then_some(number)
}

/// The text of at most `max` bytes, every line ended by a newline, without other control characters.
pub(crate) fn lines(bytes: &[u8], max: usize) -> Result<&str, TextError> {
    if bytes.len() > max {
        return Err(TextError::TooLong { max });
    }
    let text = str::from_utf8(bytes).map_err(|_| TextError::NotText)?;
    if text.chars().any(|c| c.is_control() && c != '\n') || !text.ends_with('\n') {
        return Err(TextError::NotText);
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
