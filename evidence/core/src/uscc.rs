//! The unified social credit code (统一社会信用代码) of an agency.

use std::{fmt, str::FromStr};

/// A unified social credit code (统一社会信用代码, GB 32100): 18 characters, the last one a check character.
///
/// A value of this type always has a correct check character.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uscc([u8; 18]);

/// Why a text is not a unified social credit code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsccError {
    /// The length differs from 18 characters.
    #[error("a unified social credit code has 18 characters, not {found}")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// A character outside the alphabet of GB 32100 (digits and capital letters without I, O, S, V, Z).
    #[error("character {position} is not allowed in a unified social credit code")]
    Character {
        /// Position, counted from 1.
        position: usize,
    },
    /// The check character is wrong: a typing error.
    #[error("the check character should be {expected}")]
    Check {
        /// The character that the first 17 demand.
        expected: char,
    },
}

impl Uscc {
    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Uscc {
    type Err = UsccError;

    fn from_str(text: &str) -> Result<Self, UsccError> {
        let bytes: [u8; 18] = text
            .as_bytes()
            .try_into()
            .map_err(|_| UsccError::Length { found: text.chars().count() })?;
        let (mut sum, mut weight) = (0, 1);
        for (index, byte) in bytes.iter().enumerate() {
            let Some(value) = ALPHABET.iter().position(|c| c == byte) else {
                return Err(UsccError::Character { position: index + 1 });
            };
            if index < 17 {
                sum += value * weight;
                weight = weight * 3 % 31;
            } else {
                // GB 32100 §4: check = (31 − Σ) mod 31 with weights 3^i mod 31.
                let check = (31 - sum % 31) % 31;
                if check != value {
                    let expected = ALPHABET.get(check).copied().unwrap_or(b'0');
                    return Err(UsccError::Check { expected: char::from(expected) });
                }
            }
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: [&str; 5] = [
        "11100000000013338W",
        "11430000006122244L",
        "11330105002500287C",
        "11100000MB03271699",
        "11220100MB9999999R",
    ];

    #[test]
    fn published_codes_are_accepted() {
        for code in REAL {
            assert_eq!(code.parse::<Uscc>().unwrap().to_string(), code);
        }
    }

    #[test]
    fn any_changed_character_is_refused() {
        for code in REAL {
            for position in 0..18 {
                for other in ALPHABET {
                    let mut changed = code.as_bytes().to_vec();
                    changed[position] = *other;
                    let changed = String::from_utf8(changed).unwrap();
                    assert_eq!(changed.parse::<Uscc>().is_ok(), changed == code, "{changed}");
                }
            }
        }
    }

    #[test]
    fn each_error_is_named() {
        assert_eq!("".parse::<Uscc>(), Err(UsccError::Length { found: 0 }));
        assert_eq!("存证存证存证".parse::<Uscc>(), Err(UsccError::Character { position: 1 }));
        assert_eq!("1122010OMB9999999R".parse::<Uscc>(), Err(UsccError::Character { position: 8 }));
        assert_eq!("11220100MB9999999Q".parse::<Uscc>(), Err(UsccError::Check { expected: 'R' }));
    }
}
