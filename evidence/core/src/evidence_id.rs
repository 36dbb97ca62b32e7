//! The evidence id (存证编号).

use std::{fmt, str::FromStr};

use crate::{
    check::mod_37_36,
    date::CivilDate,
    limits::SERIAL_MAX,
    uscc::{Uscc, UsccError},
};

/// An evidence id (存证编号): 47 characters that can be typed, read aloud and checked offline.
///
/// `CC` + region (6 digits, GB/T 2260) + agency (18, GB 32100) + day at UTC+8 (`yyyyMMdd`) + serial (12, Crockford
/// base32) + ISO 7064 MOD 37,36 check character over the 46 before it. Ids sort by region, agency, day, serial.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceId([u8; 47]);

/// Why a text is not an evidence id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceIdError {
    /// The length differs from 47 characters.
    #[error("an evidence id has 47 characters, not {found}")]
    Length {
        /// Characters found.
        found: usize,
    },
    /// The text does not start with `CC`.
    #[error("an evidence id starts with CC")]
    Prefix,
    /// The region is not six digits.
    #[error("the region must be six digits")]
    Region,
    /// The agency is not a unified social credit code.
    #[error("the agency's code is wrong")]
    Agency(#[source] UsccError),
    /// The day does not exist.
    #[error("the day does not exist")]
    Date,
    /// The serial is not Crockford base32, or larger than [`SERIAL_MAX`].
    #[error("the serial must be twelve base32 characters")]
    Serial,
    /// The check character is wrong: a typing error.
    #[error("the check character should be {expected}")]
    Check {
        /// The character that the first 46 demand.
        expected: char,
    },
}

impl EvidenceId {
    /// The id of the `serial`-th record of `agency` in `region` on `date`.
    ///
    /// # Errors
    /// [`EvidenceIdError::Region`] unless `region` is six digits, [`EvidenceIdError::Serial`] above [`SERIAL_MAX`].
    pub fn compose(
        region: &str,
        agency: &Uscc,
        date: CivilDate,
        serial: u64,
    ) -> Result<Self, EvidenceIdError> {
        let body = format!("{}{}", Self::day_prefix(region, agency, date)?, serial_text(serial)?);
        let check = mod_37_36(&body).ok_or(EvidenceIdError::Prefix)?;
        format!("{body}{check}").parse()
    }

    /// The first 34 characters of every id of `agency` in `region` on `date`.
    ///
    /// # Errors
    /// [`EvidenceIdError::Region`] unless `region` is six digits.
    pub fn day_prefix(
        region: &str,
        agency: &Uscc,
        date: CivilDate,
    ) -> Result<String, EvidenceIdError> {
        check_region(region)?;
        Ok(format!("CC{region}{agency}{date}"))
    }

    /// The 47 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The region (行政区划), six digits.
    pub fn region(&self) -> &str {
        self.part(2, 8)
    }

    /// The agency that recorded it.
    ///
    /// # Panics
    /// Never: an id is only built with a valid code.
    pub fn agency(&self) -> Uscc {
        #[expect(clippy::expect_used, reason = "parsing checked the code")]
        self.part(8, 26).parse().expect("invariant: an evidence id holds a valid agency code")
    }

    /// The day at UTC+8.
    ///
    /// # Panics
    /// Never: an id is only built with a day that exists.
    pub fn date(&self) -> CivilDate {
        #[expect(clippy::expect_used, reason = "parsing checked the day")]
        self.part(26, 34).parse().expect("invariant: an evidence id holds a calendar day")
    }

    /// The serial within agency and day.
    pub fn serial(&self) -> u64 {
        serial_value(self.part(34, 46)).unwrap_or(0)
    }

    fn part(&self, from: usize, to: usize) -> &str {
        self.as_str().get(from..to).unwrap_or_default()
    }
}

impl FromStr for EvidenceId {
    type Err = EvidenceIdError;

