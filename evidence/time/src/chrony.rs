//! The one question and answer of chronyd's command protocol that is needed: version 6, `tracking`.
//!
//! Everything is big-endian. A request is as long as its answer, so that nobody can be flooded through chronyd.

mod float;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use self::float::ChronyFloat;
use crate::raw::UnixNanos;

/// Bytes of a request.
pub const REQUEST_BYTES: usize = 104;
/// Bytes of an answer that carries tracking data.
pub const REPLY_BYTES: usize = 104;

/// What chronyd says about the clock (`chronyc tracking`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tracking {
    /// Reference id: an IPv4 address, the beginning of a hash, or four letters; `7f7f01xx` is the clock itself.
    pub reference_id: u32,
    /// The source that is followed, where it is a host.
    pub source: Option<IpAddr>,
    /// The number that chronyd gives a source without a known address.
    pub source_id: Option<u32>,
    /// Steps from a reference clock; 0 where nothing is followed.
    pub stratum: u16,
    /// 0 normal, 1 and 2 with a leap second at the end of the day, 3 not synchronised.
    pub leap_status: u16,
    /// When the clock was last measured against its source; zero for never.
    pub reference_time: UnixNanos,
    /// How far the clock is slow of what chronyd takes for the truth, in seconds.
    pub system_offset: ChronyFloat,
    /// Offset at the last measurement, in seconds.
    pub last_offset: ChronyFloat,
    /// Long-term average of the offset, in seconds.
    pub rms_offset: ChronyFloat,
    /// How fast the clock would gain uncorrected, in millionths.
    pub frequency_ppm: ChronyFloat,
    /// What of that is not corrected yet.
    pub residual_frequency_ppm: ChronyFloat,
    /// Error bound of the frequency.
    pub skew_ppm: ChronyFloat,
    /// Network delay to the reference clock and back, in seconds.
    pub root_delay: ChronyFloat,
    /// Dispersion from the reference clock to here, in seconds; chronyd lets it grow with time.
    pub root_dispersion: ChronyFloat,
    /// Seconds between the last two measurements.
    pub update_interval: ChronyFloat,
}

/// Why bytes are not the answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// Not what the protocol prescribes.
    #[error("malformed at byte {at}: {what}")]
    Malformed {
        /// Where.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The answer to another request.
    #[error("the answer to request {found:08x}")]
    Sequence {
        /// Its sequence number.
        found: u32,
    },
    /// chronyd does not answer this: 2 not authorised, 18 another protocol version, 19 another length.
    #[error("chronyd answers with status {status}")]
    Status {
        /// Its status.
        status: u16,
    },
}

/// The request for tracking data. `attempt` counts sendings of one `sequence`.
#[must_use]
pub fn request(sequence: u32, attempt: u16) -> [u8; REQUEST_BYTES] {
    let mut out = [0; REQUEST_BYTES];
    let [a, b, c, d] = sequence.to_be_bytes();
    let [high, low] = attempt.to_be_bytes();
    let [command_high, command_low] = COMMAND_TRACKING.to_be_bytes();
    let header = [VERSION, TYPE_REQUEST, 0, 0, command_high, command_low, high, low, a, b, c, d];
    for (to, from) in out.iter_mut().zip(header) {
        *to = from;
    }
    out
}

impl Tracking {
    /// Reads the answer to the request with `sequence`.
    ///
    /// # Errors
    /// [`ReplyError`]. No bit of an answer is passed over: what has no meaning must be zero.
    pub fn from_reply(bytes: &[u8], sequence: u32) -> Result<Self, ReplyError> {
        let mut reader = Reader { bytes, at: 0 };
        reader.expect_u8(VERSION, "the protocol version is not 6")?;
        reader.expect_u8(TYPE_REPLY, "not a reply")?;
        reader.zeros(2)?;
        reader.expect_u16(COMMAND_TRACKING, "the answer to another command")?;
        let reply = reader.u16()?;
        let status = reader.u16()?;
        reader.zeros(6)?;
        let found = reader.u32()?;
        if found != sequence {
            return Err(ReplyError::Sequence { found });
        }
        reader.zeros(8)?;
        if status != STATUS_SUCCESS {
            return Err(ReplyError::Status { status });
        }
        if reply != REPLY_TRACKING {
            return Err(ReplyError::Malformed { at: 6, what: "not tracking data" });
        }
        let tracking = Self::read(&mut reader)?;
        if bytes.len() != REPLY_BYTES {
            return Err(reader.wrong("more than tracking data"));
        }
        Ok(tracking)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ReplyError> {
        let reference_id = reader.u32()?;
        let (source, source_id) = reader.source()?;
        Ok(Self {
            reference_id,
            source,
            source_id,
            stratum: reader.u16()?,
            leap_status: reader.leap_status()?,
            reference_time: reader.time()?,
            system_offset: reader.float()?,
            last_offset: reader.float()?,
            rms_offset: reader.float()?,
            frequency_ppm: reader.float()?,
            residual_frequency_ppm: reader.float()?,
            skew_ppm: reader.float()?,
            root_delay: reader.positive()?,
            root_dispersion: reader.positive()?,
            update_interval: reader.float()?,
        })
    }

    /// Whether the clock is its own reference (`local` in chronyd's configuration).
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.reference_id & 0xffff_ff00 == LOCAL_REFERENCE
    }

