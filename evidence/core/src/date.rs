//! Civil dates at UTC+8, the only time zone of an evidence id.

use std::{fmt, str::FromStr};

use changbai_wire::time::UnixMillis;

/// A day of the Gregorian calendar, from 1970 to 9999. `Display` and `FromStr` use `yyyyMMdd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate {
    year: u16,
    month: u8,
    day: u8,
}

/// The text or the numbers do not name a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a calendar day")]
pub struct NotADate;

impl CivilDate {
    /// The day `year`-`month`-`day`.
    ///
    /// # Errors
    /// [`NotADate`] if there is no such day or the year is outside 1970..=9999.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, NotADate> {
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if is_leap(year) => 29,
            2 => 28,
            _ => return Err(NotADate),
        };
        if (1970..=9999).contains(&year) && (1..=days).contains(&day) {
            Ok(Self { year, month, day })
        } else {
            Err(NotADate)
        }
    }

    /// The day on which `at` falls in China (UTC+8 all year; no daylight saving since 1991, and none before counts).
    ///
    /// # Errors
    /// [`NotADate`] after the year 9999.
    pub fn in_china(at: UnixMillis) -> Result<Self, NotADate> {
        let seconds = at.0 / 1_000 + 8 * 3_600;
        from_days(seconds / 86_400)
    }

    /// Reads `yyyy-mm-dd`.
    ///
    /// # Errors
    /// [`NotADate`] for any other form or a day that does not exist.
    pub fn from_dashed(text: &str) -> Result<Self, NotADate> {
        match (
            text.len(),
            text.get(0..4),
            text.get(4..5),
            text.get(5..7),
            text.get(7..8),
            text.get(8..),
        ) {
            (10, Some(year), Some("-"), Some(month), Some("-"), Some(day)) => {
                parts(year, month, day)
            }
            _ => Err(NotADate),
        }
    }

    /// The year.
    pub fn year(&self) -> u16 {
        self.year
    }

    /// The month, from 1.
    pub fn month(&self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    pub fn day(&self) -> u8 {
        self.day
    }
}

impl FromStr for CivilDate {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        match (text.len(), text.get(0..4), text.get(4..6), text.get(6..)) {
            (8, Some(year), Some(month), Some(day)) => parts(year, month, day),
            _ => Err(NotADate),
        }
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}{:02}{:02}", self.year, self.month, self.day)
    }
}

fn parts(year: &str, month: &str, day: &str) -> Result<CivilDate, NotADate> {
    // `u16::from_str` would also take a leading plus sign.
    if [year, month, day].iter().any(|part| !part.bytes().all(|b| b.is_ascii_digit())) {
        return Err(NotADate);
    }
    let year = year.parse().map_err(|_| NotADate)?;
    let month = month.parse().map_err(|_| NotADate)?;
    let day = day.parse().map_err(|_| NotADate)?;
    CivilDate::new(year, month, day)
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// The day `days` after 1970-01-01, by the era arithmetic of Hinnant's `civil_from_days`.
fn from_days(days: u64) -> Result<CivilDate, NotADate> {
    let shifted = days.checked_add(719_468).ok_or(NotADate)?;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    CivilDate::new(
        u16::try_from(year).map_err(|_| NotADate)?,
        u8::try_from(month).map_err(|_| NotADate)?,
        u8::try_from(day).map_err(|_| NotADate)?,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_change_at_midnight_in_china() {
        for (ms, day) in [
            (0, "19700101"),
            (951_753_599_999, "20000228"),
            (951_753_600_000, "20000229"),
            (951_840_000_000, "20000301"),
            (1_795_276_800_000 - 1, "20261121"),
            (1_795_276_800_000, "20261122"),
            (9_999_999_999_999, "22861121"),
        ] {
            assert_eq!(CivilDate::in_china(UnixMillis(ms)).unwrap().to_string(), day, "{ms}");
        }
        assert!(CivilDate::in_china(UnixMillis(u64::MAX)).is_err());
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut before = from_days(0).unwrap();
        for days in 1..200_000 {
            let day = from_days(days).unwrap();
            assert!(day > before);
            assert_eq!(day.to_string().parse(), Ok(day));
            let next_month = day.day() == 1;
            assert!(next_month || (day.day() == before.day() + 1 && day.month() == before.month()));
            before = day;
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in
            ["2026-02-29", "2026-13-01", "2026-1-01", "+026-01-01", "2026-01-00", "20260101"]
        {
            assert_eq!(CivilDate::from_dashed(text), Err(NotADate), "{text}");
        }
        for text in ["20260229", "2026011", "2026-1-1", "99991332", "1969123１"] {
            assert_eq!(text.parse::<CivilDate>(), Err(NotADate), "{text}");
        }
        assert!(CivilDate::from_dashed("2028-02-29").is_ok());
    }
}