    /// Strict: exactly the canonical upper-case form.
    fn from_str(text: &str) -> Result<Self, EvidenceIdError> {
        let bytes: [u8; 47] = text
            .as_bytes()
            .try_into()
            .map_err(|_| EvidenceIdError::Length { found: text.chars().count() })?;
        let rest = text.strip_prefix("CC").ok_or(EvidenceIdError::Prefix)?;
        let (region, rest) = rest.split_at_checked(6).ok_or(EvidenceIdError::Region)?;
        check_region(region)?;
        // A slip of the finger is reported as such, before the finer checks.
        let (body, check) = text.split_at_checked(46).ok_or(EvidenceIdError::Serial)?;
        if let Some(expected) = mod_37_36(body)
            && !check.chars().eq([expected])
        {
            return Err(EvidenceIdError::Check { expected });
        }
        let (agency, rest) = rest
            .split_at_checked(18)
            .ok_or(EvidenceIdError::Agency(UsccError::Length { found: 0 }))?;
        agency.parse::<Uscc>().map_err(EvidenceIdError::Agency)?;
        let (date, rest) = rest.split_at_checked(8).ok_or(EvidenceIdError::Date)?;
        date.parse::<CivilDate>().map_err(|_| EvidenceIdError::Date)?;
        let serial = rest.get(..12).ok_or(EvidenceIdError::Serial)?;
        serial_value(serial).ok_or(EvidenceIdError::Serial)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The twelve Crockford base32 characters of `serial`; they sort as the numbers do.
///
/// # Errors
/// [`EvidenceIdError::Serial`] above [`SERIAL_MAX`].
pub fn serial_text(serial: u64) -> Result<String, EvidenceIdError> {
    if serial > SERIAL_MAX {
        return Err(EvidenceIdError::Serial);
    }
    Ok((0..12)
        .rev()
        .filter_map(|digit| CROCKFORD.get(((serial >> (5 * digit)) & 31) as usize))
        .map(|&character| char::from(character))
        .collect())
}

fn serial_value(text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |value, byte| {
        let digit = CROCKFORD.iter().position(|&c| c == byte)?;
        Some((value << 5) | u64::try_from(digit).ok()?)
    })
}

fn check_region(region: &str) -> Result<(), EvidenceIdError> {
    if region.len() == 6 && region.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err(EvidenceIdError::Region)
    }
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VECTOR: &str = "CC22010011220100MB9999999R2026112200000000012ZU";

    fn agency() -> Uscc {
        "11220100MB9999999R".parse().unwrap()
    }

    #[test]
    fn the_published_vector_is_reproduced() {
        let date = CivilDate::new(2026, 11, 22).unwrap();
        let id = EvidenceId::compose("220100", &agency(), date, 1119).unwrap();
        assert_eq!(id.to_string(), VECTOR);
        let parsed: EvidenceId = VECTOR.parse().unwrap();
        assert_eq!(parsed, id);
        assert_eq!(parsed.region(), "220100");
        assert_eq!(parsed.agency(), agency());
        assert_eq!(parsed.date(), date);
        assert_eq!(parsed.serial(), 1119);
    }

    #[test]
    fn any_changed_character_is_refused() {
        for position in 0..47 {
            for other in 0_u8..128 {
                let mut changed = VECTOR.as_bytes().to_vec();
                changed[position] = other;
                let changed = String::from_utf8(changed).unwrap();
                assert_eq!(changed.parse::<EvidenceId>().is_ok(), changed == VECTOR, "{changed}");
            }
        }
    }

    #[test]
    fn each_error_is_named() {
        let parse = |text: &str| text.parse::<EvidenceId>().unwrap_err();
        assert_eq!(parse(""), EvidenceIdError::Length { found: 0 });
        assert_eq!(parse(&VECTOR.replace("CC", "CD")), EvidenceIdError::Prefix);
        assert_eq!(parse(&VECTOR.replace("CC2", "CCA")), EvidenceIdError::Region);
        assert_eq!(parse(&VECTOR.to_lowercase()), EvidenceIdError::Prefix);
        assert_eq!(parse(&VECTOR.replace("2ZU", "2ZV")), EvidenceIdError::Check { expected: 'U' });
        let rechecked = |body: &str| format!("{body}{}", mod_37_36(body).unwrap());
        assert_eq!(
            parse(&rechecked("CC22010011220100MB9999999R2026113100000000012Z")),
            EvidenceIdError::Date
        );
        assert_eq!(
            parse(&rechecked("CC22010011220100MB9999999R2026112200000000012I")),
            EvidenceIdError::Serial
        );
        assert!(matches!(
            parse(&rechecked("CC22010011220100MB9999999Q2026112200000000012Z")),
            EvidenceIdError::Agency(UsccError::Check { .. })
        ));
        let date = CivilDate::new(2026, 11, 22).unwrap();
        assert_eq!(EvidenceId::compose("22010", &agency(), date, 1), Err(EvidenceIdError::Region));
        assert_eq!(
            EvidenceId::compose("220100", &agency(), date, SERIAL_MAX + 1),
            Err(EvidenceIdError::Serial)
        );
    }

    proptest! {
        #[test]
        fn serials_round_trip_and_sort(a in 0..=SERIAL_MAX, b in 0..=SERIAL_MAX) {
            let date = CivilDate::new(2026, 11, 22).unwrap();
            let id = |serial| EvidenceId::compose("220100", &agency(), date, serial).unwrap();
            prop_assert_eq!(id(a).serial(), a);
            prop_assert_eq!(id(a).to_string().parse(), Ok(id(a)));
            prop_assert_eq!(id(a).cmp(&id(b)), a.cmp(&b));
        }

        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<EvidenceId>();
        }
    }
}
