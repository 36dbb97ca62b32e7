//! SM2 signatures and their single DER form.

use alloc::vec::Vec;
use core::fmt;

use crate::hex;

/// A signature (r, s) with both numbers in \[1, n−1\].
///
/// SM2 has no low-s rule, so the bytes of a signature identify nothing: never use them as a key or an id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// Longest DER form: two INTEGERs of 33 bytes.
    pub const DER_BYTES_MAX: usize = 72;

    /// Reads r ‖ s, 32 bytes each, big-endian.
    ///
    /// # Errors
    /// r or s outside \[1, n−1\] (GB/T 32918.2-2016 §7.1 B1, B2).
    pub fn from_bytes(bytes: [u8; 64]) -> Result<Self, SignatureError> {
        let (numbers, _) = bytes.as_chunks::<32>();
        if numbers.iter().all(in_range) { Ok(Self(bytes)) } else { Err(SignatureError::Range) }
    }

    /// r ‖ s, 32 bytes each, big-endian.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; 64] {
        self.0
    }

    /// Reads `SEQUENCE { INTEGER r, INTEGER s }` in the one form DER allows (GB/T 35276-2017 §7.3).
    ///
    /// # Errors
    /// Long-form or wrong lengths, negative or padded INTEGERs, trailing bytes, or a number out of range.
    pub fn from_der(der: &[u8]) -> Result<Self, SignatureError> {
        let (body, rest) = element(der, SEQUENCE)?;
        if !rest.is_empty() {
            return Err(SignatureError::Trailing);
        }
        let (r, body) = element(body, INTEGER)?;
        let (s, body) = element(body, INTEGER)?;
        if !body.is_empty() {
            return Err(SignatureError::Trailing);
        }
        let mut bytes = [0; 64];
        let (high, low) = bytes.split_at_mut(32);
        read_unsigned(r, high)?;
        read_unsigned(s, low)?;
        Self::from_bytes(bytes)
    }

    /// `SEQUENCE { INTEGER r, INTEGER s }` in DER, at most [`Signature::DER_BYTES_MAX`] bytes.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::DER_BYTES_MAX);
        out.extend_from_slice(&[SEQUENCE, 0]);
        let (numbers, _) = self.0.as_chunks::<32>();
        numbers.iter().for_each(|number| push_unsigned(&mut out, number));
        // Two INTEGERs of at most 35 bytes: the short form always holds.
        let body_bytes = u8::try_from(out.len().saturating_sub(2)).unwrap_or(u8::MAX);
        if let Some(length) = out.get_mut(1) {
            *length = body_bytes;
        }
        out
    }

    pub(crate) fn halves(&self) -> (&[u8; 32], &[u8; 32]) {
        match self.0.as_chunks::<32>() {
            ([r, s], _) => (r, s),
            _ => (&ZERO, &ZERO),
        }
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write_lower(out, &self.0)
    }
}

/// Bytes that are not an SM2 signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// r or s is outside \[1, n−1\].
    #[error("r or s of an SM2 signature is out of range")]
    Range,
    /// Truncated, or a tag or length other than DER prescribes.
    #[error("not the DER form of an SM2 signature")]
    Malformed,
    /// Bytes after the end of a complete element.
    #[error("bytes follow the SM2 signature")]
    Trailing,
    /// A negative INTEGER, or one with superfluous leading zeros.
    #[error("an INTEGER of the SM2 signature is negative or padded")]
    Integer,
}

/// Splits off one element with a short-form length; the content is never empty.
fn element(der: &[u8], tag: u8) -> Result<(&[u8], &[u8]), SignatureError> {
    match der {
        // 72 bytes at most, so a length byte of 80 or more (long form) is never minimal here.
        [first, length @ 1..0x80, rest @ ..] if *first == tag => {
            rest.split_at_checked(usize::from(*length)).ok_or(SignatureError::Malformed)
        }
        _ => Err(SignatureError::Malformed),
    }
}

/// Reads a minimal, non-negative INTEGER body into 32 bytes.
fn read_unsigned(body: &[u8], out: &mut [u8]) -> Result<(), SignatureError> {
    if matches!(body, [0x80..=0xff, ..] | [0, 0..=0x7f, ..]) {
        return Err(SignatureError::Integer);
    }
    let digits = body.strip_prefix(&[0]).unwrap_or(body);
    let start = out.len().checked_sub(digits.len()).ok_or(SignatureError::Range)?;
    out.get_mut(start..).ok_or(SignatureError::Range)?.copy_from_slice(digits);
    Ok(())
}

fn push_unsigned(out: &mut Vec<u8>, number: &[u8; 32]) {
    let leading = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(leading..).unwrap_or_default();
    let sign = digits.first().is_none_or(|byte| *byte >= 0x80);
    let length = digits.len() + usize::from(sign);
    out.extend_from_slice(&[INTEGER, u8::try_from(length).unwrap_or(u8::MAX)]);
    if sign {
        out.push(0);
    }
    out.extend_from_slice(digits);
}

/// Whether a number is in \[1, n−1\]; signatures are public, so the comparison may take any time.
fn in_range(number: &[u8; 32]) -> bool {
    *number != ZERO && *number < ORDER
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const ZERO: [u8; 32] = [0; 32];
/// n, the order of the base point (GB/T 32918.5-2017 §2).
#[rustfmt::skip]
pub(crate) const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x23,
];
