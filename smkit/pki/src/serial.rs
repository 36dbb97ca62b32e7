//! Serial numbers of certificates.

use std::{fmt, str::FromStr};

use der::asn1::Uint;
use smkit::{Random, RandomError};

use crate::limits::SERIAL_BYTES_MAX;

/// A certificate's serial number (序列号): positive, at most 20 bytes (RFC 5280 §4.1.2.2). Ordered by value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SerialNumber {
    // Right-aligned, so that the derived order is that of the numbers.
    bytes: [u8; SERIAL_BYTES_MAX],
}

impl SerialNumber {
    /// Takes a big-endian number; `None` for zero or more than 20 bytes.
    #[must_use]
    pub fn from_bytes(number: &[u8]) -> Option<Self> {
        let first = number.iter().position(|byte| *byte != 0)?;
        let number = number.get(first..)?;
        let mut bytes = [0; SERIAL_BYTES_MAX];
        let start = SERIAL_BYTES_MAX.checked_sub(number.len())?;
        bytes.get_mut(start..)?.copy_from_slice(number);
        Some(Self { bytes })
    }

    /// Draws 16 bytes, 126 of their bits random: positive, of constant length, and not to be guessed by who asks for a
    /// certificate.
    ///
    /// # Errors
    /// The random source failed.
    pub fn random(random: &mut dyn Random) -> Result<Self, RandomError> {
        let mut bytes = [0; SERIAL_BYTES_MAX];
        let (_, serial) = bytes.split_at_mut(SERIAL_BYTES_MAX - RANDOM_BYTES);
        random.fill(serial)?;
        if let Some(first) = serial.first_mut() {
            *first = *first & 0x7f | 0x40;
        }
        Ok(Self { bytes })
    }

    /// Big-endian, without leading zero bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let first = self.bytes.iter().position(|byte| *byte != 0).unwrap_or_default();
        self.bytes.get(first..).unwrap_or_default()
    }

    pub(crate) fn to_asn1(self) -> der::Result<Uint> {
        Uint::new(self.as_bytes())
    }

    /// Reads an INTEGER that cannot be negative.
    pub(crate) fn from_asn1(number: &Uint) -> Option<Self> {
        Self::from_bytes(number.as_bytes())
    }
}

/// Lower-case hexadecimal, two digits a byte.
impl fmt::Display for SerialNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Hexadecimal of either case.
impl FromStr for SerialNumber {
    type Err = SerialNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() || text.len() > 2 * SERIAL_BYTES_MAX {
            return Err(SerialNumberError);
        }
        let mut bytes = [0; SERIAL_BYTES_MAX];
        for (index, digit) in text.chars().rev().enumerate() {
            let digit = digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let digit = digit.ok_or(SerialNumberError)?;
            let byte = bytes.iter_mut().rev().nth(index / 2).ok_or(SerialNumberError)?;
            *byte |= digit << (4 * (index % 2));
        }
        Self::from_bytes(&bytes).ok_or(SerialNumberError)
    }
}

/// A text that is no serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a positive number of at most 40 hexadecimal digits")]
pub struct SerialNumberError;

const RANDOM_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_order() {
        let serial = |text: &str| text.parse::<SerialNumber>();
        assert_eq!(serial("0ff").unwrap().to_string(), "ff");
        assert_eq!(serial("100").unwrap().as_bytes(), [1, 0]);
        assert!(serial("ff").unwrap() < serial("100").unwrap());
        assert_eq!(serial(&"F".repeat(40)).unwrap().to_string(), "f".repeat(40));
        for bad in ["", "0", "00", "xy", "+1", &"1".repeat(41), "长"] {
            assert_eq!(serial(bad), Err(SerialNumberError), "{bad}");
        }
        assert_eq!(SerialNumber::from_bytes(&[1; 21]), None);
    }
}
