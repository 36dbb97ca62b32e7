//! The clock of the command line, and times for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{
    lang::Lang,
    messages::{Message, word},
};

/// Milliseconds since 1970-01-01 by this machine's clock, for request signatures.
pub(crate) fn unix_ms() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a tool at the edge; request signatures carry its time"
    )]
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `2026-07-30 09:05:03.123 UTC+8`: China Standard Time, without daylight saving, is what evidence ids and officials
/// use, wherever the command runs.
pub(crate) fn china_time(unix_ms: u64, lang: Lang) -> String {
    let ms = unix_ms.saturating_add(8 * 3_600_000);
    let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    let ms = rest % 1_000;
    let zone = word(lang, Message::TimeZone);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{ms:03} {zone}")
}

/// Unix milliseconds of the start of a day `yyyy-mm-dd` in China Standard Time; `None` for anything that is not
/// a date from 1970 on.
pub(crate) fn china_day_start_ms(date: &str) -> Option<u64> {
    let digits = |range: std::ops::Range<usize>| -> Option<u64> {
        let part = date.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let shape = date.len() == 10 && date.get(4..5) == Some("-") && date.get(7..8) == Some("-");
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    if !shape || year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let days = days_before(year, month, day);
    (civil(days) == (year, month, day)).then(|| (days * 86_400_000).saturating_sub(8 * 3_600_000))
}

/// Date of a day counted from 1970-01-01 (proleptic Gregorian; Hinnant's `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let (era, doe) = (z / 146_097, z % 146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + u64::from(month <= 2);
    (year, month, doy - (153 * mp + 2) / 5 + 1)
}

/// Days from 1970-01-01 to a date from 1970 on.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let y = if month <= 2 { year - 1 } else { year };
    let mp = if month > 2 { month - 3 } else { month + 9 };
    let (era, yoe) = (y / 400, y % 400);
    let doy = (153 * mp + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn china_time_is_eight_hours_ahead() {
        assert_eq!(china_time(0, Lang::En), "1970-01-01 08:00:00.000 UTC+8");
        assert_eq!(china_time(1_709_222_399_999, Lang::Zh), "2024-02-29 23:59:59.999 北京时间");
        assert_eq!(china_time(1_709_222_400_000, Lang::En), "2024-03-01 00:00:00.000 UTC+8");
    }

    #[test]
    fn days_start_at_midnight_in_china() {
        assert_eq!(china_day_start_ms("2024-03-01"), Some(1_709_222_400_000));
        for wrong in
            ["2024-02-30", "2024-3-01", "2024/03/01", "1969-12-31", "2024-13-01", "", "日期日期"]
        {
            assert_eq!(china_day_start_ms(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn dates_round_trip() {
        for days in (1..60_000).step_by(17) {
            let (year, month, day) = civil(days);
            assert_eq!(days_before(year, month, day), days);
        }
    }
}
