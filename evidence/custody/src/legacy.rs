//! The envelope of the platform's first design, version 1: `IV ‖ SM4-CBC(PKCS#7)`, beside it a header in Base64(JSON).
//!
//! Readable by name, never written: nothing authenticates it. Whoever can change its bytes changes the content, so what
//! comes out is worth only what its digest on a record is worth; take it into custody anew.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use smkit::sm4::{Key, legacy};
use smkit::{Sm3Digest, sm3};
use zeroize::Zeroizing;

/// Why a legacy envelope was not opened. One reason for everything about key and padding, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LegacyError {
    /// It does not open with this key.
    #[error("not an envelope of this key")]
    Envelope,
    /// The header is not one JSON object in Base64.
    #[error("the header is not a JSON object in Base64")]
    Header,
    /// It opened, and holds something else.
    #[error("the content has another digest")]
    Digest,
}

/// Opens a legacy envelope and compares its content with the digest that a record states, where one is given.
///
/// # Errors
/// [`LegacyError`].
pub fn open_legacy(
    key: &Key,
    envelope: &[u8],
    expected: Option<&Sm3Digest>,
) -> Result<Zeroizing<Vec<u8>>, LegacyError> {
    let content = legacy::open_iv_cbc(key, envelope).map_err(|_| LegacyError::Envelope)?;
    let content = Zeroizing::new(content);
    if expected.is_some_and(|expected| *expected != sm3(&content)) {
        return Err(LegacyError::Digest);
    }
    Ok(content)
}

/// Reads a legacy header; its values are claims that nothing authenticates.
///
/// # Errors
/// [`LegacyError::Header`].
pub fn read_legacy_header(
    text: &str,
) -> Result<serde_json::Map<String, serde_json::Value>, LegacyError> {
    if text.len() > HEADER_CHARS_MAX {
        return Err(LegacyError::Header);
    }
    let json = BASE64.decode(text.trim()).map_err(|_| LegacyError::Header)?;
    serde_json::from_slice(&json).map_err(|_| LegacyError::Header)
}

const HEADER_CHARS_MAX: usize = 64 << 10;