    /// Whom the clock follows, for people: an address, the letters of a reference clock, `local` or `none`.
    #[must_use]
    pub fn reference(&self) -> String {
        let letters = self.reference_id.to_be_bytes();
        let name = letters.trim_ascii_end();
        let name = name.strip_suffix(&[0]).unwrap_or(name);
        match self.source {
            _ if self.is_local() => "local".to_owned(),
            Some(address) => address.to_string(),
            None if self.reference_id == 0 => "none".to_owned(),
            None if name.iter().all(u8::is_ascii_graphic) => {
                String::from_utf8_lossy(name).into_owned()
            }
            None => format!("{:08X}", self.reference_id),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn wrong(&self, what: &'static str) -> ReplyError {
        ReplyError::Malformed { at: self.at, what }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], ReplyError> {
        let end = self.at.saturating_add(N);
        let bytes = self.bytes.get(self.at..end).and_then(|bytes| bytes.try_into().ok());
        let bytes = bytes.ok_or_else(|| self.wrong("it ends here"))?;
        self.at = end;
        Ok(bytes)
    }

    fn u16(&mut self) -> Result<u16, ReplyError> {
        self.take().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, ReplyError> {
        self.take().map(u32::from_be_bytes)
    }

    fn expect_u8(&mut self, wanted: u8, what: &'static str) -> Result<(), ReplyError> {
        let wrong = self.wrong(what);
        let [found] = self.take()?;
        if found == wanted { Ok(()) } else { Err(wrong) }
    }

    fn expect_u16(&mut self, wanted: u16, what: &'static str) -> Result<(), ReplyError> {
        let wrong = self.wrong(what);
        if self.u16()? == wanted { Ok(()) } else { Err(wrong) }
    }

    fn zeros(&mut self, count: usize) -> Result<(), ReplyError> {
        (0..count).try_for_each(|_| self.expect_u8(0, "padding that is not zero"))
    }

    /// 16 bytes of address, of which the family says how many count.
    fn source(&mut self) -> Result<(Option<IpAddr>, Option<u32>), ReplyError> {
        let wrong =
            self.wrong("an address of an unknown kind, or with more bytes than its kind has");
        let address: [u8; 16] = self.take()?;
        let family = self.u16()?;
        self.zeros(2)?;
        let [a, b, c, d, rest @ ..] = address;
        let short = rest == [0; 12];
        match family {
            FAMILY_NONE if short && [a, b, c, d] == [0; 4] => Ok((None, None)),
            FAMILY_V4 if short => Ok((Some(Ipv4Addr::new(a, b, c, d).into()), None)),
            FAMILY_V6 => Ok((Some(Ipv6Addr::from(address).into()), None)),
            FAMILY_ID if short => Ok((None, Some(u32::from_be_bytes([a, b, c, d])))),
            _ => Err(wrong),
        }
    }

    fn leap_status(&mut self) -> Result<u16, ReplyError> {
        let wrong = self.wrong("an unknown leap status");
        let status = self.u16()?;
        if status <= LEAP_UNSYNCHRONISED { Ok(status) } else { Err(wrong) }
    }

    fn time(&mut self) -> Result<UnixNanos, ReplyError> {
        let wrong = self.wrong("an impossible time");
        let (high, low, nanos) = (self.u32()?, self.u32()?, self.u32()?);
        let high = if high == NO_HIGH_SECONDS { 0 } else { high };
        if nanos >= 1_000_000_000 {
            return Err(wrong);
        }
        let seconds = u64::from(high) << 32 | u64::from(low);
        let all = seconds.checked_mul(1_000_000_000).and_then(|ns| ns.checked_add(nanos.into()));
        all.map(UnixNanos).ok_or(wrong)
    }

    fn float(&mut self) -> Result<ChronyFloat, ReplyError> {
        self.u32().map(ChronyFloat)
    }

    fn positive(&mut self) -> Result<ChronyFloat, ReplyError> {
        let wrong = self.wrong("a negative delay or dispersion");
        let value = self.float()?;
        if value.is_negative() { Err(wrong) } else { Ok(value) }
    }
}

/// The leap status of a clock that follows nothing.
pub(crate) const LEAP_UNSYNCHRONISED: u16 = 3;

const VERSION: u8 = 6;
const TYPE_REQUEST: u8 = 1;
const TYPE_REPLY: u8 = 2;
const COMMAND_TRACKING: u16 = 33;
const REPLY_TRACKING: u16 = 5;
const STATUS_SUCCESS: u16 = 0;
const FAMILY_NONE: u16 = 0;
const FAMILY_V4: u16 = 1;
const FAMILY_V6: u16 = 2;
const FAMILY_ID: u16 = 3;
/// 127.127.1.x
const LOCAL_REFERENCE: u32 = 0x7f7f_0100;
/// A time without its high half.
const NO_HIGH_SECONDS: u32 = 0x7fff_ffff;
