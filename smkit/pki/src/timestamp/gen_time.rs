//! `GeneralizedTime` with a fraction, as time stamps have it (RFC 3161 §2.4.2).

use std::time::Duration;

use der::{
    DateTime, DecodeValue, EncodeValue, ErrorKind, FixedTag, Header, Length, Reader, Tag, Writer,
};

/// `YYYYMMDDhhmmss[.f…]Z` in UTC, the fraction without trailing zeros and of at most nine digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GenTime {
    at: DateTime,
    nanos: u32,
}

impl GenTime {
    /// `None` from the year 10000 on.
    pub(crate) fn new(since_1970: Duration) -> Option<Self> {
        let whole = Duration::from_secs(since_1970.as_secs());
        let at = DateTime::from_unix_duration(whole).ok()?;
        Some(Self { at, nanos: since_1970.subsec_nanos() })
    }

    pub(crate) fn since_1970(self) -> Duration {
        self.at.unix_duration().saturating_add(Duration::from_nanos(self.nanos.into()))
    }

    fn text(self) -> String {
        let at = self.at;
        let mut out = format!(
            "{:04}{:02}{:02}{:02}{:02}{:02}",
            at.year(),
            at.month(),
            at.day(),
            at.hour(),
            at.minutes(),
            at.seconds()
        );
        if self.nanos != 0 {
            let fraction = format!(".{:09}", self.nanos);
            out.push_str(fraction.trim_end_matches('0'));
        }
        out.push('Z');
        out
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        if whole.len() != WHOLE_DIGITS || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |from: usize, to: usize| whole.get(from..to)?.parse::<u16>().ok();
        let small = |from: usize| u8::try_from(number(from, from + 2)?).ok();
        let at =
            DateTime::new(number(0, 4)?, small(4)?, small(6)?, small(8)?, small(10)?, small(12)?);
        let nanos = match fraction {
            None => 0,
            Some(fraction) => nanos(fraction)?,
        };
        Some(Self { at: at.ok()?, nanos })
    }
}

/// The fraction of a second; X.690 §11.7 forbids a trailing zero, and with it a fraction of nothing.
fn nanos(fraction: &str) -> Option<u32> {
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || !(1..=FRACTION_DIGITS).contains(&fraction.len()) || fraction.ends_with('0') {
        return None;
    }
    format!("{fraction:0<FRACTION_DIGITS$}").parse().ok()
}

impl FixedTag for GenTime {
    const TAG: Tag = Tag::GeneralizedTime;
}

impl<'a> DecodeValue<'a> for GenTime {
    type Error = der::Error;

    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
        let mut bytes = [0; TEXT_BYTES_MAX];
        let length = usize::try_from(header.length())?;
        let text = bytes.get_mut(..length).ok_or(ErrorKind::DateTime)?;
        let text = reader.read_into(text)?;
        let text = str::from_utf8(text).ok().and_then(Self::parse);
        text.ok_or_else(|| reader.error(ErrorKind::DateTime))
    }
}

impl EncodeValue for GenTime {
    fn value_len(&self) -> der::Result<Length> {
        Length::try_from(self.text().len())
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        writer.write(self.text().as_bytes())
    }
}

const WHOLE_DIGITS: usize = 14;
const FRACTION_DIGITS: usize = 9;
/// Digits, point, fraction, `Z`.
const TEXT_BYTES_MAX: usize = WHOLE_DIGITS + 1 + FRACTION_DIGITS + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_for_one_time() {
        for (text, seconds, nanos) in [
            ("19700101000000Z", 0, 0),
            ("20261122130000.5Z", 1_795_352_400, 500_000_000),
            ("20261122130000.000000001Z", 1_795_352_400, 1),
            ("99991231235959.999999999Z", 253_402_300_799, 999_999_999),
        ] {
            let time = GenTime::parse(text).unwrap();
            assert_eq!(time.since_1970(), Duration::new(seconds, nanos), "{text}");
            assert_eq!(time.text(), text);
            assert_eq!(GenTime::new(time.since_1970()), Some(time));
        }
        for bad in [
            "20261122130000",
            "20261122130000.Z",
            "20261122130000.50Z",
            "20261122130000.0Z",
            "20261122130000,5Z",
            "20261122130000.1234567891Z",
            "20261122130000+0800",
            "202611221300Z",
            "20261322130000Z",
            "20261122250000Z",
            "+0261122130000Z",
            "19691231235959Z",
        ] {
            assert_eq!(GenTime::parse(bad), None, "{bad}");
        }
        assert_eq!(GenTime::new(Duration::from_secs(253_402_300_800)), None);
    }
}
