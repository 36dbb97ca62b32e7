//! Times as a certificate prints them: China Standard Time, to the millisecond.

use std::time::Duration;

use changbai_core::CivilDate;
use changbai_wire::time::UnixMillis;

use crate::error::CertificateError;

/// A moment in China, UTC+8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChinaTime {
    pub(crate) date: CivilDate,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    millis: u16,
}

impl ChinaTime {
    pub(crate) fn new(at_ms: u64) -> Result<Self, CertificateError> {
        let error = || CertificateError::Time { at_ms };
        let date = CivilDate::in_china(UnixMillis(at_ms)).map_err(|_| error())?;
        let of_day = at_ms.checked_add(8 * HOUR_MS).ok_or_else(error)? % (24 * HOUR_MS);
        let part = |unit_ms: u64, modulus: u64| u8::try_from(of_day / unit_ms % modulus);
        Ok(Self {
            date,
            hour: part(HOUR_MS, 24).map_err(|_| error())?,
            minute: part(60_000, 60).map_err(|_| error())?,
            second: part(1_000, 60).map_err(|_| error())?,
            millis: u16::try_from(of_day % 1_000).map_err(|_| error())?,
        })
    }

    /// The time in a time stamp, a part of a millisecond rounded up: "no later than" stays true.
    pub(crate) fn of_stamp(gen_time: Duration) -> Option<Self> {
        let at_ms = gen_time.as_nanos().div_ceil(1_000_000);
        u64::try_from(at_ms).ok().and_then(|at_ms| Self::new(at_ms).ok())
    }

    /// `2026年11月22日 10:00:00.000（北京时间）`.
    pub(crate) fn chinese(&self) -> String {
        let (date, clock) = (self.date, self.clock());
        format!("{}年{}月{}日 {clock}（北京时间）", date.year(), date.month(), date.day())
    }

    /// `2026-11-22 10:00:00.000 UTC+8`.
    pub(crate) fn english(&self) -> String {
        format!("{} {} UTC+8", self.day(), self.clock())
    }

    /// `2026-11-22`.
    pub(crate) fn day(&self) -> String {
        let date = self.date;
        format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }

    /// `10:00:00 UTC+8`.
    pub(crate) fn clock_to_the_second(&self) -> String {
        format!("{:02}:{:02}:{:02} UTC+8", self.hour, self.minute, self.second)
    }

    /// As PDF writes a date (ISO 32000-1 §7.9.4).
    pub(crate) fn pdf(&self) -> String {
        let date = self.date;
        let day = format!("{:04}{:02}{:02}", date.year(), date.month(), date.day());
        format!("D:{day}{:02}{:02}{:02}+08'00'", self.hour, self.minute, self.second)
    }

    fn clock(&self) -> String {
        format!("{:02}:{:02}:{:02}.{:03}", self.hour, self.minute, self.second, self.millis)
    }
}

const HOUR_MS: u64 = 3_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_begins_eight_hours_earlier_in_china() {
        // GNU date: `TZ=Asia/Shanghai date -d @1795312799.999`.
        let time = ChinaTime::new(1_795_312_799_999).unwrap();
        assert_eq!(time.chinese(), "2026年11月22日 09:59:59.999（北京时间）");
        assert_eq!(
            ChinaTime::new(1_795_276_800_000).unwrap().english(),
            "2026-11-22 00:00:00.000 UTC+8"
        );
        assert!(ChinaTime::new(u64::MAX).is_err());
    }
}
